// Asynchronous requests, newest first.

import { get, withQuery } from '../api.js'
import { h } from '../dom.js'
import { count, duration } from '../format.js'
import { cancelJob, isOpen, jobState } from '../jobview.js'
import { longTable } from '../longtable.js'
import { routeTo } from '../route.js'
import { button, choice, codeBlock, empty, loaded, moment, section, tableRow } from '../widget.js'

export const title = 'Jobs'

const pageSize = 50
const columns = [['Request'], ['State'], ['Sent'], ['Took', 'number'], ['Attempts', 'number'], ['Token'], ['Actions']]
const scopes = [['own', 'Yours'], ['all', 'Everybody’s']]
const counted = [['waiting', 'Waiting'], ['active', 'Running'], ['delayed', 'Delayed'], ['completed', 'Answered'], ['failed', 'Failed']]

export function view({ query, user, signal, kept }) {
  const scope = user.role === 'admin' && query.scope === 'all' ? 'all' : 'own'
  const load = async () => {
    const [stats, first, { tokens }] = await Promise.all([
      get(withQuery('/api/queue/stats', { scope: scope === 'all' ? scope : '' }), signal), pages(kept.jobs?.rows.length || 1, signal), get('/api/tokens', signal)])
    kept.jobs = first
    return { stats, first, names: new Map(tokens.map(t => [t.id, t.name])) }
  }
  return h('div', {},
    h('p', { class: 'lead' }, 'Requests that were sent with ', h('code', {}, '"async": true'), ' and are answered later. A worker or a poll runs them: ',
      h('strong', {}, 'without a worker or a poll nothing runs'), ' until the daily scheduled call, where there is one. This list does not poll.'),
    loaded(load, ({ stats, first, names }, again) => h('div', {},
      h('div', { class: 'bar' }, button('Refresh', again),
        user.role === 'admin' && [h('span', { class: 'quiet', 'aria-hidden': 'true' }, 'Counts of'), choice('Counts of', scopes, scope, value => { location.hash = routeTo('jobs', { query: { scope: value === 'all' ? value : '' } }) })]),
      h('dl', { class: 'figures counts', 'data-counts': scope }, counted.map(([name, label]) => h('div', {}, h('dt', {}, label), h('dd', { class: 'value' }, count(stats[name]))))),
      list(first, names, again, signal))))
}

/** Loads pages until there are at least so many rows: those that the user saw before. */
async function pages(least, signal) {
  const all = { rows: [], nextCursor: '' }
  while (all.nextCursor !== null && all.rows.length < least) {
    const { rows, nextCursor } = await page(all.nextCursor, signal)
    all.rows.push(...rows)
    all.nextCursor = nextCursor
  }
  return all
}

async function page(cursor, signal) {
  const { jobs, nextCursor } = await get(withQuery('/api/queue/jobs', { cursor, limit: pageSize }), signal)
  return { rows: jobs, nextCursor }
}

function list(first, names, again, signal) {
  const row = job => jobRow(job, names, again)
  const content = first.rows.length ? longTable('Jobs', first, { columns, row, next: cursor => page(cursor, signal), signal })
    : empty('No asynchronous request yet. This sends one:', codeBlock(example(location.origin), 'An asynchronous request'))
  return section('Your requests', content)
}

const example = base => `curl -sS ${base}/api/chat \\
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  -d '{"async":true,"messages":[{"role":"user","content":"Hello!"}]}'`

function jobRow(job, names, again) {
  const id = job.requestId
  return tableRow(columns, [
    h('a', { class: 'id', href: routeTo('job', { id }) }, id), jobState(job.status), moment(job.createdAt),
    duration(job.endedAt && Date.parse(job.endedAt) - Date.parse(job.createdAt)), count(job.attempts),
    job.tokenId ? names.get(job.tokenId) ?? h('span', { class: 'quiet' }, 'deleted') : h('span', { class: 'quiet' }, 'dashboard'),
    h('div', { class: 'buttons' }, isOpen(job.status) ? button('Cancel', () => cancelJob(id, again), { kind: 'danger', 'aria-label': `Cancel ${id}` })
      : job.status === 'expired' || job.status === 'cancelled' ? h('span', { class: 'quiet' }, 'none')
        : h('a', { href: routeTo('job', { id }), 'aria-label': `Result of ${id}` }, 'Result')),
  ])
}
