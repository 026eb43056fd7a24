// Requests, errors, tokens, cost and latency over time, and the keys that need attention.

import { get, withQuery } from '../api.js'
import { lines, stackedBars } from '../chart.js'
import { h } from '../dom.js'
import { count, duration, exactCount, exactMoney, money, moneyMarks, percent } from '../format.js'
import { keyState, meter } from '../keyview.js'
import { parseRoute, routeTo } from '../route.js'
import { buckets, span, stack, total } from '../series.js'
import { choice, empty, loaded, section, table } from '../widget.js'
import { checklist } from '../checklist.js'

export const title = 'Overview'

const ranges = [['today', 'Today (UTC)'], ['week', '7 days'], ['month', '30 days']]
const shown = [['requests', 'Requests'], ['tokens', 'Tokens'], ['cost', 'Cost'], ['errors', 'Errors']]
const splits = [['provider', 'by provider'], ['model', 'by model'], ['key', 'by key'], ['token', 'by token']]

export function view({ query, signal }) {
  const range = oneOf(ranges, query.range)
  const measure = oneOf(shown, query.show)
  const split = oneOf(splits, query.split)
  // The address may already be ahead of what is shown.
  const go = change => { location.hash = routeTo('overview', { query: { range, show: measure, split, ...parseRoute(location.hash).query, ...change } }) }
  const times = span(range)
  const load = async () => {
    const [usage, { keys }, { tokens }] = await Promise.all([
      get(withQuery('/api/usage', { ...times, split }), signal), get('/api/keys', signal), get('/api/tokens', signal)])
    return { usage, keys, tokens }
  }
  return loaded(load, ({ usage, keys, tokens }) => h('div', {},
    checklist(keys, tokens),
    attention(keys),
    h('div', { class: 'bar' }, choice('Time', ranges, range, value => go({ range: value }))),
    figures(usage),
    section('Over time', usage.usage.length ? overTime(usage, times, measure, split, names(keys, tokens)) : empty('No requests in this time.'),
      { controls: h('div', { class: 'bar' }, choice('Measure', shown, measure, value => go({ show: value })), choice('Split', splits, split, value => go({ split: value }))) }),
    quotas(keys)))
}

/** Returns the option that the address names, or the first. */
const oneOf = (options, value) => (options.find(([v]) => v === value) ?? options[0])[0]

// The units of charts.
const counts = { show: exactCount, marks: all => all.map(count), whole: true }
const dollars = { show: exactMoney, marks: moneyMarks, whole: false }

/** Returns a function that names a part: keys and tokens by their names. */
function names(keys, tokens) {
  const known = new Map([...keys, ...tokens].map(o => [o.id, o.name]))
  return (part, split) => {
    if (part === null) return split === 'token' ? 'Dashboard' : split === 'model' ? 'No model' : 'No key'
    if (split === 'key' || split === 'token') return known.get(part) ?? `Deleted (${part.slice(0, 8)})`
    return part
  }
}

function figures({ usage, latency, timeToFirstByte }) {
  const sum = total(usage)
  return h('dl', { class: 'figures' },
    figure('Requests', count(sum.requests)),
    figure('Errors', count(sum.errors), percent(sum.errors, sum.requests)),
    figure('Tokens', count(sum.inputTokens + sum.outputTokens), `${count(sum.inputTokens)} in, ${count(sum.outputTokens)} out`),
    figure('Cost', money(sum.costUsd), sum.unpriced ? `+ ${count(sum.unpriced)} unpriced` : 'all priced'),
    figure('Latency, median', latency.count ? duration(latency.p50) : '–', latency.count ? `p95 ${duration(latency.p95)} · p99 ${duration(latency.p99)}` : ''),
    figure('First byte, median', timeToFirstByte.count ? duration(timeToFirstByte.p50) : '–',
      timeToFirstByte.count ? `p95 ${duration(timeToFirstByte.p95)} · p99 ${duration(timeToFirstByte.p99)}` : ''))
}

function figure(name, value, note = '') {
  return h('div', {}, h('dt', {}, name), h('dd', {}, h('span', { class: 'value' }, value), h('span', { class: 'note' }, note)))
}

function overTime({ usage, parts = [] }, times, measure, split, nameOf) {
  const columns = buckets(times)
  const label = `${shown.find(([v]) => v === measure)[1]} ${splits.find(([v]) => v === split)[1]}`
  const series = stack(parts, columns, measure).map(s => ({ ...s, label: s.other ? 'Other' : nameOf(s.part, split) }))
  const at = new Map(usage.map(row => [row.bucket, row]))
  const line = (name, value) => ({ label: name, values: columns.map(c => at.has(c) ? value(at.get(c)) : 0) })
  return h('div', { class: 'charts' },
    h('div', {}, h('h3', {}, label), series.length ? stackedBars(label, columns, series, measure === 'cost' ? dollars : counts) : empty('Nothing to show.')),
    h('div', {}, h('h3', {}, 'Tokens in and out'),
      lines('Tokens in and out', columns, [line('Input', row => row.inputTokens), line('Output', row => row.outputTokens)], counts)))
}

/** Lists the enabled keys that cannot serve all requests. */
function attention(keys) {
  const stuck = keys.filter(k => !['ready', 'disabled'].includes(k.state))
  if (!stuck.length) return null
  return section('Needs attention', h('ul', { class: 'plain needs' }, stuck.map(k => h('li', {},
    h('a', { href: routeTo('keys') }, k.name), keyState(k)))))
}

function quotas(keys) {
  const limited = keys.filter(k => k.dailyLimit !== null)
  if (!limited.length) return null
  return section('Quota today (UTC)', table('Quota of each key today, UTC',
    [['Key'], ['Used'], ['Left', 'number'], ['Limit', 'number']],
    limited.map(k => [k.name, meter(k), count(k.remainingQuota), count(k.dailyLimit)])))
}
