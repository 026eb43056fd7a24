import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { load } from './load.js'

const { shellWord, snippets, curlChat } = await load('snippet')
const { parseRoute, routeTo } = await load('route')
const { chatBody } = await load('chatbody')
const { filterQuery } = await load('requestfilter')

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
})
