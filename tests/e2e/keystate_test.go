package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// keyStates answers the lists of keys with one key in each state. Its first key serves all models but two.
const keyStates = `(() => {
  const [since, until] = ['2027-05-10T22:25:00Z', '2027-05-10T22:30:00Z']
  const none = { cooldownUntil: null, cooldownClass: null, cooldownMessage: null, cooldowns: [] }
  const whole = (kind, message) => ({ cooldownUntil: until, cooldownClass: kind, cooldownMessage: message, cooldowns: [{ model: null, class: kind, since, until, message }] })
  const states = {
    cooldown: { ...none, cooldowns: [{ model: 'gpt-5', class: 'rate_limited', since, until, message: 'Rate limit reached for requests per minute. ' + 'x'.repeat(120) },
      { model: 'm'.repeat(80), class: 'overloaded', since: null, until, message: '' }] },
    ready: none, disabled: none, blocked: none, spent: none, undecryptable: none, unsupported: none, rejected: whole('bad_key', 'Incorrect API key'), out_of_money: whole('out_of_money', ''),
  }
  const key = ([name, more], i) => ({ id: 'k' + i, provider: 'openai', name, email: 'ann@example.com', priority: i, enabled: name !== 'disabled', blocked: name === 'blocked', allowedModels: [],
    defaultModel: null, dailyLimit: 5, usedToday: 5, remainingQuota: 0, resetDate: until, createdAt: since, lastUsedAt: null, usageCount: 0, lastFour: 'abcd', state: name === 'out_of_money' ? 'cooldown' : name, ...more })
  const keys = Object.entries(states).map(key)
  window.realFetch = fetch
  fetch = (path, options) => /^\/api\/(admin\/)?keys(\?|$)/.test(path) ? Promise.resolve(Response.json({ keys, total: keys.length, nextCursor: null })) : realFetch(path, options)
})()`

// The state of each key is shown to its owner, on the overview and to the admin, with a line for each model that cools down.
func TestStatesOfKeys(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.settled()
	b.eval(keyStates)
	for _, page := range []string{"Provider keys", "Overview", "Settings"} {
		b.click(page)
		b.until("the page "+page, "document.querySelector('h1').textContent === "+text(page))
		b.settled()
		for _, line := range []string{
			"2 models are cooling down", "Rejected by the provider: Incorrect API key", "Blocked by the admin", "Cannot be decrypted: enter the key again",
			"Quota spent until", "This version of the gateway cannot call the provider", ": out of money",
		} {
			b.sees(line)
		}
		b.until("a line for each cooldown", "[...document.querySelectorAll('.cooldowns li')].map(li => li.textContent.split(', ')[0]).join() "+
			"=== 'gpt-5: rate limited,' + 'm'.repeat(80) + ': overloaded,All models: bad key,All models: out of money'")
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.shape(width, 900, scheme)
				b.until("nothing is too wide", tooWide+".length === 0")
				if dir := os.Getenv("SCREENSHOTS"); dir != "" {
					b.eval("document.querySelector('.cooldowns').scrollIntoView({ block: 'center' })")
					b.screenshot(filepath.Join(dir, "states-"+page+"-"+map[int64]string{1280: "wide", 390: "phone"}[width]+"-"+scheme+".png"))
				}
			}
		}
		b.shape(1280, 900, "light")
	}
	b.clean()
}

// The owner ends a cooldown that an answer of the provider has caused.
func TestEndOfACooldown(t *testing.T) {
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.settled()
	b.eval(`(async () => {
  const post = async (path, body, headers) => (await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) })).json()
  await post('/api/keys', { provider: 'openai', name: 'Tired', apiKey: 'sk-invalid-000000000000' })
  const { token } = await post('/api/tokens', { name: 'test' })
  await post('/v1/chat/completions', { model: 'gpt-5.4', messages: [{ role: 'user', content: 'hi' }] }, { Authorization: 'Bearer ' + token })
})()`)
	b.click("Provider keys")
	b.sees("Rejected by the provider: ")
	b.sees("All models: ")
	b.click("More for Tired")
	b.click("End the cooldown of Tired")
	b.sees("End the cooldown of Tired?")
	b.click("End the cooldown")
	b.sees("Ready")
	b.gone("Rejected by the provider: ")
}
