import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

// A browser's history, as far as the dashboard uses it.
const stack = [null]
let at = 0
globalThis.history = { get state() { return stack[at] }, replaceState(state) { stack[at] = state } }
const go = () => { stack.splice(++at, stack.length, null) }

const { arrive, forget } = await load('entries')

test('an entry of the history is found again with what was kept in it', () => {
  const first = arrive()
  assert.equal(first.back, false)
  first.entry.kept.rows = 7
  go()
  const second = arrive()
  assert.deepEqual([second.back, second.entry.kept], [false, {}])
  at = 0
  assert.deepEqual([arrive().back, arrive().entry.kept], [true, { rows: 7 }])
  at = 1
  assert.equal(arrive().entry, second.entry)
})

test('only the newest entries are kept, and none after the user left', () => {
  const before = arrive().entry
  for (let i = 0; i < 60; i++) {
    go()
    arrive()
  }
  at = 1
  assert.notEqual(arrive().entry, before)
  at = stack.length - 1
  const last = arrive().entry
  forget()
  assert.notEqual(arrive().entry, last)
})
