// The request log, newest first.

import { get, withQuery } from '../api.js'
import { h } from '../dom.js'
import { field, form } from '../form.js'
import { longTable } from '../longtable.js'
import { filterQuery } from '../requestfilter.js'
import { requestColumns, requestRow } from '../requestview.js'
import { routeTo } from '../route.js'
import { empty, loaded } from '../widget.js'

export const title = 'Requests'

const pageSize = 50

export function view({ query, signal }) {
  const load = async () => {
    const [{ keys }, { tokens }, { providers }, first] = await Promise.all([
      get('/api/keys', signal), get('/api/tokens', signal), get('/api/keys/catalog', signal), page(query, '', signal)])
    return { keys, tokens, providers, first }
  }
  return loaded(load, ({ keys, tokens, providers, first }) => {
    const names = new Map([...keys, ...tokens].map(o => [o.id, o.name]))
    const filtered = Object.keys(query).length > 0
    return h('div', {}, filters(query, { keys, tokens, providers }),
      first.rows.length ? longTable('Requests', first, { columns: requestColumns, row: q => requestRow(q, names), next: cursor => page(query, cursor, signal), signal })
        : empty(filtered ? 'No request fits these filters.' : 'No request yet.', filtered && h('a', { href: routeTo('requests') }, 'Remove the filters')))
  })
}

async function page(query, cursor, signal) {
  const { requests, nextCursor } = await get(withQuery('/api/requests', { ...filterQuery(query), cursor, limit: pageSize }), signal)
  return { rows: requests, nextCursor }
}

function filters(query, { keys, tokens, providers }) {
  const named = list => [['', 'any'], ...list.map(o => [o.id, o.name])]
  const it = form([h('div', { class: 'filters' },
    field('statusClass', 'Status', { options: [['', 'any'], ['2', '2xx answered'], ['4', '4xx refused'], ['5', '5xx failed']], value: query.statusClass ?? '' }),
    field('provider', 'Provider', { options: named(providers), value: query.provider ?? '' }),
    field('model', 'Model', { value: query.model ?? '' }),
    field('keyId', 'Key', { options: named(keys), value: query.keyId ?? '' }),
    field('tokenId', 'Token', { options: named(tokens), value: query.tokenId ?? '' }),
    field('from', 'From', { type: 'datetime-local', value: query.from ?? '' }),
    field('to', 'To', { type: 'datetime-local', value: query.to ?? '' }))],
  { label: 'Filter', submit: async values => { location.hash = routeTo('requests', { query: values }) } })
  it.querySelector('.buttons').append(
    h('a', { class: 'button', href: withQuery('/api/requests.csv', filterQuery(query)), download: 'requests.csv' }, 'Export as CSV'))
  return it
}
