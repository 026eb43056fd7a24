package e2e

import (
	"fmt"
	"testing"
)

// order checks the models of the form, first to last.
func (b *browser) order(want string) {
	b.t.Helper()
	b.until("the order "+want, fmt.Sprintf("[...document.querySelectorAll('dialog .targets li > input:first-of-type')].map(i => i.value).join(' ') === %s", text(want)))
}

// name types the name of the nth model.
func (b *browser) name(n int, model string) {
	b.t.Helper()
	b.until("the field of model "+model, fmt.Sprintf(`(() => {
  const it = document.querySelector('dialog [aria-label="Name of model %d"]')
  if (!it) return false
  it.value = %s
  it.dispatchEvent(new Event('input', { bubbles: true }))
  return true
})()`, n, text(model)))
}

// An alias is made, ordered by keyboard and by dragging, explained and deleted.
func TestAliasesInTheBrowser(t *testing.T) {
	b := onlyUser(t)
	b.click("Aliases")
	b.sees("for everyone")
	b.click("Add an alias")
	b.fill("Name", "fast")
	b.click("Add the alias")
	b.until("the error of the targets", "document.querySelector('[data-field=targets] .error').textContent !== ''")
	b.name(1, "gpt-5.4-mini")
	b.click("Add a model")
	b.name(2, "claude-haiku-4-5")
	b.click("Add a model")
	b.name(3, "openai/gpt-oss-20b")
	b.order("gpt-5.4-mini claude-haiku-4-5 openai/gpt-oss-20b")
	b.click("Move model 3 up")
	b.until("the focus stays on the button", "document.activeElement.ariaLabel === 'Move model 2 up'")
	b.until("Enter moves it again", `(() => { document.activeElement.click(); return true })()`)
	b.order("openai/gpt-oss-20b gpt-5.4-mini claude-haiku-4-5")
	b.until("the first is dragged to the end", `(() => {
  const rows = document.querySelectorAll('dialog .targets li'), data = new DataTransfer()
  const send = (where, type) => where.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }))
  send(rows[0].querySelector('.grip'), 'dragstart')
  send(rows[2], 'dragover')
  send(rows[2], 'drop')
  return true
})()`)
	b.order("gpt-5.4-mini claude-haiku-4-5 openai/gpt-oss-20b")
	b.choose("Order", "the cheapest first")
	b.click("Add the alias")
	b.sees("gpt-5.4-mini")
	b.sees("the cheapest first")
	b.click("Edit fast")
	b.order("gpt-5.4-mini claude-haiku-4-5 openai/gpt-oss-20b")
	b.click("Remove model 3")
	b.choose("Order", "as for other requests")
	b.click("Save")
	b.sees("as for other requests")

	b.click("Playground")
	b.fill("Model", "fast")
	b.click("Explain")
	b.sees("gpt-5.4-mini of openai would serve")
	b.sees("does not serve the model")
	b.click("Send")
	b.sees("x-llm-alias")

	b.click("Aliases")
	b.click("Delete fast")
	b.click("Delete the alias")
	b.until("the alias is gone", "![...document.querySelectorAll('tbody th')].some(th => th.textContent.startsWith('fast'))")
}
