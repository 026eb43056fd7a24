import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { answerText } = await load('jobanswer')

test('the words of an answer in every dialect', () => {
  for (const [dialect, body] of Object.entries({
    native: { choices: [{ message: { content: 'Hello' } }] },
    parts: { choices: [{ message: { content: [{ type: 'text', text: 'Hello' }, { type: 'image', data: 'AA==' }] } }] },
    messages: { content: [{ type: 'thinking', thinking: 'Hm' }, { type: 'text', text: 'Hello' }] },
    generateContent: { candidates: [{ content: { parts: [{ text: 'Hm', thought: true }, { text: 'Hello' }] } }] },
    responses: { output: [{ type: 'reasoning', content: [{ text: 'Hm' }] }, { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }] },
  })) assert.equal(answerText(body), 'Hello', dialect)
  assert.equal(answerText({ choices: [{ message: { content: 'A' } }, { message: { content: 'B' } }] }), 'A\nB')
  for (const body of [null, {}, { choices: [{ message: { content: null } }] }, { choices: 'x', content: 7, output: {} }]) assert.equal(answerText(body), '')
})
