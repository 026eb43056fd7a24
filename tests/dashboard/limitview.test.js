import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { amountOf, limitBody, limitChange, resetOf, ruleOf, subjectOf, termsOf } = await load('limitview')

test('a limit in words', () => {
  for (const [limit, want] of [
    [{ metric: 'requests', window: 'day', amount: 1000 }, '1,000 requests a day'], [{ metric: 'tokens', window: 'total', amount: 5 }, '5 tokens in total'],
    [{ metric: 'cost', window: 'month', amount: 0.000000001 }, '$0.000000001 a month'], [{ metric: 'cost', window: 'total' }, 'cost in total'],
  ]) assert.equal(ruleOf(limit), want)
  assert.equal(amountOf({ metric: 'cost' }, 12.3456), '$12.3456')
  assert.equal(amountOf({ metric: 'tokens' }, undefined), '–')
  assert.equal(termsOf({ models: ['a', 'b*'], strict: true, onReached: { model: 'm' } }), 'only a, b*; strict; then m serves')
  assert.equal(termsOf({ models: [], strict: false }), '')
})

test('whom it is about', () => {
  const names = { 1: 'shop', 2: 'ann@example.com' }
  for (const [subject, want] of [
    [{ type: 'token', id: '1' }, 'Token shop'], [{ type: 'key', id: '9' }, 'Key deleted'], [{ type: 'user', id: '2' }, 'User ann@example.com'],
    [{ type: 'endUser', token: '1' }, 'Each end user of shop'], [{ type: 'endUser', token: '1', id: 'bob' }, 'End user bob of shop'],
    [{ type: 'gateway' }, 'The whole gateway'], [{ type: 'user' }, 'User'],
  ]) assert.equal(subjectOf({ subject }, names), want)
})

test('when it starts again', () => {
  const now = Date.parse('2027-05-10T12:00:00Z')
  assert.equal(resetOf({ resetsAt: '2027-05-11T00:00:00.000Z' }, now, 'UTC').text, 'in 12 h')
  assert.equal(resetOf({ resetsAt: null }, now).text, 'never')
})

test('what is sent', () => {
  const values = { subject: 'endUser:7', endUser: 'bob', metric: 'cost', window: 'day', amount: '1.5', models: 'a, b*', strict: true, onReached: '' }
  assert.deepEqual(limitBody(values), { subject: { type: 'endUser', token: '7', id: 'bob' }, metric: 'cost', window: 'day', amount: 1.5, models: ['a', 'b*'], strict: true, onReached: null })
  assert.deepEqual(limitBody({ ...values, subject: 'endUser:7', endUser: '' }).subject, { type: 'endUser', token: '7' })
  assert.deepEqual(limitBody({ ...values, subject: 'key:3', endUser: 'left over' }).subject, { type: 'key', id: '3' })
  assert.deepEqual(limitBody({ ...values, subject: 'gateway' }).subject, { type: 'gateway' })
  assert.equal(limitChange({ ...values, amount: 'much' }).amount, 'much') // the gateway says what is expected
  assert.deepEqual(limitChange({ ...values, onReached: 'm' }).onReached, { model: 'm' })
})
