package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tooWide lists what is wider than the window or its table.
const tooWide = `(() => {
  const out = []
  if (document.documentElement.scrollWidth > innerWidth) out.push('the page: ' + document.documentElement.scrollWidth)
  for (const box of document.querySelectorAll('.stacks')) if (box.scrollWidth > box.clientWidth + 1) out.push(box.getAttribute('aria-label') + ': ' + box.scrollWidth + ' in ' + box.clientWidth)
  for (const e of document.querySelectorAll('main button, main a, main li, main td')) {
    const r = e.getBoundingClientRect()
    if (r.width && !e.closest('pre, .behind') && (r.right > innerWidth + 1 || r.left < -1)) out.push(e.outerHTML.slice(0, 100))
  }
  for (const cell of document.querySelectorAll('.stacks td')) if (cell.clientWidth && cell.scrollWidth > cell.clientWidth + 1) out.push('over the next: ' + cell.textContent)
  for (const text of document.querySelectorAll('.chart text')) {
    const inner = text.getBoundingClientRect(), outer = text.closest('.chart').getBoundingClientRect()
    if (inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5 || inner.height < 8) out.push('label ' + text.textContent)
  }
  return out
})()`

// With long names of keys and tokens nothing is wider than the window, and no label leaves its chart.
func TestLongNamesFit(t *testing.T) {
	b := onlyUser(t)
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	var status string
	b.run(chromedp.Evaluate(`(async () => {
  const send = (path, body) => fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then(r => r.status)
  const long = 'x'.repeat(100)
  return [await send('/api/keys', { provider: 'groq', apiKey: 'gsk-emulated-fault-401-long', name: long, priority: 1, dailyLimit: 0, defaultModel: 'm' + long, allowedModels: ['m' + long] }),
    await send('/api/tokens', { name: long }), await send('/api/chat', { model: 'm' + long, messages: [{ role: 'user', content: 'Hello!' }] })].join()
})()`, &status, await))
	if !strings.HasPrefix(status, "201,201,") {
		t.Fatal(status)
	}
	b.eval(`fetch('/api/admin/tokens').then(r => r.json()).then(({ tokens }) => fetch('/api/admin/tokens/' + tokens[0].id, { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{"blocked":true}' }))`)
	for _, width := range []int64{1600, 1280, 1240, 1160, 1024, 801, 390, 320} {
		b.shape(width, 900, "light")
		for _, hash := range []string{"#/overview?show=cost", "#/overview?range=month&show=tokens&split=key", "#/keys", "#/tokens", "#/limits", "#/limits?scope=all", "#/aliases", "#/requests", "#/jobs", "#/settings", "#/docs"} {
			b.open(hash)
			b.settled()
			var wide []string
			b.run(chromedp.Evaluate(tooWide, &wide))
			if len(wide) > 0 {
				t.Errorf("%s at %d: %s", hash, width, strings.Join(wide, "\n  "))
			}
			if hash == "#/keys" {
				b.until("the buttons of a key on one line", "[...document.querySelectorAll('td > .buttons')].every(e => new Set([...e.querySelectorAll(':scope > button')].map(x => x.getBoundingClientRect().top)).size === 1)")
			}
		}
	}
	b.open("#/playground")
	b.fill("Model", "nobody-has-this")
	b.click("Send")
	b.sees("none of the providers of your keys serves")
	b.until("the reasons inside", "document.querySelectorAll('.reasons li').length > 3 && document.documentElement.scrollWidth <= innerWidth")
	b.clean()
}

// The axis of a count has whole marks, and later hours are empty.
func TestAxes(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.eval(`fetch('/api/chat', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ model: 'none', messages: [{ role: 'user', content: 'Hello!' }] }) })`)
	b.open("#/overview")
	b.until("the marks", "[...document.querySelectorAll('.chart text[text-anchor=end]')].slice(0, 2).map(e => e.textContent).join() === '0,1'")
	b.until("the line ends now", "document.querySelector('.line').getAttribute('d').match(/[ML]/g).length === new Date().getUTCHours() + 1")
	b.clean()
}
