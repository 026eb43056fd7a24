// Who spends what: usage by token, key, model, provider, end user, tag or user, with the period before.

import { get, withQuery } from '../api.js'
import { h } from '../dom.js'
import { count, exactMoney, money, percent } from '../format.js'
import { field, form } from '../form.js'
import { parseRoute, routeTo } from '../route.js'
import { total } from '../series.js'
import { asQuery, before, changeOf, columns as sortable, csv, forecast, ranges, rows, sorted, times } from '../usagetable.js'
import { button, choice, empty, loaded, table, tableRow } from '../widget.js'

export const title = 'Usage'

const groups = [['token', 'Token'], ['key', 'Key'], ['model', 'Model'], ['provider', 'Provider'], ['endUser', 'End user'], ['tag', 'Tag']]
const ofAll = [['user', 'User'], ['model', 'Model'], ['provider', 'Provider'], ['endUser', 'End user'], ['tag', 'Tag']]
const scopes = [['', 'Mine'], ['all', 'Everybody’s']]

const heads = [['Name', '', 'name'], ['Requests', 'number', 'requests'], ['Errors', 'number', 'errors'], ['Input tokens', 'number', 'inputTokens'], ['Output tokens', 'number', 'outputTokens'],
  ['Cost', 'number', 'costUsd'], ['Share', '', ''], ['Change', 'number', 'change']]

export function view({ query, user, signal }) {
  const everybody = user.role === 'admin' && query.scope === 'all'
  const options = everybody ? ofAll : groups
  const by = oneOf(options, query.by)
  const range = oneOf(ranges, query.range, 'week')
  const go = change => { location.hash = routeTo('usage', { query: { ...parseRoute(location.hash).query, ...change } }) }
  const span = times(range, query)
  const scope = everybody ? 'all' : ''
  const load = async () => {
    if (!span) return null
    const usageOf = time => get(withQuery('/api/usage', { ...asQuery(time), by, scope }), signal)
    const now = Date.now()
    const [usage, earlier, days, names] = await Promise.all([usageOf(span), usageOf(before(span)),
      range === 'mtd' ? get(withQuery('/api/usage', { from: new Date(now - 38 * 86_400_000).toISOString(), by: 'day', scope }), signal) : null, namesFor(by, signal)])
    return { usage: rows(usage.usage, earlier.usage, row => nameOf(row, by, names)), sum: total(usage.usage), past: total(earlier.usage), ahead: days && forecast(days.usage, now) }
  }
  return h('div', {},
    h('div', { class: 'bar' }, choice('Time', ranges, range, value => go({ range: value })),
      user.role === 'admin' && choice('Whose', scopes, scope, value => go({ scope: value, by: '' })),
      choice('By', options, by, value => go({ by: value }))),
    range === 'own' && ownRange(query, go),
    loaded(load, data => data ? report(data, { by, range, span, query, go, everybody }) : empty('Choose the first and the last day.')))
}

/** Returns the option that the address names, or the first. */
const oneOf = (options, value, otherwise = options[0][0]) => (options.find(([v]) => v === value) ?? [otherwise])[0]

function ownRange({ from = '', to = '' }, go) {
  return form([h('div', { class: 'pair' }, field('from', 'First day', { type: 'date', value: from, required: true }), field('to', 'Last day', { type: 'date', value: to, required: true }))],
    { label: 'Show', submit: async values => go(values) })
}

async function namesFor(by, signal) {
  const path = { token: '/api/tokens', key: '/api/keys', endUser: '/api/tokens', user: '/api/users' }[by]
  if (!path) return new Map()
  const all = await get(path, signal).catch(() => ({}))
  return new Map((all.tokens ?? all.keys ?? all.users ?? []).map(o => [o.id, o.name || o.email]))
}

function nameOf({ bucket, tokenId }, by, names) {
  if (by === 'endUser' && tokenId) return `${bucket} (${names.get(tokenId) ?? tokenId.slice(0, 8)})`
  if (bucket === null) return { token: 'Dashboard', key: 'No key', provider: 'No provider' }[by] ?? 'None'
  if (by === 'token' || by === 'key' || by === 'user') return names.get(bucket) ?? `Deleted (${bucket.slice(0, 8)})`
  return bucket
}

const filters = { token: 'tokenId', key: 'keyId', model: 'model', provider: 'provider' }

/** The requests behind a row. */
function link(row, { by, span, everybody }) {
  const filter = filters[by]
  if (!filter || everybody || row.bucket === null) return row.name
  const local = ms => { const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000); return d.toISOString().slice(0, 16) }
  return h('a', { href: routeTo('requests', { query: { [filter]: row.bucket, from: local(span.from), to: local(span.to) } }) }, row.name)
}

const changed = change => change === null ? 'new' : `${change > 0 ? '+' : change < 0 ? '−' : '±'}${Math.abs(change) < 10 ? Math.round(Math.abs(change) * 100) : count(Math.round(Math.abs(change) * 100))} %`

function report({ usage, sum, past, ahead }, state) {
  const { by, range, query, go } = state
  const sort = Object.hasOwn(sortable, query.sort ?? '') ? query.sort : 'costUsd'
  const turned = query.turned === '1'
  const listed = sorted(usage, sort, turned)
  const labels = heads.map(([label, kind]) => [label, kind])
  const cells = (row, first, change) => [first, count(row.requests), row.errors ? `${count(row.errors)} (${percent(row.errors, row.requests)})` : '0', count(row.inputTokens), count(row.outputTokens),
    h('span', { title: exactMoney(row.costUsd) }, money(row.costUsd), row.unpriced ? ` + ${count(row.unpriced)} unpriced` : ''),
    h('span', { class: 'share' }, h('meter', { min: 0, max: 1, value: row.share ?? 1, 'aria-label': 'Share' }), ` ${percent(row.share ?? 1, 1)}`), changed(change)]
  const sorts = heads.map(([label, kind, name]) => [name ? button(label, () => go({ sort: name, turned: sort === name && !turned ? '1' : '' }), { kind: 'quiet sort' }) : label, kind])
  const all = sum.requests ? table('Usage', sorts, [...listed.map(row => tableRow(labels, cells(row, link(row, state), row.change))),
    tableRow(labels, cells({ ...sum, share: 1 }, h('strong', {}, 'All'), changeOf(sum, past)))], { kind: 'ranked' }) : empty('No requests in this time.')
  all.querySelectorAll('th[scope=col]').forEach((head, i) => {
    if (heads[i][2] === sort) head.setAttribute('aria-sort', (sort === 'name') === turned ? 'descending' : 'ascending')
  })
  return h('div', {},
    h('p', { class: 'lead' }, `Hours are counted whole. ${by === 'endUser' || by === 'tag' ? 'End users and tags are counted in whole UTC days.' : 'Days begin at your midnight.'} The change is against the period of the same length before${range === 'today' || range === 'mtd' ? ', up to now' : ''}.`),
    ahead !== null && ahead !== undefined && h('p', { class: 'notice' }, 'At the pace of the last 7 days this month will cost about ', h('strong', {}, money(ahead)), '.'),
    sum.requests ? h('div', { class: 'bar' }, button('Download as CSV', () => download(`usage-by-${by}.csv`, csv(
      [by, 'requests', 'errors', 'inputTokens', 'cachedTokens', 'outputTokens', 'reasoningTokens', 'costUsd', 'unpriced'],
      listed.map(r => [r.name, r.requests, r.errors, r.inputTokens, r.cachedTokens, r.outputTokens, r.reasoningTokens, r.costUsd, r.unpriced]))))) : null,
    all)
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  h('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
