package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// views are all views of a user. open: the controls that are pressed there, in order.
var views = []struct{ name, hash, open string }{
	{"overview", "#/overview?range=week&split=model", ""},
	{"keys", "#/keys", ""},
	{"key-form", "#/keys", "Add a key"},
	{"key-edit", "#/keys", "Edit Groq, old"},
	{"key-menu", "#/keys", "More for Groq, old"},
	{"key-rotate", "#/keys", "More for Groq, old > Rotate the secret of Groq, old"},
	{"key-delete", "#/keys", "More for Groq, old > Delete Groq, old"},
	{"tokens", "#/tokens", ""},
	{"token-form", "#/tokens", "Create a token"},
	{"token-revoke", "#/tokens", "Revoke Nightly reports"},
	{"token-edit", "#/tokens", "Edit Web shop"},
	{"usage", "#/usage", ""},
	{"usage-of-all", "#/usage?scope=all&range=mtd&sort=name", ""},
	{"usage-own-range", "#/usage?by=model&range=own", ""},
	{"limits", "#/limits", ""},
	{"limits-of-all", "#/limits?scope=all", ""},
	{"limit-form", "#/limits", "Add a limit"},
	{"limit-edit", "#/limits", "Edit 20 requests a day, Each end user of Web shop"},
	{"limit-reset", "#/limits", "Reset $50.00 a month, User ann@example.com"},
	{"aliases", "#/aliases", ""},
	{"alias-form", "#/aliases", "Add an alias"},
	{"alias-edit", "#/aliases", "Edit best"},
	{"playground", "#/playground", ""},
	{"playground-explain", "#/playground", "Explain"},
	{"requests", "#/requests", ""},
	{"jobs", "#/jobs", ""},
	{"job-cancel", "#/jobs", "Cancel long one"},
	{"job-waiting", "#/job/long%20one", ""},
	{"job-answered", "#/job/report-7", "As JSON"},
	{"job-unknown", "#/job/unheard-of", ""},
	{"settings", "#/settings", ""},
	{"docs", "#/docs", ""},
	{"unknown", "#/nowhere", ""},
}

// No view breaks a rule of axe-core, wide or on a phone, light or dark. With SCREENSHOTS a picture of each is
// written into that folder.
func TestViewsAreAccessible(t *testing.T) {
	rules := axe(t)
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.settled()
	b.everyShape("first", rules)
	b.signUp("Ann")
	b.sees("First steps")
	b.everyShape("empty", rules)
	b.open("#/jobs")
	b.settled()
	b.everyShape("jobs-empty", rules)
	b.submit("refused|Hello!") // no key exists yet
	b.open("#/job/refused")
	b.click("Get the answer")
	b.sees("Failed")
	b.everyShape("job-failed", rules)
	b.fillGateway()
	b.fillQueue()
	for _, view := range views {
		b.open(view.hash)
		b.settled()
		for _, name := range strings.Split(view.open, " > ") {
			if name != "" {
				b.click(name)
			}
		}
		b.everyShape(view.name, rules)
	}
	b.open("#/requests")
	b.settled()
	b.until("open a request", "(document.querySelector('tbody a').click(), true)")
	b.sees("All requests")
	b.settled()
	b.everyShape("request", rules)
	b.open("#/tokens")
	b.click("Create a token")
	b.fill("Name", "Mobile app")
	b.click("Create")
	b.sees("This is the only time")
	b.everyShape("token-shown", rules)
	b.click("Done")
	b.click("Log out")
	b.sees("Registration is closed")
	b.everyShape("login", rules)
	b.clean()
}

// axe is the program that checks accessibility. Without it the test is skipped, but fails where CI is set.
func axe(t *testing.T) string {
	t.Helper()
	rules, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("axe-core is missing: run npm ci in tests/e2e")
		}
		t.Skip("axe-core is missing")
	}
	return string(rules)
}

func (b *browser) everyShape(name, rules string) {
	b.t.Helper()
	for _, shape := range []struct {
		name          string
		width, height int64
	}{{"wide", 1280, 900}, {"phone", 390, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			b.shape(shape.width, shape.height, scheme)
			if dir := os.Getenv("SCREENSHOTS"); dir != "" {
				b.screenshot(filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", name, shape.name, scheme)))
			}
			b.accessible(fmt.Sprintf("%s, %s, %s", name, shape.name, scheme), rules)
		}
	}
	b.shape(1280, 900, "light")
}

func (b *browser) accessible(what, rules string) {
	b.t.Helper()
	var found []string
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.run(chromedp.Evaluate("if (!window.axe) {"+rules+"}", nil),
		chromedp.Evaluate(`axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120) + ' ' + n.failureSummary).slice(0, 2).join(' | ')))`, &found, await))
	if len(found) > 0 {
		b.t.Errorf("%s: %s", what, strings.Join(found, "\n  "))
	}
	var wide string
	b.run(chromedp.Evaluate(`document.documentElement.scrollWidth <= innerWidth + 1 ? '' :
		document.documentElement.scrollWidth + ' ' + [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 80)).slice(0, 5).join(' ')`, &wide))
	if wide != "" {
		b.t.Errorf("%s: the page is wider than the window: %s", what, wide)
	}
}

// fillGateway creates keys in several states, tokens, and requests that were answered, refused and failed over.
func (b *browser) fillGateway() {
	b.t.Helper()
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	var failed string
	b.run(chromedp.Evaluate(`(async () => {
  const send = (path, body, method = 'POST') => fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then(r => r.json())
  const key = body => send('/api/keys', body)
  await key({ provider: 'openai', apiKey: 'sk-emulated-0001', name: 'OpenAI, main account', priority: 1, dailyLimit: 500, defaultModel: 'gpt-5.4-mini' })
  await key({ provider: 'groq', apiKey: 'gsk-emulated-fault-401', name: 'Groq, old', priority: 1, dailyLimit: 1000, allowedModels: ['openai/gpt-oss-20b'] })
  await key({ provider: 'groq', apiKey: 'gsk-emulated-0002', name: 'Groq', priority: 2, dailyLimit: 40, allowedModels: ['openai/gpt-oss-20b'] })
  await key({ provider: 'anthropic', apiKey: 'sk-ant-emulated-0001', name: 'Anthropic', priority: 3, allowedModels: ['claude-*'] })
  await key({ provider: 'mistral', apiKey: 'ms-emulated-0001', name: 'Mistral, spare', priority: 9, enabled: false })
  const shop = await send('/api/tokens', { name: 'Web shop', endUsers: true, allowedModels: ['gpt-5.4-mini'], maxConcurrent: 8 })
  const me = (await fetch('/api/auth/me').then(r => r.json())).user.id
  const limit = (subject, metric, window, amount, more = {}) => send('/api/limits', { subject, metric, window, amount, ...more })
  await limit({ type: 'token', id: shop.id }, 'tokens', 'month', 2000000, { strict: true, models: ['gpt-5.4-mini'] })
  await limit({ type: 'endUser', token: shop.id }, 'requests', 'day', 20)
  await limit({ type: 'user', id: me }, 'cost', 'month', 50, { onReached: { model: 'gpt-5.4-mini' } })
  await limit({ type: 'gateway' }, 'requests', 'total', 30000)
  await send('/api/aliases', { name: 'best', shared: true, targets: [{ model: 'gpt-5.4-mini', weight: 2, parameters: { temperature: 0.2 } }, { model: 'claude-haiku-4-5', provider: 'anthropic' }] })
  const asShop = name => fetch('/api/chat', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Authorization': 'Bearer ' + shop.token, 'X-LLM-End-User': name }, body: JSON.stringify({ model: 'gpt-5.4-mini', messages: [{ role: 'user', content: 'words: 30' }] }) }).then(r => r.json())
  await send('/api/tokens', { name: 'Nightly reports', expiresInDays: 30 })
  const chat = (model, content) => send('/api/chat', { model, messages: [{ role: 'user', content }] })
  for (let i = 0; i < 34; i++) await chat(['gpt-5.4-mini', 'openai/gpt-oss-20b', 'gpt-5.4', 'claude-haiku-4-5', 'gpt-5.4-mini'][i % 5], 'words: ' + (20 + i * 7 % 90))
  await chat('mistral-small-latest', 'Hello!')
  for (const name of ['eve', 'bob', 'eve']) await asShop(name)
  return ''
})().catch(e => String(e))`, &failed, await))
	if failed != "" {
		b.t.Fatal(failed)
	}
}

// fillQueue submits asynchronous requests that wait, are answered and are cancelled.
func (b *browser) fillQueue() {
	b.t.Helper()
	b.submit("report-7|words: 60", "long one|Hello!", "nobody-asks|Hello!", "f3b0c9a2-9a2e-4b55-8d8c-6f6f3d1f2a10-of-a-program-with-long-names|Hello!")
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	var statuses []int
	b.run(chromedp.Evaluate(`Promise.all([['report-7', 'GET'], ['nobody-asks', 'DELETE']].map(([id, method]) => fetch('/api/chat/' + id, { method }).then(r => r.status)))`, &statuses, await))
	if statuses[0] != 200 || statuses[1] != 200 {
		b.t.Fatalf("statuses %d", statuses)
	}
}

// The pictures of the README; make screenshots runs it.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("README_SCREENSHOTS")
	if dir == "" {
		t.Skip("README_SCREENSHOTS is not set")
	}
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.fillGateway()
	for _, shot := range []struct{ file, hash, scheme string }{
		{"overview.png", "#/overview?split=model", "light"}, {"keys.png", "#/keys", "light"}, {"playground.png", "#/playground", "dark"},
	} {
		b.open(shot.hash)
		b.settled()
		b.shape(1280, 900, shot.scheme)
		if strings.HasPrefix(shot.file, "playground") {
			b.fill("Message", "words: 60")
			b.click("Send")
			b.sees("See the request")
		}
		b.screenshot(filepath.Join(dir, shot.file))
	}
}
