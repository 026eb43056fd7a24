import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { ago, bucket, clock, count, duration, exactCount, exactMoney, localTimes, money, moneyMarks, percent, time, words } = await load('format')

test('numbers', () => {
  for (const [n, want] of [[0, '0'], [12345, '12,345'], [999_999, '999,999'], [1_250_000, '1.3M'], [null, '–']]) assert.equal(count(n), want)
  for (const [part, all, want] of [[0, 10, '0%'], [1, 3, '33%'], [1, 40, '2.5%'], [1, 100_000, '<0.1%'], [1, 0, '–']]) assert.equal(percent(part, all), want)
})

test('money keeps the digits that say something', () => {
  for (const [usd, want] of [[0, '$0.00'], [12.345, '$12.35'], [1234.5, '$1,234.50'], [0.5, '$0.50'], [0.0012, '$0.0012'], [0.0000045, '$0.0000045'], [1e-9, '$0.000000001'], [-0.5, '−$0.50'], [null, '–']]) {
    assert.equal(money(usd), want)
  }
})

test('times', () => {
  for (const [ms, want] of [[0, '0 ms'], [999, '999 ms'], [1250, '1.25 s'], [12_340, '12.3 s'], [125_000, '2 min 5 s'], [null, '–']]) assert.equal(duration(ms), want)
  const now = Date.parse('2027-05-10T12:00:00Z')
  for (const [iso, want] of [['2027-05-10T11:59:55Z', '5 s ago'], ['2027-05-10T11:30:00Z', '30 min ago'], ['2027-05-08T12:00:00Z', '2 d ago'], ['2027-05-11T00:00:00Z', 'in 12 h'], [null, 'never']]) {
    assert.equal(ago(iso, now), want)
  }
  assert.equal(time('2027-05-10T22:30:00Z', 'Asia/Tokyo'), '11 May 2027, 07:30:00')
})

test('a day of a chart is UTC whatever the zone, an hour is in the user’s zone', () => {
  assert.equal(bucket('2027-05-10', 'America/Los_Angeles'), '10 May')
  assert.equal(bucket('2027-05-10T22:00:00.000Z', 'Asia/Tokyo'), '07:00')
  assert.equal(words('quota_spent'), 'quota spent')
})

test('the marks of an axis of dollars agree in their decimals, and are short', () => {
  for (const [marks, want] of [
    [[0, 500, 1000, 2000], '$0 $500 $1,000 $2,000'], [[0, 0.5, 1, 1.5], '$0.00 $0.50 $1.00 $1.50'], [[0, 2.5, 5], '$0.00 $2.50 $5.00'], [[0, 5000, 10_000], '$0 $5K $10K'],
    [[0, 5e-7, 1e-6, 1.5e-6, 2e-6], '$0.0000000 $0.0000005 $0.0000010 $0.0000015 $0.0000020'], [[0, 2_500_000], '$0 $2.5M'], [[0, 1], '$0 $1'],
  ]) assert.equal(moneyMarks(marks).join(' '), want)
})

test('the table behind a chart keeps every digit', () => {
  assert.equal(exactCount(12_345_678), '12,345,678')
  assert.deepEqual([exactMoney(1234.567891), exactMoney(0), exactMoney(0.000000001)], ['$1,234.567891', '$0.00', '$0.000000001'])
  assert.deepEqual([exactCount(null), exactMoney(undefined)], ['–', '–'])
})

test('times within a message are in the user’s zone', () => {
  assert.equal(localTimes('cooldown until 2026-11-24T21:08:54Z (out_of_money)', 'Asia/Tokyo'), 'cooldown until 25 Nov 2026, 06:08:54 (out of money)')
  assert.equal(localTimes('from 2026-11-24T21:08:54.5Z to 2026-11-24T22:00:00Z', 'UTC'), 'from 24 Nov 2026, 21:08:54 to 24 Nov 2026, 22:00:00')
  for (const text of ['no time at all (really)', 'the model my_model (v2)', '2026-11-24']) assert.equal(localTimes(text), text)
})

test('today’s times have no date', () => {
  const now = Date.parse('2027-05-10T16:00:00Z') // the next day in Tokyo
  assert.equal(clock('2027-05-10T15:30:05Z', now, 'Asia/Tokyo'), '00:30:05')
  assert.equal(clock('2027-05-10T14:30:05Z', now, 'Asia/Tokyo'), '10 May 2027, 23:30:05')
  assert.equal(clock('2027-05-10T14:30:05Z', now, 'UTC'), '14:30:05')
})
