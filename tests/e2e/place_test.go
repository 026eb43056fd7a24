package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// onlyUser opens the dashboard as the only user of a gateway with keys, tokens and requests.
func onlyUser(t *testing.T) *browser {
	t.Helper()
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.sees("First steps")
	b.fillGateway()
	return b
}

// eval evaluates an expression in the page, and awaits it if it is a promise.
func (b *browser) eval(expression string) {
	b.t.Helper()
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.run(chromedp.Evaluate("(async () => { await "+expression+" })()", nil, await))
}

// use focuses a control, scrolls the page to y, and presses Enter.
func (b *browser) use(name string, y int) {
	b.t.Helper()
	b.until("focus "+name, fmt.Sprintf(`(() => {
  const it = [...document.querySelectorAll('button, a, summary')].find(e => (e.getAttribute('aria-label') ?? e.textContent).trim() === %s && !e.disabled && e.getClientRects().length)
  it?.focus()
  scrollTo(0, %d)
  return it && document.activeElement === it
})()`, text(name), y))
	b.run(chromedp.KeyEvent(kb.Enter))
}

// at waits until nothing loads, the control has the focus and the page is scrolled to y.
func (b *browser) at(name string, y int) {
	b.t.Helper()
	b.settled()
	b.until(fmt.Sprintf("the focus on %s, the page at %d", name, y), fmt.Sprintf(
		`(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim() === %s && Math.abs(scrollY - %d) <= 1`, text(name), y))
}

// A change on a page keeps the focus on the same control, and the scroll position.
func TestFocusAndScrollAreKept(t *testing.T) {
	b := onlyUser(t)
	b.shape(1280, 400, "light")
	b.open("#/keys")
	b.settled()
	b.use("Try Mistral, spare earlier", 80)
	b.until("its new priority", "[...document.querySelectorAll('tbody tr')].some(r => r.textContent.startsWith('Mistral, spare') && r.cells[1].textContent.startsWith('2'))")
	b.at("Try Mistral, spare earlier", 80)
	b.use("Try Groq earlier", 80)
	b.until("it is the first, and cannot go further", "document.querySelector('tbody th strong').textContent === 'Groq'")
	b.at("Try Groq later", 80)
	b.use("More for Mistral, spare", 80)
	b.click("Enable Mistral, spare")
	b.gone("Disabled")
	b.at("More for Mistral, spare", 80)
	b.use("Edit Anthropic", 80)
	b.fill("Requests a day", "77")
	b.click("Save")
	b.sees("of 77 (")
	b.at("Edit Anthropic", 80)

	b.open("#/overview")
	b.settled()
	b.click("Numbers")
	b.until("the measure", "(document.querySelector('input[value=tokens]').focus(), scrollTo(0, 120), true)")
	b.run(chromedp.KeyEvent(kb.ArrowRight))
	b.until("the address", "location.hash.includes('show=cost')")
	b.settled()
	b.until("the focus on the radio button, its table open", "document.activeElement.value === 'cost' && scrollY === 120 && document.querySelector('details[open]')")

	b.open("#/settings")
	b.settled()
	b.use("Open registration", 300)
	b.sees("Close registration")
	b.at("Close registration", 300)
	b.clean()
}

// "Back" shows a list, and the playground, as they were.
func TestBackFindsTheListAgain(t *testing.T) {
	b := onlyUser(t)
	b.fillGateway() // more than a page of requests
	b.shape(1280, 500, "light")
	b.open("#/requests")
	b.settled()
	b.until("all rows", "(scrollTo(0, 1e6), document.querySelector('tbody').rows.length > 60)")
	b.until("a row far down", "(scrollTo(0, 2000), document.querySelectorAll('tbody a')[55].focus({ preventScroll: true }), true)")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.sees("← All requests")
	b.settled()
	b.run(chromedp.NavigateBack())
	b.until("the row again", "scrollY === 2000 && document.activeElement === document.querySelectorAll('tbody a')[55]")

	b.open("#/playground")
	b.fill("Message", "echo: kept words")
	b.click("Send")
	b.click("See the request")
	b.sees("← All requests")
	b.run(chromedp.NavigateBack())
	b.sees("x-llm-key-id")
	b.until("the prompt", "step.control('Message').value === 'echo: kept words'")
	b.clean()
}

// The token that is shown once survives Escape and the back button, and has the focus on its copy button.
func TestTokenIsNotLost(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.click("Tokens")
	b.click("Create a token")
	b.fill("Name", "once")
	b.click("Create")
	b.sees("This is the only time")
	b.at("Copy the token", 0)
	for range 3 {
		b.run(chromedp.KeyEvent(kb.Escape))
	}
	b.sees("Press “Done”")
	b.run(chromedp.NavigateBack())
	b.until("the page before", "!location.hash.includes('tokens')")
	b.settled()
	b.sees("This is the only time")
	b.click("Done")
	b.until("closed", "!document.querySelector('dialog')")
	b.clean()
}

// A mistyped address shows a page that says so, or the default.
func TestAddressesThatNameNothing(t *testing.T) {
	b := onlyUser(t)
	for _, hash := range []string{"#/constructor", "#/__proto__", "#/request", "#/job", "#/toString/x"} {
		b.open(hash)
		b.sees("This page does not exist.")
	}
	b.open("#/overview?split=constructor&range=toString&show=__proto__")
	b.sees("Requests by provider")
	b.clean()
}
