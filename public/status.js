// Fills the page in for the gateway that serves it: what its health and set-up are, and the
// commands of the first steps with its own address.

const origin = location.origin

// A command that pastes into a POSIX shell as it is.
function curl(method, path, token, body) {
  const lines = [`curl -sS ${method === 'POST' ? '' : `-X ${method} `}${origin}${path}`]
  if (token) lines.push(`-H "Authorization: Bearer ${token}"`)
  lines.push(`-H 'Content-Type: application/json'`)
  lines.push(`-d '${JSON.stringify(body)}'`)
  return lines.join(' \\\n  ')
}

function show(id, text) {
  document.querySelector(`#${id} code`).textContent = text
}

function fillCommands(setupTokenRequired) {
  const account = { email: 'you@example.com', password: 'a long passphrase' }
  const setup = setupTokenRequired ? { setupToken: 'the set-up token' } : {}
  show('register', curl('POST', '/api/auth/register', '', { ...account, ...setup }))
  show('login', curl('POST', '/api/auth/login', '', account))
  show('key', 'SESSION=…\n' + curl('POST', '/api/keys', '$SESSION', { provider: 'openai', apiKey: 'sk-…' }))
  show('token', curl('POST', '/api/tokens', '$SESSION', { name: 'my program' }))
  show('chat', 'TOKEN=llm_…\n' + curl('POST', '/api/chat', '$TOKEN', { messages: [{ role: 'user', content: 'Hello!' }] }))
}

async function getJSON(path) {
  const answer = await fetch(path, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(20_000) })
  return { ok: answer.ok, body: await answer.json() }
}

function reportHealth(good, text) {
  const p = document.getElementById('health')
  p.className = good ? 'good' : 'bad'
  p.textContent = text
}

function healthText({ status, checks, error }) {
  if (error) return error.message
  if (status === 'ok') return 'The gateway is up.'
  const failing = Object.entries(checks ?? {}).filter(([, state]) => state !== 'ok').map(([name, state]) => `${name}: ${state}`)
  return `The gateway is ${status} (${failing.join(', ')}).`
}

function accountsText(status) {
  if (status.setupRequired) {
    return 'Nobody has an account yet: the first one becomes the admin.' +
      (status.setupTokenRequired ? ' Registering needs the set-up token, which the operator configured or the gateway printed when it started.' : '')
  }
  return status.registrationEnabled ? 'Registration is open.' : 'Registration is closed; the admin can open it.'
}

async function fillStatus() {
  try {
    const health = await getJSON('/health')
    reportHealth(health.ok, healthText(health.body))
  } catch {
    reportHealth(false, 'The gateway does not answer.')
    return
  }
  try {
    const status = await getJSON('/api/auth/status')
    if (!status.ok) throw new Error(status.body.error?.message)
    document.getElementById('accounts').textContent = accountsText(status.body)
    fillCommands(status.body.setupTokenRequired)
  } catch (error) {
    document.getElementById('accounts').textContent = error.message ?? ''
  }
}

fillCommands(false)
fillStatus()
