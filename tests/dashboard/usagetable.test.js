import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { before, changeOf, csv, forecast, ranges, rows, sorted, times } = await load('usagetable')

const now = new Date(2026, 11, 10, 15, 40).getTime()
const row = (bucket, costUsd, requests = 1, more = {}) => ({ bucket, costUsd, requests, errors: 0, inputTokens: 0, outputTokens: 0, ...more })

test('a range begins at a whole hour or at the midnight of the viewer, and ends with this hour', () => {
  const end = new Date(2026, 11, 10, 16).getTime()
  for (const [range] of ranges) {
    if (range === 'own') continue
    const { from, to } = times(range, {}, now)
    assert.equal(to, end, range)
    assert.ok(from < now && from % 3_600_000 === 0, range)
  }
  assert.equal(times('mtd', {}, now).from, new Date(2026, 11, 1).getTime())
  assert.equal(times('week', {}, now).from, new Date(2026, 11, 4).getTime())
  assert.deepEqual(times('own', { from: '2026-11-01', to: '2026-11-30' }, now), { from: new Date(2026, 10, 1).getTime(), to: new Date(2026, 11, 1).getTime() })
  assert.equal(times('own', { from: '2026-11-02', to: '2026-11-01' }, now), null)
  assert.equal(times('own', {}, now), null)
  assert.deepEqual(before({ from: 100, to: 130 }), { from: 70, to: 100 })
})

test('a row has its share and how it has changed', () => {
  const all = rows([row('a', 3, 1), row('b', 1, 9), row('new', 0, 5)], [row('a', 2, 1), row('b', 2, 1)], r => r.bucket)
  assert.deepEqual(all.map(r => [r.name, r.share, r.change]), [['a', 0.75, 0.5], ['b', 0.25, -0.5], ['new', 0, null]])
  assert.equal(changeOf(row('x', 0, 3), row('x', 0, 2)), 0.5)
  // End users of two tokens may have one name.
  const users = rows([row('u', 1, 1, { tokenId: '1' }), row('u', 1, 1, { tokenId: '2' })], [row('u', 2, 1, { tokenId: '2' })], r => r.bucket)
  assert.deepEqual(users.map(r => r.change), [null, -0.5])
})

test('rows are sorted by a column, the largest first, and names from A to Z', () => {
  const all = rows([row('b', 1, 9), row('A', 3, 1), row('c', 2, 5)], [], r => r.bucket)
  const order = (by, turned) => sorted(all, by, turned).map(r => r.name).join('')
  assert.equal(order('costUsd', false), 'Acb')
  assert.equal(order('costUsd', true), 'bcA')
  assert.equal(order('requests', false), 'bcA')
  assert.equal(order('name', false), 'Abc')
  assert.equal(order('name', true), 'cbA')
})

test('the forecast is the month so far, and the pace of the last seven days for the rest', () => {
  const at = Date.UTC(2026, 11, 11)
  const days = Array.from({ length: 10 }, (_, i) => row(`2026-12-${String(i + 1).padStart(2, '0')}`, 2))
  assert.equal(forecast(days, at), 20 + 2 * 21)
  assert.equal(forecast(days.slice(-1), at), null)
  // Days without requests have no row.
  assert.equal(forecast([row('2026-12-04', 7), row('2026-12-10', 7)], at), 14 + 2 * 21)
})

test('CSV quotes, and no cell is a formula', () => {
  assert.equal(csv(['a', 'b'], [['x,"y"', 1.5], ['=1+1', 0], ['＝x', -2]]), 'a,b\r\n"x,""y""",1.5\r\n\'=1+1,0\r\n\'＝x,-2\r\n')
})
