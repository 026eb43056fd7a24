import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { eventReader } = await load('sse')
const { addEvent, emptyAnswer } = await load('answer')

test('events come out the same however the stream is cut', () => {
  const text = ': beat\n\ndata: {"a":1}\n\ndata:two\r\ndata: lines\r\n\r\nevent: x\ndata: [DONE]\n\n'
  const want = ['{"a":1}', 'two\nlines', '[DONE]']
  for (let i = 0; i <= text.length; i++) {
    const feed = eventReader()
    assert.deepEqual([...feed(text.slice(0, i)), ...feed(text.slice(i))], want, `cut at ${i}`)
  }
  const feed = eventReader()
  assert.deepEqual([...text].flatMap(feed), want)
  assert.deepEqual(eventReader()('data: not whole'), [])
})

test('an answer is put together', () => {
  const answer = emptyAnswer()
  const add = event => addEvent(answer, JSON.stringify(event))
  add({ provider: 'openai', model: 'm', choices: [{ index: 0, delta: { role: 'assistant', reasoning: [{ index: 0, text: 'Hm' }] }, finishReason: null }] })
  add({ choices: [{ delta: { content: 'Hel' } }] })
  add({ choices: [{ delta: { content: 'lo' } }] })
  add({ choices: [{ delta: { toolCalls: [{ index: 0, id: 'c', function: { name: 'weather', arguments: '{"ci' } }] } }] })
  add({ choices: [{ delta: { toolCalls: [{ index: 0, function: { arguments: 'ty":"Rome"}' } }] }, finishReason: 'tool_calls' }] })
  add({ choices: [], usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 } })
  assert.equal(addEvent(answer, '[DONE]'), true)
  assert.deepEqual(answer, {
    text: 'Hello', reasoning: 'Hm', toolCalls: [{ name: 'weather', arguments: '{"city":"Rome"}' }], finishReason: 'tool_calls',
    usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 }, error: null, provider: 'openai', model: 'm',
  })
  assert.equal(add({ error: { code: 'PROVIDER_ERROR', message: 'gone' } }), true)
  assert.equal(answer.error.message, 'gone')
})
