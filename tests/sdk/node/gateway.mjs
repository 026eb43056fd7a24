// What the tests share: the gateway's address, models, and what can be done to its providers.

export const url = process.env.GATEWAY_URL
export const token = process.env.GATEWAY_TOKEN

// Models of providers that differ most: in their wire format, or in what they refuse.
export const models = ['gpt-4o-mini', 'claude-haiku-4-5', 'gemini-2.5-flash', 'deepseek-flash', 'mistral-small-latest']
// Those that take a JSON schema, and see.
export const skilled = models.filter((model) => model !== 'deepseek-flash')
export const providers = { 'gpt-4o-mini': 'openai', 'claude-haiku-4-5': 'anthropic', 'gemini-2.5-flash': 'gemini' }

export const greeting = 'Grüezi, Welt 🌍'
// A PNG of one pixel, and what the emulated models say of it.
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
export const pixelSeen = '[image image/png 70 bytes]'
// What the emulated models put into every string.
export const example = 'Zürich 🌍'

async function control(path, init) {
  const response = await fetch(process.env.CONTROL_URL + path, init)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

// header sends a request to a key of its own, with which the provider of the model behaves so.
export async function header(model, behaviour) {
  const body = JSON.stringify({ provider: providers[model], behaviour })
  return { 'X-LLM-Priorities': await control('/key', { method: 'POST', body }) }
}

// left waits until the provider has seen the client of the request with the marker disconnect, and throws if it does not.
export const left = (marker) => control('/left?marker=' + encodeURIComponent(marker))

// Failures of a provider, and the status that the caller's SDK is to see.
export const faults = { 401: 502, credit: 502, 429: 429, context: 400, 500: 502 }

// counted is a fetch for an SDK, and how often it was used.
export function counted() {
  const count = { calls: 0, fetch: (...args) => (count.calls++, fetch(...args)) }
  return count
}

let marks = 0
export const marker = () => `marker ${process.pid} ${++marks}`
