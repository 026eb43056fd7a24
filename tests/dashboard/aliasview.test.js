import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { aliasBody, moved, targetText } = await load('aliasview')

test('a target in words', () => {
  for (const [target, want] of [
    [{ model: 'm' }, 'm'], [{ model: 'm', provider: 'openai', weight: 3 }, 'm at openai, weight 3'],
    [{ model: 'm', keyIds: ['1', '2'], parameters: { temperature: 0 } }, 'm, 2 keys, temperature 0'],
  ]) assert.equal(targetText(target), want)
})

test('an entry moves within its list', () => {
  const list = ['a', 'b', 'c']
  assert.deepEqual(moved(list, 0, 2), ['b', 'c', 'a'])
  assert.deepEqual(moved(list, 2, 1), ['a', 'c', 'b'])
  for (const [from, to] of [[0, -1], [2, 3], [-1, 0], [3, 0]]) assert.equal(moved(list, from, to), list)
  assert.deepEqual(list, ['a', 'b', 'c'])
})

test('the body keeps what the form does not show', () => {
  const values = { name: 'best', strategy: '', shared: true }
  assert.deepEqual(aliasBody(values, [{ model: ' m ', provider: '', weight: '', keyIds: ['1'], parameters: { topP: 1 } }, { model: 'n', provider: 'groq', weight: '3' }], false),
    { name: 'best', strategy: null, targets: [{ model: 'm', keyIds: ['1'], parameters: { topP: 1 } }, { model: 'n', provider: 'groq', weight: 3 }] })
  assert.equal(aliasBody({ ...values, strategy: 'weighted' }, [{ model: 'm', weight: 'many' }], true).targets[0].weight, 0) // which the gateway refuses
  assert.equal(aliasBody(values, [], true).shared, true)
})
