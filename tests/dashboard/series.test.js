import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { begunBy, buckets, span, stack, ticks, total } = await load('series')
const now = Date.parse('2027-05-10T22:30:00Z')

test('spans begin at midnight UTC', () => {
  assert.deepEqual(span('today', now), { by: 'hour', from: '2027-05-10T00:00:00.000Z', to: '2027-05-11T00:00:00.000Z' })
  assert.deepEqual(span('week', now), { by: 'day', from: '2027-05-04T00:00:00.000Z', to: '2027-05-11T00:00:00.000Z' })
  assert.equal(buckets(span('today', now)).length, 24)
  assert.equal(buckets(span('today', now))[22], '2027-05-10T22:00:00.000Z')
  assert.deepEqual([buckets(span('month', now)).length, buckets(span('month', now)).at(-1)], [30, '2027-05-10'])
  assert.equal(span('nonsense', now).by, 'hour')
})

const row = (bucket, part, requests) => ({ bucket, part, requests, errors: 0, inputTokens: 2, outputTokens: 3, costUsd: 0.5, unpriced: 1, cachedTokens: 0, reasoningTokens: 0 })

test('the largest parts are series, the rest is other, and nothing gets lost', () => {
  const columns = ['a', 'b']
  const parts = ['p', 'q', 'r', 's', 't', 'u', 'v', null].flatMap((part, i) => [row('a', part, i + 1), row('b', part, 1)])
  const series = stack(parts, columns, 'requests')
  assert.equal(series.length, 6)
  assert.deepEqual(series[0], { part: null, other: false, values: [8, 1], total: 9 })
  assert.equal(series[5].other, true)
  assert.equal(series.reduce((sum, s) => sum + s.total, 0), parts.reduce((sum, p) => sum + p.requests, 0))
  assert.deepEqual(stack(parts.slice(0, 2), columns, 'tokens')[0].values, [5, 5])
  assert.deepEqual(stack([row('elsewhere', 'p', 1)], columns, 'requests'), [])
  assert.deepEqual(stack(parts, columns, 'errors'), [])
})

test('totals', () => assert.deepEqual(total([row('a', 'p', 2), row('b', 'p', 3)]).costUsd, 1))

test('ticks are round, reach the largest value, and are few', () => {
  for (const max of [1e-9, 0.003, 0.7, 1, 7, 35, 99, 100, 1234, 5e9]) {
    const all = ticks(max)
    assert.equal(all[0], 0)
    assert.ok(all.at(-1) >= max * 0.999 && all.length <= 6, `${max}: ${all}`)
  }
  assert.deepEqual(ticks(0), [0, 1])
  assert.deepEqual(ticks(35), [0, 10, 20, 30, 40])
})

test('what is counted has whole ticks', () => {
  for (let max = 0.5; max < 3000; max = Math.ceil(max * 1.3)) {
    const all = ticks(max, true)
    assert.ok(all.every(Number.isInteger) && all.at(-1) >= max && all.length <= 6, `${max}: ${all}`)
  }
  assert.deepEqual(ticks(1, true), [0, 1])
  assert.deepEqual(ticks(9, true), [0, 5, 10])
})

test('the hours to come are not drawn', () => {
  assert.equal(begunBy(buckets(span('today', now)), now), 23)
  assert.equal(begunBy(buckets(span('month', now)), now), 30)
  assert.equal(begunBy(buckets(span('today', now)), Date.parse('2027-05-10T00:00:00Z')), 1)
})
