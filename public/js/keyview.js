// A key's health in words, and its quota as a meter.

import { h, svg } from './dom.js'
import { ago, count, percent, time } from './format.js'
import { state } from './widget.js'

const kinds = { ready: 'good', disabled: 'off', blocked: 'off', cooldown: 'wait', spent: 'wait' }

/** @param {object} key as the API shows it @returns what people want to know of its state, with times in the reader's zone */
export function stateWords(key, zone) {
  switch (key.state) {
    case 'ready': return 'Ready'
    case 'disabled': return 'Disabled'
    case 'blocked': return 'Disabled by the admin'
    case 'spent': return key.dailyLimit === 0 ? 'Not used: its daily limit is 0' : `Quota spent until ${time(key.resetDate, zone)}`
    case 'cooldown': return cooldownWords(key, zone)
    case 'rejected': return `Rejected by the provider: ${cause(key.cooldownMessage, key.cooldownClass)}`
    case 'undecryptable': return 'Cannot be decrypted: enter the key again, or list the secret that encrypted it'
    case 'unsupported': return 'This version of the gateway cannot call the provider'
  }
  return key.state
}

// Without a cooldown of the whole key, only some of its models cool down.
function cooldownWords(key, zone) {
  if (key.cooldownUntil) return `Cooling down until ${time(key.cooldownUntil, zone)}: ${cause(key.cooldownMessage, key.cooldownClass)}`
  return key.cooldowns.map(c => `${c.model} is cooling down until ${time(c.until, zone)}: ${cause(c.message, c.class)}`).join('; ')
}

const cause = (message, kind) => message || (kind ?? '').replaceAll('_', ' ')

export function keyState(key) {
  return state(kinds[key.state] ?? 'bad', stateWords(key))
}

/** How much of the day's quota is used. */
export function meter(key) {
  if (key.dailyLimit === null) return h('span', { class: 'quiet' }, `${count(key.usedToday)} today, no limit`)
  if (!key.dailyLimit) return h('span', { class: 'quiet' }, 'none: the limit is 0')
  const text = `${count(key.usedToday)} of ${count(key.dailyLimit)} (${percent(key.usedToday, key.dailyLimit)})`
  return h('span', { class: 'meter', title: `begins anew ${ago(key.resetDate)}, at midnight UTC` },
    bar(Math.min(key.usedToday, key.dailyLimit), key.dailyLimit, `Quota of ${key.name}`), h('span', {}, text))
}

const barWidth = 96

// Browsers draw <meter> each in their own way.
function bar(value, most, label) {
  return svg('svg', { role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': most, 'aria-valuenow': value, width: barWidth, height: 8 },
    svg('rect', { class: 'track', width: barWidth, height: 8 }), svg('rect', { class: 'shade', width: barWidth * value / most, height: 8 }))
}
