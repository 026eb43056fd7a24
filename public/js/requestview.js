// A row of the request log.

import { h } from './dom.js'
import { clock, count, duration, money, time, words } from './format.js'
import { routeTo } from './route.js'
import { state, tableRow } from './widget.js'

export const requestColumns = [['Time'], ['Status'], ['Model'], ['Key'], ['Token'], ['Tokens', 'number'], ['Cost', 'number'], ['Latency', 'number']]

export function requestState(q) {
  const text = q.status === 200 ? words(q.outcome) : `${q.status} ${words(q.outcome)}`
  return state(q.outcome === 'answered' && q.status < 400 ? 'good' : q.outcome === 'caller_left' ? 'off' : 'bad', text)
}

/** Reports whether a request has neither an answer nor usage. */
export const unanswered = q => q.outcome !== 'answered' && !q.inputTokens && !q.outputTokens

export const costOf = q => q.costUsd !== null ? money(q.costUsd) : unanswered(q) ? money(null) : 'unpriced'

/** @param {Map<string, string>} names of keys and tokens by id */
export function requestRow(q, names) {
  const named = id => names.get(id) ?? h('span', { class: 'quiet' }, 'deleted')
  return tableRow(requestColumns, [
    h('a', { href: routeTo('request', { id: q.id }) }, h('time', { datetime: q.createdAt, title: time(q.createdAt) }, clock(q.createdAt))), requestState(q),
    [q.model || h('span', { class: 'quiet' }, 'none'), q.provider && h('p', { class: 'quiet' }, q.provider), q.askedModel && h('p', { class: 'quiet' }, `asked for: ${q.askedModel}`)],
    q.keyId ? named(q.keyId) : h('span', { class: 'quiet' }, 'none'), q.tokenId ? named(q.tokenId) : h('span', { class: 'quiet' }, 'dashboard'),
    unanswered(q) ? count(null) : `${count(q.inputTokens)} + ${count(q.outputTokens)}${q.estimated ? ' est.' : ''}`, costOf(q), duration(q.latencyMs),
  ])
}
