package e2e

import (
	"fmt"
	"testing"
)

// choose selects an option by its text.
func (b *browser) choose(label, option string) {
	b.t.Helper()
	b.until("choose "+option, fmt.Sprintf(`(() => {
  const it = step.control(%s), option = [...it?.options ?? []].find(o => o.text === %s)
  if (!option) return false
  it.value = option.value
  it.dispatchEvent(new Event('change', { bubbles: true }))
  return true
})()`, text(label), text(option)))
}

// cells checks the numbers of the row that begins with the text.
func (b *browser) cells(row string, want string) {
	b.t.Helper()
	b.until("the numbers "+want+" of "+row, fmt.Sprintf(`[...document.querySelectorAll('tbody tr')].some(tr => tr.cells[0].textContent.startsWith(%s) &&
  [...tr.cells].slice(1, 5).map(c => c.textContent).join(' ') === %s)`, text(row), text(want)))
}

// An admin sets, changes, resets and deletes limits of every subject, and scopes a token.
func TestLimitsInTheBrowser(t *testing.T) {
	b := onlyUser(t)
	b.click("Tokens")
	b.click("Edit Nightly reports")
	b.fill("Models", "gpt-*")
	b.fill("Requests at the same time", "many")
	b.fill("Tells who is behind a request", "")
	b.click("Save")
	b.until("the error of the field", "document.querySelector('[data-field=maxConcurrent] .error').textContent.includes('whole number')")
	b.fill("Requests at the same time", "3")
	b.choose("Where it names the end user", "user")
	b.click("Save")
	b.sees("only the models gpt-*")
	b.sees("3 at the same time")
	b.sees("tells end users in user")

	b.click("Limits of Nightly reports")
	b.settled()
	b.click("Add a limit")
	b.until("the token is chosen", "step.control('Of').selectedOptions[0].text === 'Token Nightly reports'")
	b.until("no field of an end user", "!step.control('End user')")
	b.fill("Amount", "-1")
	b.click("Add the limit")
	b.until("the error of the field", "document.querySelector('[data-field=amount] .error').textContent !== ''")
	b.fill("Amount", "7")
	b.click("Add the limit")
	b.cells("7 requests a day", "0 0 7 0")

	for _, l := range []struct{ subject, endUser, metric, window, amount, row string }{
		{"End users of Nightly reports", "bob", "Tokens", "in total", "5000", "5,000 tokens in total" + "End user bob of Nightly reports"},
		{"End users of Nightly reports", "", "Cost in USD", "each month", "0.5", "$0.50 a month" + "Each end user of Nightly reports"},
		{"Key Groq", "", "Requests", "each minute", "30", "30 requests a minute" + "Key Groq"},
		{"User ann@example.com", "", "Tokens", "each week, from Monday", "900000", "900,000 tokens a week" + "User ann@example.com"},
		{"The whole gateway", "", "Cost in USD", "in total", "99.5", "$99.50 in total" + "The whole gateway"},
	} {
		b.click("Add a limit")
		b.choose("Of", l.subject)
		b.choose("What", l.metric)
		b.choose("When", l.window)
		if l.endUser != "" {
			b.fill("End user", l.endUser)
		}
		b.fill("Amount", l.amount)
		b.click("Add the limit")
		b.until("the row "+l.row, fmt.Sprintf("[...document.querySelectorAll('tbody th')].some(th => th.textContent.startsWith(%s))", text(l.row)))
	}
	b.cells("20 requests a day"+"Each end user of Web shop", "2 0 18 0")

	b.click("Edit 7 requests a day, Token Nightly reports")
	b.fill("Amount", "9")
	b.fill("Then use the model", "gpt-5.4-mini")
	b.click("Save")
	b.cells("9 requests a day"+"Token Nightly reports"+"then gpt-5.4-mini serves", "0 0 9 0")
	b.click("Reset 20 requests a day, Each end user of Web shop")
	b.fill("Note", "agreed on the phone")
	b.click("Reset the limit")
	b.cells("20 requests a day"+"Each end user of Web shop", "0 0 20 0")
	b.click("Delete 9 requests a day, Token Nightly reports")
	b.click("Delete the limit")
	b.gone("9 requests a day")
	b.click("Show those of all users")
	b.sees("Show only mine")
	b.sees("$99.50 in total")
	b.open("#/keys")
	b.click("More for Groq")
	b.click("Limits of Groq")
	b.settled()
	b.click("Add a limit")
	b.until("the key is chosen", "step.control('Of').selectedOptions[0].text === 'Key Groq'")
	b.click("Cancel")
	b.clean()
}
