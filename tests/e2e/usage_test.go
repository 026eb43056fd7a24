package e2e

import "testing"

// A table says who spends what: by token, model and user, sorted, with links to the requests and as CSV.
func TestWhoSpendsWhat(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.fillGateway()
	b.open("#/usage")
	b.settled()
	first := "document.querySelector('tbody tr th').textContent"
	b.sees("Web shop")
	b.sees("Change")
	b.click("Name")
	b.until("sorted by name", "location.hash.includes('sort=name') && document.querySelector('th[aria-sort=ascending]').textContent === 'Name'")
	b.settled()
	b.until("note the first row", "(window.before = "+first+", true)")
	b.click("Name")
	b.until("sorted the other way", "document.querySelector('th[aria-sort=descending]') && "+first+" !== window.before")
	b.until("choose by model", "(document.querySelector('.choice input[value=model]').click(), true)")
	b.until("models are listed", "location.hash.includes('by=model') && document.querySelector('tbody').textContent.includes('gpt-5.4-mini')")
	b.until("what is downloaded", `(() => {
  const made = URL.createObjectURL
  URL.createObjectURL = blob => { blob.text().then(text => { window.downloaded = text }); return made.call(URL, blob) }
  return true
})()`)
	b.click("Download as CSV")
	b.until("a CSV with a line for each model", "window.downloaded?.startsWith('model,requests,errors,') && window.downloaded.includes('gpt')")
	b.until("see everybody's", "(document.querySelector('.choice input[value=all]').click(), true)")
	b.until("users are listed", "location.hash.includes('scope=all') && document.querySelector('tbody').textContent.includes('Ann')")
	b.until("this month", "(document.querySelector('.choice input[value=mtd]').click(), location.hash.includes('range=mtd'))")
	b.settled()
	b.until("see my own by model", "(location.hash = '#/usage?by=model', true)")
	b.settled()
	b.until("open the requests of a model", "document.querySelector('tbody th a')?.click() === undefined && location.hash.startsWith('#/requests?model=')")
	b.settled()
	b.until("see requests of the model", "document.querySelectorAll('tbody tr').length > 3")
	b.clean()
}
