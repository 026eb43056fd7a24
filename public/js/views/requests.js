// The request log, newest first.

import { ApiError, get, withQuery } from '../api.js'
import { h } from '../dom.js'
import { field, form } from '../form.js'
import { longTable } from '../longtable.js'
import { filterIssues, filterQuery, isFiltered, statusQuery, statusText } from '../requestfilter.js'
import { requestColumns, requestRow } from '../requestview.js'
import { routeTo } from '../route.js'
import { button, empty, loaded } from '../widget.js'

export const title = 'Requests'

const pageSize = 50
const maxModels = 300 // in the list of the filter

export function view({ query, signal, kept }) {
  const load = async () => {
    // After "back" from a request the loaded pages are shown again.
    kept.requests ??= await Promise.all([get('/api/keys', signal), get('/api/tokens', signal), get('/api/keys/catalog', signal), page(query, '', signal)])
    return kept.requests
  }
  return loaded(load, ([{ keys }, { tokens }, { providers }, first], again) => {
    const names = new Map([...keys, ...tokens].map(o => [o.id, o.name]))
    const filtered = isFiltered(query)
    const refresh = () => {
      delete kept.requests
      again()
    }
    return h('div', {}, filters(query, { keys, tokens, providers, refresh, signal }),
      first.rows.length ? longTable('Requests', first, { columns: requestColumns, row: q => requestRow(q, names), next: cursor => page(query, cursor, signal), signal })
        : empty(filtered ? 'No request fits these filters.' : 'No request yet.'))
  })
}

async function page(query, cursor, signal) {
  const { requests, nextCursor } = await get(withQuery('/api/requests', { ...filterQuery(query), cursor, limit: pageSize }), signal)
  return { rows: requests, nextCursor }
}

function filters(query, { keys, tokens, providers, refresh, signal }) {
  const named = list => [['', 'any'], ...list.map(o => [o.id, o.name])]
  const models = [...new Set(providers.filter(p => keys.some(k => k.provider === p.id)).flatMap(p => p.models.map(m => m.id)))].slice(0, maxModels)
  const it = form([h('div', { class: 'filters' },
    field('status', 'Status', { value: statusText(query), list: ['2xx', '4xx', '5xx', '400', '429', '502', '503'], hint: 'A code, or a class such as 5xx.', maxlength: 3 }),
    field('provider', 'Provider', { options: named(providers), value: query.provider ?? '' }),
    field('model', 'Model', { value: query.model ?? '', list: models, spellcheck: 'false', hint: 'gpt-5.4*: all that begin with gpt-5.4.' }),
    field('keyId', 'Key', { options: named(keys), value: query.keyId ?? '' }),
    field('tokenId', 'Token', { options: named(tokens), value: query.tokenId ?? '' }),
    field('from', 'From', { type: 'datetime-local', value: query.from ?? '' }),
    field('to', 'To', { type: 'datetime-local', value: query.to ?? '' }))],
  { label: 'Filter', submit: async ({ status, ...values }) => {
    const issues = filterIssues(values)
    if (issues.length) throw new ApiError(400, { error: { message: '', details: { issues } } })
    const wanted = { ...values, ...statusQuery(status) }
    await get(withQuery('/api/requests', { ...filterQuery(wanted), limit: 1 }), signal) // an error is shown at its field
    const hash = routeTo('requests', { query: wanted })
    if (hash === location.hash) refresh()
    else location.hash = hash
  } })
  it.querySelector('.buttons').append(...[
    isFiltered(query) && h('a', { class: 'button', href: routeTo('requests') }, 'Remove the filters'),
    button('Refresh', refresh), exporter(query, signal)].filter(Boolean))
  return it
}

/** Checks the filters first: a download that fails would save the error as a file. */
function exporter(query, signal) {
  const problem = h('span', { class: 'error', role: 'alert' })
  const file = h('a', { href: withQuery('/api/requests.csv', filterQuery(query)), download: 'requests.csv' })
  return h('span', { class: 'buttons' }, button('Export as CSV', async () => {
    problem.textContent = ''
    try {
      await get(withQuery('/api/requests', { ...filterQuery(query), limit: 1 }), signal)
      file.click()
    } catch (error) {
      if (!signal.aborted) problem.textContent = error.message
    }
  }), problem)
}
