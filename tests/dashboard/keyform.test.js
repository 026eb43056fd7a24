import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { endpointBody, endpointChange } = await load('keyform')

const key = { slug: 'mine', baseUrl: 'http://127.0.0.1:1/v1', dialect: 'openai', auth: 'bearer', headers: ['X-Team'], prices: { '*': { input: 1, output: 2 } } }
const as = more => ({ baseUrl: key.baseUrl, dialect: 'openai', auth: 'bearer', headers: 'X-Team: (stored)', inputPrice: '1', outputPrice: '2', ...more })

test('what is not touched is not sent', () => {
  assert.deepEqual(endpointChange(as({}), key), {})
  assert.deepEqual(endpointChange(as({ headers: '' }), { ...key, headers: [] }), {})
})

test('what is changed is sent, and stored headers stay', () => {
  assert.deepEqual(endpointChange(as({ baseUrl: 'http://127.0.0.1:2/v1', auth: 'none' }), key), { baseUrl: 'http://127.0.0.1:2/v1', auth: 'none' })
  assert.deepEqual(endpointChange(as({ headers: 'X-Team: (stored)\nX-New: a:b' }), key), { headers: { 'X-Team': null, 'X-New': 'a:b' } })
  assert.deepEqual(endpointChange(as({ headers: '' }), key), { headers: {} })
  assert.deepEqual(endpointChange(as({ inputPrice: '', outputPrice: '' }), key), { prices: null })
  assert.deepEqual(endpointChange(as({ outputPrice: '2.5' }), key), { prices: { input: 1, output: 2.5 } })
})

test('prices that the form does not show are left alone', () => {
  const more = { ...key, prices: { 'a*': { input: 1, output: 1 } } }
  assert.deepEqual(endpointChange({ ...as({}), inputPrice: undefined, outputPrice: undefined }, more), {})
})

test('a new endpoint is sent whole', () => {
  assert.deepEqual(endpointBody({ ...as({ headers: 'X-A: 1' }), preset: '', slug: 's' }),
    { preset: null, slug: 's', baseUrl: key.baseUrl, dialect: 'openai', auth: 'bearer', headers: { 'X-A': '1' }, prices: { input: 1, output: 2 } })
})
