import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './load.js'

const { cooldownLines, endingLines, stateWords } = await load('keyview')

test('every state of a key in words, with the provider’s own where there are some', () => {
  const at = '2027-05-10T22:30:00Z'
  const none = { cooldownUntil: null, cooldownClass: null, cooldownMessage: null, cooldowns: [] }
  const cooldown = (kind, message) => ({ cooldownUntil: at, cooldownClass: kind, cooldownMessage: message, cooldowns: [{ model: null, class: kind, until: at, since: null, message }] })
  for (const [key, want] of [
    [{ state: 'ready', ...none }, 'Ready'],
    [{ state: 'disabled', ...none }, 'Disabled'],
    [{ state: 'blocked', ...none }, 'Blocked by the admin'],
    [{ state: 'spent', dailyLimit: 5, resetDate: at, ...none }, 'Quota spent until 10 May 2027, 22:30:00'],
    [{ state: 'spent', dailyLimit: 0, resetDate: at, ...none }, 'Not used: its daily limit is 0'],
    [{ state: 'cooldown', ...cooldown('out_of_money', 'Insufficient balance') }, 'Cooling down until 10 May 2027, 22:30:00: Insufficient balance'],
    [{ state: 'cooldown', ...cooldown('out_of_money', '') }, 'Cooling down until 10 May 2027, 22:30:00: out of money'],
    [{ state: 'spent', ...none }, 'Quota spent until midnight UTC'], // the admin's list
    [{ state: 'cooldown', ...none, cooldowns: [{ model: 'gpt-5' }] }, '1 model is cooling down'],
    [{ state: 'cooldown', ...none, cooldowns: [{ model: 'gpt-5' }, { model: 'gpt-5-mini' }] }, '2 models are cooling down'],
    [{ state: 'rejected', ...cooldown('bad_key', 'Incorrect API key') }, 'Rejected by the provider: Incorrect API key'],
    [{ state: 'undecryptable', ...none }, 'Cannot be decrypted: enter the key again, or list the secret that encrypted it'],
    [{ state: 'unsupported', ...none }, 'This version of the gateway cannot call the provider'],
  ]) assert.equal(stateWords(key, 'UTC'), want)
})

test('a line for each model that cools down, or one for the whole key', () => {
  const since = '2027-05-10T22:25:00Z'
  const until = '2027-05-10T22:30:00Z'
  const cooldowns = [
    { model: 'gpt-5', class: 'rate_limited', since, until, message: 'Rate limit reached for gpt-5' },
    { model: 'gpt-5-mini', class: 'overloaded', since: null, until, message: '' },
  ]
  assert.deepEqual(cooldownLines({ state: 'cooldown', cooldownUntil: null, cooldowns }, 'UTC'), [
    'gpt-5: rate limited, since 10 May 2027, 22:25:00, until 10 May 2027, 22:30:00: Rate limit reached for gpt-5',
    'gpt-5-mini: overloaded, until 10 May 2027, 22:30:00',
  ])
  for (const state of ['cooldown', 'rejected']) {
    assert.deepEqual(cooldownLines({ state, cooldownUntil: until, cooldowns: [{ ...cooldowns[0], model: null }, ...cooldowns] }, 'UTC'),
      ['All models: rate limited, since 10 May 2027, 22:25:00, until 10 May 2027, 22:30:00'])
  }
  for (const state of ['ready', 'disabled', 'blocked', 'spent']) assert.deepEqual(cooldownLines({ state, cooldownUntil: null, cooldowns }), [])
})

test('models that end', () => {
  const key = { endingModels: [{ model: 'a', endOfLife: '2026-12-31', replacement: 'b' }, { model: 'c', endOfLife: '2026-12-01', replacement: null }] }
  assert.deepEqual(endingLines(key, '2026-12-01'), ['a ends on 2026-12-31: use b', 'c ended on 2026-12-01'])
  assert.deepEqual(endingLines({}, '2026-12-01'), [])
})
