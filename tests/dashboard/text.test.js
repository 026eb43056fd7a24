import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { load } from './load.js'

const { shellWord, snippets, curlChat } = await load('snippet')
const { parseRoute, routeTo } = await load('route')
const { chatBody } = await load('chatbody')
const { filterIssues, filterQuery, isFiltered, statusQuery, statusText } = await load('requestfilter')
const { docExamples } = await load('docexample')
const { agentName } = await load('agent')
const { issuesOf } = await load('form')

test('a shell reads a word back as it was', () => {
  for (const text of ['plain', `it's`, `$(rm -rf /)`, '`id`', `'"\\\n'`, '']) {
    assert.equal(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`]).toString(), text)
  }
})

test('snippets hold the address, the token and the model', () => {
  for (const { id, code } of snippets('https://gateway.example', 'llm_abc', 'gpt-4o-mini')) {
    for (const part of ['https://gateway.example', 'llm_abc', 'gpt-4o-mini']) assert.ok(code.includes(part), `${id}: ${part}`)
  }
  assert.ok(curlChat('http://x', 't', { content: `it's` }).includes(`it'\\''s`))
})

test('routes survive the way into the address and back', () => {
  for (const [name, id, query] of [['overview', '', {}], ['request', 'a/b?c', {}], ['requests', '', { model: 'a b&c=d#e', from: '2027-01-01T10:00' }]]) {
    assert.deepEqual(parseRoute(routeTo(name, { id, query })), { name, id, query })
  }
  assert.deepEqual(parseRoute(''), { name: 'overview', id: '', query: {} })
  assert.equal(parseRoute('#/request/%zz').id, '%zz')
  assert.equal(routeTo('requests', { query: { model: '', from: undefined } }), '#/requests')
})

test('the playground’s form as a body', () => {
  const values = { messages: 'Hi', system: '', provider: '', model: '', temperature: '', tools: false }
  assert.deepEqual(chatBody(values, []), { stream: true, messages: [{ role: 'user', content: 'Hi' }] })
  const full = chatBody({ ...values, system: 'S', provider: 'groq', model: 'm', temperature: '0.5', tools: true }, [{ mimeType: 'image/png', data: 'AA==' }])
  assert.deepEqual(full.messages[1].content, [{ type: 'text', text: 'Hi' }, { type: 'image', mimeType: 'image/png', data: 'AA==' }])
  assert.deepEqual([full.messages[0].role, full.provider, full.model, full.temperature, full.tools.length], ['system', 'groq', 'm', 0.5, 1])
  assert.equal(chatBody({ ...values, temperature: 'hot' }, []).temperature, 'hot')
})

test('filters for the API', () => {
  assert.deepEqual(filterQuery({ statusClass: '5', model: '', from: '2027-05-10T10:00:00Z', to: 'nonsense', other: 'x' }), { statusClass: '5', from: '2027-05-10T10:00:00.000Z' })
  assert.deepEqual([isFiltered({ other: 'x' }), isFiltered({ status: '429' })], [false, true])
})

test('a status is a code or a class, and its field shows it again', () => {
  for (const [text, query] of [['5xx', { statusClass: '5' }], ['2XX', { statusClass: '2' }], ['429', { status: '429' }], ['', { status: '' }], ['9xx', { status: '9xx' }]]) {
    assert.deepEqual(statusQuery(text), query)
    assert.equal(statusText(query), text.replace('XX', 'xx'))
  }
})

test('a time that ends before it begins', () => {
  assert.deepEqual(filterIssues({ from: '2027-05-10T10:00', to: '2027-05-10T10:00' }).map(i => i.path), ['to'])
  for (const query of [{}, { from: '2027-05-10T10:00' }, { to: '2027-05-10T10:00' }, { from: '2027-05-10T10:00', to: '2027-05-10T10:01' }]) assert.deepEqual(filterIssues(query), [])
})

test('a body that is too long for an argument goes to curl’s standard input, and arrives whole', () => {
  const body = { text: `it's "quoted"\nEND\n$HOME`, data: 'A'.repeat(300_000) }
  const line = curlChat('http://x', 't', body)
  const shown = execFileSync('sh', { input: `curl() { cat; }\n${line}`, maxBuffer: 1e6 }).toString()
  assert.deepEqual(JSON.parse(shown), body)
  const short = curlChat('http://x', 't', { text: body.text })
  const args = execFileSync('sh', ['-c', `curl() { for a; do last=$a; done; printf %s "$last"; }\n${short}`]).toString()
  assert.deepEqual(JSON.parse(args), { text: body.text })
})

test('every example of the docs is a shell command with this deployment’s address and a JSON body', () => {
  const all = docExamples('https://gateway.example', 'llm_abc', 'gpt-4o-mini')
  assert.ok(Object.keys(all).length > 8)
  for (const [name, line] of Object.entries(all)) {
    const args = execFileSync('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${line}`]).toString().split('\0')
    assert.ok(args.some(a => a.startsWith('https://gateway.example/')) && args.some(a => a.includes('llm_abc')), name)
    const at = args.indexOf('-d')
    if (at >= 0) assert.equal(typeof JSON.parse(args[at + 1]), 'object', name)
  }
})

test('browsers by name', () => {
  const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
  for (const [agent, want] of [
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/148.0.0.0 Safari/537.36`, 'Chrome on Linux'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/148.0.0.0 Safari/537.36 Edg/148.0.0.0`, 'Edge on Windows'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15', 'Safari on macOS'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari on iPhone'],
    [`Mozilla/5.0 (Linux; Android 15) ${webkit} Chrome/148.0.0.0 Mobile Safari/537.36`, 'Chrome on Android'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['curl/8.5.0', 'curl/8.5.0'], ['node', 'node'], ['', 'unknown'],
  ]) assert.equal(agentName(agent), want)
})

test('an error of the gateway in the words of a form', () => {
  assert.deepEqual(issuesOf({ issues: [{ path: 'priority', message: 'expected a whole number, got a string' }, { path: 'allowedModels[2]', message: 'is empty' }] }),
    [{ field: 'priority', message: 'must be a whole number' }, { field: 'allowedModels', message: 'is empty' }])
  assert.deepEqual(issuesOf({ message: 'name: expected a string, got null' }), [{ field: 'name', message: 'must be a string' }])
  assert.deepEqual(issuesOf({ message: 'Nothing works.' }), [{ field: '', message: 'Nothing works.' }])
})

test('the cost of a request that no provider answered is a dash, not “unpriced”', async () => {
  const { costOf, unanswered } = await load('requestview')
  const q = { outcome: 'failed', inputTokens: 0, outputTokens: 0, costUsd: null }
  assert.deepEqual([unanswered(q), costOf(q)], [true, '–'])
  assert.deepEqual([unanswered({ ...q, outcome: 'broken', outputTokens: 5 }), costOf({ ...q, outcome: 'broken', outputTokens: 5 })], [false, 'unpriced'])
  assert.deepEqual([unanswered({ ...q, outcome: 'answered' }), costOf({ ...q, outcome: 'answered', costUsd: 0.5 })], [false, '$0.50'])
})
