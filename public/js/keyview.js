// The state of a provider key in words, and its quota as a meter.

import { h, svg } from './dom.js'
import { ago, count, percent, time, words } from './format.js'
import { state } from './widget.js'

const kinds = { ready: 'good', disabled: 'off', blocked: 'off', cooldown: 'wait', spent: 'wait' }

/**
 * @param {object} key as the API shows it
 * @param {string} [zone] of the times, by default that of the browser
 * @returns {string} the state; cooldownLines says what cools down
 */
export function stateWords(key, zone) {
  switch (key.state) {
    case 'ready': return 'Ready'
    case 'disabled': return 'Disabled'
    case 'blocked': return 'Blocked by the admin'
    case 'spent': return spentWords(key, zone)
    case 'cooldown': return cooldownWords(key, zone)
    case 'rejected': return `Rejected by the provider: ${cause(key.cooldownMessage, key.cooldownClass)}`
    case 'undecryptable': return 'Cannot be decrypted: enter the key again, or list the secret that encrypted it'
    case 'unsupported': return 'This version of the gateway cannot call the provider'
  }
  return key.state
}

// The admin's list of all keys has no limits and no reset dates.
function spentWords({ dailyLimit, resetDate }, zone) {
  if (dailyLimit === 0) return 'Not used: its daily limit is 0'
  return resetDate ? `Quota spent until ${time(resetDate, zone)}` : 'Quota spent until midnight UTC'
}

// Without a cooldown of the whole key, only some of its models cool down.
function cooldownWords(key, zone) {
  if (key.cooldownUntil) return `Cooling down until ${time(key.cooldownUntil, zone)}: ${cause(key.cooldownMessage, key.cooldownClass)}`
  const models = key.cooldowns.filter(c => c.model !== null)
  return models.length === 1 ? '1 model is cooling down' : `${models.length} models are cooling down`
}

const cause = (message, kind) => message || words(kind)

/** @returns {boolean} whether the key or models of it are not used because of a failure */
export const coolsDown = key => key.state === 'cooldown' || key.state === 'rejected'

/**
 * @returns {string[]} a line for the cooldown of the whole key, whose message the state has, or else one for each model
 * that cools down
 */
export function cooldownLines(key, zone) {
  if (!coolsDown(key)) return []
  return key.cooldowns.filter(c => (c.model === null) === Boolean(key.cooldownUntil)).map(c => {
    const since = c.since ? `since ${time(c.since, zone)}, ` : ''
    const message = c.model !== null && c.message ? `: ${c.message}` : ''
    return `${c.model ?? 'All models'}: ${words(c.class)}, ${since}until ${time(c.until, zone)}${message}`
  })
}

/** @returns {string[]} a line for each model that the key names and that ends soon, or has ended */
export function endingLines(key, today = new Date().toISOString().slice(0, 10)) {
  return (key.endingModels ?? []).map(({ model, endOfLife, replacement }) =>
    `${model} ${endOfLife > today ? 'ends' : 'ended'} on ${endOfLife}${replacement ? `: use ${replacement}` : ''}`)
}

/** The state of a key, and below it what cools down, and which of its models end. */
export function keyState(key) {
  const lines = [...cooldownLines(key), ...endingLines(key)]
  const mark = state(kinds[key.state] ?? 'bad', stateWords(key))
  return lines.length ? h('div', {}, mark, h('ul', { class: 'plain cooldowns' }, lines.map(line => h('li', {}, line)))) : mark
}

/** The used part of the day's quota. */
export function meter(key) {
  if (key.dailyLimit === null) return h('span', { class: 'quiet' }, `${count(key.usedToday)} today, no limit`)
  if (!key.dailyLimit) return h('span', { class: 'quiet' }, 'none: the limit is 0')
  const text = `${count(key.usedToday)} of ${count(key.dailyLimit)} (${percent(key.usedToday, key.dailyLimit)})`
  return h('span', { class: 'meter', title: `resets ${ago(key.resetDate)}, at midnight UTC` },
    bar(Math.min(key.usedToday, key.dailyLimit), key.dailyLimit, `Quota of ${key.name}`), h('span', {}, text))
}

const barWidth = 96

// Each browser draws <meter> in its own way.
function bar(value, most, label) {
  return svg('svg', { role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': most, 'aria-valuenow': value, width: barWidth, height: 8 },
    svg('rect', { class: 'track', width: barWidth, height: 8 }), svg('rect', { class: 'shade', width: barWidth * value / most, height: 8 }))
}
