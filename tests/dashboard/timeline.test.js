import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { meaningOf, place, scopeOf } = await load('timeline')

test('an attempt is placed in the time of its request', () => {
  assert.deepEqual(place({ startMs: 100, ms: 500, firstByteMs: 200 }, 1000), { start: 10, wait: 20, rest: 30 })
  assert.deepEqual(place({ startMs: 0, ms: 250 }, 1000), { start: 0, wait: 25, rest: 0 })
  // A clock that jumps does not draw beyond the line.
  assert.deepEqual(place({ startMs: 900, ms: 5000, firstByteMs: 9000 }, 1000), { start: 90, wait: 10, rest: 0 })
  assert.equal(place({ ms: 5 }, 1000), null)
  assert.equal(place({ startMs: 0, ms: 5 }, 0), null)
})

test('each error class and scope of the gateway is explained', async () => {
  const { readFile } = await import('node:fs/promises')
  const source = await readFile(new URL('../../pkg/chat/error.go', import.meta.url), 'utf8')
  const named = kind => [...source.matchAll(new RegExp(`${kind}\\s+= "(\\w+)"`, 'g'))].map(([, name]) => name)
  assert.ok(named('Class').length > 10 && named('Scope').length > 4)
  for (const name of named('Class')) assert.ok(meaningOf(name), name)
  for (const name of named('Scope')) assert.ok(scopeOf(name), name)
})
