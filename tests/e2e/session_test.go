package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const endSession = `fetch('/api/auth/logout', { method: 'POST' })`

func (b *browser) logIn() {
	b.t.Helper()
	b.fill("E-mail address", "ann@example.com")
	b.fill("Password", passphrase)
	b.click("Log in")
	b.sees("Log out")
}

// After a session ended elsewhere the page says so, and an open dialog comes back with its input after the login.
func TestSessionEndsElsewhere(t *testing.T) {
	b := onlyUser(t)
	b.open("#/keys")
	b.click("Edit Anthropic")
	b.fill("Name", "Typed before the end")
	b.eval(endSession)
	b.click("Save")
	b.sees("Your session has ended. Log in to go on.")
	b.until("no dialog over the login", "!document.querySelector('dialog')")
	b.logIn()
	b.until("what was typed", "step.control('Name')?.value === 'Typed before the end'")
	b.click("Save")
	b.until("closed", "!document.querySelector('dialog')")
	b.sees("Typed before the end")

	b.open("#/requests")
	b.settled()
	b.eval(endSession)
	b.click("Export as CSV")
	b.sees("Your session has ended")
	b.logIn()
	b.sees("Export as CSV")
	b.clean()
}

// A logout that fails says so. One that succeeds is announced, and the focus is on the page.
func TestLogOut(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.settled()
	b.eval("(window.realFetch = fetch, fetch = () => Promise.reject(new TypeError()), 0)")
	b.click("Log out")
	b.sees("You are still logged in. The gateway does not answer.")
	b.eval("(fetch = realFetch, 0)")
	b.click("Log out")
	b.sees("Log in")
	b.until("said, and the focus is on the page", "document.getElementById('live').textContent === 'You are logged out' && document.activeElement.id === 'main'")
	b.clean()
}

// A page whose module failed to load can be loaded once the gateway answers again.
func TestModuleFailsToLoad(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.settled()
	block := network.SetBlockedURLs()
	block.URLPatterns = []*network.BlockPattern{{URLPattern: "*://*:*/js/views/tokens.js", Block: true}}
	b.run(block)
	b.click("Tokens")
	b.sees("The gateway does not answer.")
	b.gone("module")
	b.run(network.SetBlockedURLs())
	b.click("Try again")
	b.sees("No token yet")
	b.clean()
}

// A change of the password is confirmed beside the button.
func TestPasswordIsChanged(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.open("#/settings")
	b.fill("Current password", passphrase)
	b.fill("New password", passphrase+" anew")
	b.click("Change the password")
	b.sees("The password is changed, and all other sessions have ended.")
	b.until("the fields are empty", "step.control('New password').value === ''")
	b.clean()
}

// Everything is revoked after a confirmation. The last admin cannot delete the account, and reads why at the form.
func TestRevocation(t *testing.T) {
	b := onlyUser(t)
	b.open("#/settings")
	b.click("Revoke everything")
	b.sees("all your gateway tokens are disabled")
	b.click("Revoke everything")
	b.until("the dialog is closed", "!document.querySelector('dialog')")
	b.fill("Password", passphrase)
	b.click("Delete my account")
	b.sees("make another user an admin first")
	b.open("#/tokens")
	b.sees("Disabled")
	b.clean()
}

// The admin disables a user after a confirmation, and blocks a key and a token. Their owner sees it.
func TestAdmin(t *testing.T) {
	b := onlyUser(t)
	b.open("#/settings")
	b.click("Open registration")
	b.sees("Close registration")
	b.eval(`fetch('/api/auth/register', { method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: 'bob@example.com', password: 'another long passphrase' }) })`)
	b.open("#/settings")
	b.click("Make an admin of bob@example.com")
	b.sees("An admin opens and closes registration")
	b.run(chromedp.KeyEvent(kb.Escape))
	b.click("Disable bob@example.com")
	b.click("Disable")
	b.until("disabled", "step.click('Enable bob@example.com')")
	b.click("Delete bob@example.com")
	b.sees("This cannot be undone.")
	b.click("Delete the account")
	b.gone("bob@example.com")

	b.click("Block Web shop of ann@example.com")
	b.until("blocked", "document.querySelector('[aria-label=\"Unblock Web shop of ann@example.com\"]')")
	b.until("the state of each key", "document.querySelector('[aria-label=\"Keys of all users\"]').textContent.includes('Rejected by the provider')")
	b.click("Block Anthropic of ann@example.com")
	b.until("blocked", "document.querySelector('[aria-label=\"Unblock Anthropic of ann@example.com\"]')")
	b.click("Tokens")
	b.sees("Blocked by the admin")
	b.click("Provider keys")
	b.sees("Blocked by the admin")
	b.clean()
}

// The log is filtered by status, class and the beginning of a model's name. An error is shown at its field.
func TestFilters(t *testing.T) {
	b := onlyUser(t)
	b.open("#/requests")
	for _, c := range []struct{ field, value, hash, rows string }{
		{"Status", "400", "#/requests?status=400", "r.every(t => t.includes('400'))"},
		{"Status", "2xx", "#/requests?statusClass=2", "r.every(t => t.includes('answered'))"},
		{"Model", "gpt-5.4*", "#/requests?model=gpt-5.4*", "r.every(t => t.includes('gpt-5.4')) && r.some(t => t.includes('gpt-5.4-mini')) && r.some(t => !t.includes('gpt-5.4-mini'))"},
	} {
		b.fill(c.field, c.value)
		b.click("Filter")
		b.until("the rows of "+c.hash, "location.hash === "+text(c.hash)+" && (r => r.length > 0 && "+c.rows+")([...document.querySelectorAll('tbody tr')].map(e => e.textContent))")
		b.click("Remove the filters")
		b.gone("Remove the filters")
	}
	b.fill("Status", "999")
	b.click("Filter")
	b.sees("must be a whole number from 100 to 599")
	b.fill("Status", "")
	b.fill("From", "2027-05-10T10:00")
	b.fill("To", "2027-05-09T10:00")
	b.click("Filter")
	b.sees("must be after “From”")
	b.clean()
}

// A request that no provider answered shows no cost and no usage, rather than unknown ones.
func TestUnanswered(t *testing.T) {
	b := onlyUser(t)
	b.open("#/requests?status=400")
	b.until("a row without numbers", "document.querySelector('tbody tr')?.textContent.includes('mistral') && !document.querySelector('tbody').textContent.includes('unpriced')")
	b.until("open it", "(document.querySelector('tbody a').click(), true)")
	b.sees("Keys that were skipped")
	b.gone("as the provider reported it")
	b.gone("unpriced")
	b.clean()
}

// The docs are shown without the keys, and link to the OpenAPI description.
func TestDocs(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.settled()
	b.eval("(window.realFetch = fetch, fetch = path => path.startsWith('/api/keys') ? Promise.reject(new TypeError()) : realFetch(path), 0)")
	b.click("Docs")
	b.sees("With neither, nothing runs until the daily scheduled call")
	b.fill("Gemini", "")
	b.sees(":generateContent")
	b.until("the description", "fetch(document.querySelector('a[href=\"/openapi.yaml\"]').href).then(r => r.ok)")
	b.clean()
}

// A stream that ends early keeps its text, and is not shown as a whole answer.
func TestStreamIsLost(t *testing.T) {
	b := onlyUser(t)
	b.open("#/playground")
	b.sees("The answer appears here.")
	b.eval(`(window.realFetch = fetch, fetch = (path, options) => path === '/api/chat' ? Promise.resolve(new Response('data: {"choices":[{"delta":{"content":"half a"}}]}\n\n')) : realFetch(path, options), 0)`)
	b.click("Send")
	b.sees("The connection to the gateway was lost before the answer was whole.")
	b.sees("half a")
	b.clean()
}

// The link that the gateway prints fills in the set-up token, and the token does not stay in the address.
func TestSetupLink(t *testing.T) {
	link := runGateway(t).Wait(t, `open (\S+/#setup=\S+)`)
	base, hash, _ := strings.Cut(link, "/#setup=")
	b := openBrowser(t, base)
	b.open("")
	b.fill("E-mail address", "ann@example.com")
	b.fill("Password", passphrase)
	b.fill("Set-up token", "a wrong one")
	b.click("Create the account")
	b.sees("this is not the set-up token")

	b.run(chromedp.Evaluate("location.hash = "+text("setup="+hash)+"; 0", nil)) // opened in the same tab
	b.until("the token is filled in", "step.control('Set-up token').value === "+text(hash))
	b.until("the address is clean", "location.href === "+text(base+"/"))
	b.open("#setup=" + hash)
	b.until("the token is filled in", "step.control('Set-up token').value === "+text(hash))
	b.until("the address is clean", "location.href === "+text(base+"/"))
	b.fill("E-mail address", "ann@example.com")
	b.fill("Password", passphrase)
	b.click("Create the account")
	b.sees("Log out")
	b.open("#setup=" + hash) // again: the gateway is set up
	b.sees("First steps")
	b.until("the address is clean", "!location.href.includes('setup')")
	b.clean()
}
