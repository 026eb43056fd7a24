package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// submit sends asynchronous requests, each a requestId|content, from the page.
func (b *browser) submit(requests ...string) {
	b.t.Helper()
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	for _, request := range requests {
		id, content, _ := strings.Cut(request, "|")
		var status int
		b.run(chromedp.Evaluate(`fetch('/api/chat', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ async: true, model: 'gpt-5.4-mini',
			requestId: `+text(id)+`, messages: [{ role: 'user', content: `+text(content)+` }] }) }).then(r => r.status)`, &status, await))
		if status != 202 {
			b.t.Fatalf("%s: status %d", id, status)
		}
	}
}

// counts waits until the numbers at the top are those.
func (b *browser) counts(want string) {
	b.t.Helper()
	b.until("counts "+want, `[...document.querySelectorAll('[data-counts] dd')].map(e => e.textContent).join(' ') === `+text(want))
}

// Without a worker requests wait. One is cancelled, another is answered by a poll.
func TestJobs(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.fillGateway()
	b.click("Jobs")
	b.sees("without a worker or a poll nothing runs")
	b.sees("No asynchronous request yet")
	b.submit("stays/or goes?|Hello!", "report 7|echo: the report", markup+"|echo: "+markup)
	b.click("Refresh")
	b.counts("3 0 0 0 0")
	b.sees("Waiting")

	b.click("Cancel stays/or goes?")
	b.click("Keep it")
	b.counts("3 0 0 0 0")
	b.until("focus", "(document.querySelector('tbody tr:last-child button').focus(), true)")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.sees("It will not be answered")
	b.run(chromedp.KeyEvent(kb.Escape))
	b.until("the focus is back", "!document.querySelector('dialog') && document.activeElement.textContent === 'Cancel'")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.click("Cancel the request")
	b.sees("Cancelled")
	b.counts("2 0 0 0 0")

	b.click("report 7")
	b.sees("it runs the request now")
	b.until("the position in the navigation", "document.querySelector('nav [aria-current]').textContent === 'Jobs'")
	b.click("Get the answer")
	b.sees("the report")
	b.sees("Answered")
	b.sees("openai")
	b.click("As JSON")
	b.sees("finishReason")

	b.open("#/job/" + "stays%2For%20goes%3F")
	b.sees("the request was cancelled")
	b.open("#/job/unheard-of")
	b.sees("there is no such request of yours")
	b.gone("Failed")
	b.click("← All jobs")
	b.counts("1 0 0 1 0")
	b.fill("Everybody’s", "")
	b.until("the address", "location.hash === '#/jobs?scope=all'")
	b.counts("1 0 0 1 0")

	b.click(markup)
	b.click("Get the answer")
	b.sees("Answered")
	b.until("no markup", "!window.pwned && !document.querySelector('img')")
	b.shape(390, 844, "dark")
	b.open("#/jobs")
	b.until("its position is in view on a phone", "document.querySelector('nav [aria-current]')?.getBoundingClientRect().right <= innerWidth")
	b.settled()
	b.until("no markup", "!window.pwned && !document.querySelector('img')")
	b.clean()
}

// A list that fails to load can be loaded again, and a request that fails says why.
func TestJobFails(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.run(chromedp.Evaluate("window.realFetch = fetch; fetch = path => path.startsWith('/api/queue/') ? Promise.reject(new TypeError()) : realFetch(path); 0", nil))
	b.click("Jobs")
	b.sees("The gateway does not answer.")
	b.run(chromedp.Evaluate("fetch = realFetch; 0", nil))
	b.click("Try again")
	b.sees("No asynchronous request yet")
	b.submit("no key|Hello!")
	b.open("#/job/no%20key")
	b.click("Get the answer")
	b.sees("Failed")
	b.sees("Reason")
	b.click("← All jobs")
	b.counts("0 0 0 0 1")
	b.click("Result of no key")
	b.sees("Reason")
	b.clean()
}
