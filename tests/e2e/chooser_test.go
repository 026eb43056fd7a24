package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// keys presses keys where the focus is.
func (b *browser) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		if k != kb.Enter {
			b.run(chromedp.KeyEvent(k))
			continue
		}
		// KeyEvent sends a character of its own after the key, also where the page has handled the key.
		for _, kind := range []input.KeyType{input.KeyDown, input.KeyUp} {
			b.run(input.DispatchKeyEvent(kind).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).WithText("\r"))
		}
	}
}

// With a key of any one provider, what the playground suggests is answered at once.
func TestFirstAnswerWithEachProvider(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	for _, provider := range emulator.Providers() {
		b.open("#/keys")
		b.settled()
		b.click("Add a key")
		b.fill("Provider", provider)
		b.fill("API key", "sk-emulated-0001")
		b.click("Add the key")
		b.sees("Ready")
		b.sees("The key works") // it is tested at once
		b.open("#/playground")
		b.settled()
		b.until("a model is suggested", "document.querySelector('[name=model]').value !== ''")
		b.click("Send")
		b.until("see the answer of "+provider, "step.sees('See the request') && document.querySelector('.answer .text').textContent.trim() !== ''")
		b.eval(`(async () => {
  const { keys } = await (await fetch('/api/keys')).json()
  for (const key of keys) await fetch('/api/keys/' + key.id, { method: 'DELETE', headers: { 'Content-Type': 'application/json' } })
})()`)
	}
	b.clean()
}

// Models are chosen by keyboard and by pointer from what the keys serve.
func TestModelChooser(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.open("#/keys")
	b.settled()
	b.click("Add a key")
	b.fill("API key", "sk-emulated-0001")
	// In a dialog, Escape closes the list first.
	b.until("focus", "document.querySelector('dialog [name=defaultModel]').focus() === undefined")
	b.keys("gpt-5 NANO", kb.ArrowDown)
	b.until("a choice is active", "document.activeElement.getAttribute('aria-expanded') === 'true' && document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent.includes('nano')")
	b.keys(kb.Escape)
	b.until("the list is closed, and the dialog open", "document.activeElement.getAttribute('aria-expanded') === 'false' && document.querySelector('dialog[open]') && document.activeElement.value === 'gpt-5 NANO'")
	b.keys(kb.ArrowDown, kb.ArrowUp)
	b.until("the last choice is active", "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).nextElementSibling?.getAttribute('role') !== 'option'")
	b.keys(kb.Escape)
	b.fill("Default model", "")
	b.until("focus", "document.querySelector('dialog [name=\"\"]').focus() === undefined")
	b.keys("gpt-5.4-nano", kb.ArrowDown, kb.Enter)
	b.until("the model is added to the allowed ones", "/^gpt-5.4-nano/.test(document.querySelector('dialog [name=allowedModels]').value)")
	b.keys("gpt-5.4-mini", kb.ArrowDown, kb.Enter)
	b.until("two models are allowed", "document.querySelector('dialog [name=allowedModels]').value.split(',').length === 2")
	b.click("Add the key")
	b.sees("Ready")

	b.open("#/playground")
	b.settled()
	b.sees("2 models.")
	b.until("open by pointer", "(() => { const m = document.querySelector('[name=model]'); m.focus(); m.click(); return m.getAttribute('aria-expanded') === 'true' })()")
	b.accessible("the open list", axe(t))
	b.until("choose by pointer", `(() => {
  const option = [...document.querySelectorAll('[role=option]')].find(o => o.textContent.includes('gpt-5.4-mini'))
  option.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, cancelable: true }))
  return document.querySelector('[name=model]').value === 'gpt-5.4-mini' && document.querySelector('[role=listbox]').hidden
})()`)
	b.click("Send")
	b.sees("See the request")
	b.clean()
}

// Escape asks before it throws away a half-filled form, and not for an untouched one.
func TestEscapeAsks(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.open("#/keys")
	b.settled()
	b.click("Add a key")
	b.keys(kb.Escape)
	b.until("the untouched form is closed", "!document.querySelector('dialog')")
	b.click("Add a key")
	b.fill("Name", "Half")
	b.until("focus", "document.querySelector('dialog [name=name]').focus() === undefined")
	b.keys(kb.Escape)
	b.sees("lose what you have typed")
	b.accessible("the question", axe(t))
	b.click("Keep editing")
	b.until("the form is as it was", "document.querySelector('dialog [name=name]').value === 'Half' && !document.querySelector('.unsaved')")
	b.keys(kb.Escape)
	b.click("Close")
	b.until("the form is closed", "!document.querySelector('dialog')")
	b.clean()
}

// A first visit asks for no session: no refused request is in the console. A visitor with one is let in again.
func TestFirstVisitAsksForNoSession(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.sees("Create the admin account")
	const asked = "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/auth/')).map(e => e.name.replace(/.*auth./, '')).join()"
	b.until("one question", asked+" === 'status'")
	b.signUp("Ann")
	b.open("#/keys")
	b.settled()
	b.until("no detour", asked+" === 'me'")
	b.until("forget", "(localStorage.clear(), true)")
	b.open("#/keys")
	b.settled()
	b.sees("Provider keys")
	b.until("both questions", asked+" === 'status,me'")
	b.clean()
}
