package e2e

import (
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const passphrase = "a long passphrase of the test"

// firstView is the limit of the first view's size in bytes, uncompressed.
const firstView = 100_000

func TestJourneySQLite(t *testing.T) { journey(t, startGateway(t)) }

func TestJourneyPostgres(t *testing.T) {
	journey(t, startGateway(t, "DATABASE_URL="+pgtest.New(t), "JWT_SECRET=mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7i-journey"))
}

// journey goes from an empty gateway to the first answer and logs out.
func journey(t *testing.T, base string) {
	b := openBrowser(t, base)
	b.open("")
	b.signUp("Ann")
	b.sees("First steps")
	if n := b.received(); n > firstView {
		t.Errorf("the first view weighs %.0f bytes", n)
	}

	b.click("Add a provider key")
	b.click("Add a key")
	b.fill("API key", "sk-emulated-0001")
	b.fill("Name", "Main")
	b.fill("Requests a day", "100")
	b.fill("Default model", "gpt-5.4-mini")
	b.click("Add the key")
	b.sees("Ready")
	b.click("Test Main")
	b.sees("The key works")

	b.click("Tokens")
	b.click("Create a token")
	b.fill("Name", "My program")
	b.click("Create")
	b.sees("This is the only time")
	b.sees("llm_")
	b.fill("Go", "")
	b.sees("openai.NewClient")
	b.click("Done")

	b.click("Playground")
	b.fill("Model", "gpt-5.4-mini")
	b.fill("Message", "echo: from the browser")
	b.click("Send")
	b.sees("from the browser")
	b.sees("x-llm-key-id")
	b.click("See the request")
	b.sees("as the provider reported it")
	b.run(chromedp.NavigateBack())
	b.sees("Message")

	b.click("Requests")
	b.sees("gpt-5.4-mini")
	b.fill("Status", "5xx")
	b.click("Filter")
	b.sees("No request fits these filters.")
	b.fill("Status", "")
	b.fill("Provider", "groq")
	b.click("Filter")
	b.until("the address", "location.hash === '#/requests?provider=groq'")
	b.settled()
	b.sees("No request fits these filters.")
	b.fill("Provider", "openai")
	b.click("Filter")
	b.until("the request of that provider", "document.querySelector('tbody')?.rows.length === 1")

	b.click("Overview")
	b.until("the chart", "document.querySelectorAll('.chart .part').length > 0")
	b.sees("Quota today (UTC)")
	b.gone("First steps")
	b.click("Numbers")

	b.click("Tokens")
	b.click("Revoke My program")
	b.click("Revoke the token")
	b.sees("No token yet")

	b.click("Settings")
	b.until("the health of the parts", "[...document.querySelectorAll('dt')].some(dt => dt.textContent === 'Database' && dt.nextSibling.textContent.endsWith('ok'))")

	b.click("Log out")
	b.sees("Log in")
	b.logInByKeyboard()
	b.sees("Overview")
	b.clean()
}

func (b *browser) signUp(name string) {
	b.t.Helper()
	b.fill("E-mail address", "ann@example.com")
	b.fill("Password", passphrase)
	b.fill("Name (optional)", name)
	b.fill("Set-up token", setupToken)
	b.click("Create the account")
	b.sees("Log out")
}

// logInByKeyboard uses only keys.
func (b *browser) logInByKeyboard() {
	b.t.Helper()
	b.until("the form", "step.control('E-mail address')")
	b.run(chromedp.Evaluate("document.querySelector('form input').focus()", nil),
		chromedp.KeyEvent("ann@example.com"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(passphrase), chromedp.KeyEvent(kb.Enter))
	b.sees("Log out")
}

// markup must stay text wherever it is typed.
const markup = `<img src=x onerror="window.pwned=1">`

func TestMarkupStaysText(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp(markup)
	b.open("#/keys")
	b.click("Add a key")
	b.fill("API key", "sk-emulated-0001")
	b.fill("Name", markup)
	b.fill("Allowed models", "")
	b.fill("Default model", "gpt-5.4-mini")
	b.click("Add the key")
	b.sees(markup)
	b.click("Test " + markup)
	b.sees("The key works")
	b.open("#/tokens")
	b.click("Create a token")
	b.fill("Name", markup)
	b.click("Create")
	b.sees("The token of " + markup)
	b.click("Done")
	b.open("#/playground")
	b.fill("System prompt", markup)
	b.fill("Message", "echo: "+markup)
	b.click("Send")
	b.sees("See the request")
	b.sees(markup)
	b.fill("Model", markup)
	b.click("Send")
	b.sees("none of the providers of your keys serves")
	for _, view := range views {
		b.open(view.hash)
		b.settled()
		b.until("no markup", "!window.pwned && !document.querySelector('img, #app script, iframe')")
	}
	b.open("#/requests?model=" + `%3Cimg%20src%3Dx%20onerror%3D%22window.pwned%3D1%22%3E`)
	b.settled()
	b.until("no markup", "!window.pwned && !document.querySelector('img')")
	b.clean()
}
