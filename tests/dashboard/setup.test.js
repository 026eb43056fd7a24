import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { takeSetupToken } = await load('setup')

/** What the page at an address takes from it, and the address afterwards. */
function opened(address) {
  const state = { entry: 'one' }
  globalThis.location = new URL(address)
  globalThis.history = { state, replaceState(kept, _, to) {
    assert.equal(kept, state)
    globalThis.location = new URL(to, location)
  } }
  return [takeSetupToken(), location.href]
}

test('the set-up token is taken from the address and does not stay in it', () => {
  assert.deepEqual(opened('http://127.0.0.1:3000/#setup=08f1m-21tma-c4hxf-912kt'), ['08f1m-21tma-c4hxf-912kt', 'http://127.0.0.1:3000/'])
  assert.deepEqual(opened('https://example.com/gateway/?a=1#setup=a%2Fb%23c'), ['a/b#c', 'https://example.com/gateway/?a=1'])
  assert.deepEqual(opened('http://127.0.0.1:3000/#setup=100%'), ['100%', 'http://127.0.0.1:3000/'])
})

test('other addresses stay as they are', () => {
  for (const address of ['http://127.0.0.1:3000/', 'http://127.0.0.1:3000/#/settings', 'http://127.0.0.1:3000/?setup=1', 'http://127.0.0.1:3000/#/setup=1']) {
    assert.deepEqual(opened(address), ['', address])
  }
})
