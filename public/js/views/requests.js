// The request log, newest first.

import { get, withQuery } from '../api.js'
import { announce, h } from '../dom.js'
import { field, form } from '../form.js'
import { filterQuery } from '../requestfilter.js'
import { requestColumns, requestRow } from '../requestview.js'
import { routeTo } from '../route.js'
import { button, empty, failure, loaded, table } from '../widget.js'

export const title = 'Requests'

const pageSize = 50

export function view({ query, signal }) {
  const load = async () => {
    const [{ keys }, { tokens }, first] = await Promise.all([get('/api/keys', signal), get('/api/tokens', signal), page(query, '', signal)])
    return { keys, tokens, first }
  }
  return loaded(load, ({ keys, tokens, first }) => {
    const names = new Map([...keys, ...tokens].map(o => [o.id, o.name]))
    const filtered = Object.keys(query).length > 0
    return h('div', {}, filters(query, keys, tokens),
      first.requests.length ? list(query, first, names, signal)
        : empty(filtered ? 'No request fits these filters.' : 'No request yet.', filtered && h('a', { href: routeTo('requests') }, 'Remove the filters')))
  })
}

const page = (query, cursor, signal) => get(withQuery('/api/requests', { ...filterQuery(query), cursor, limit: pageSize }), signal)

function filters(query, keys, tokens) {
  const named = list => [['', 'any'], ...list.map(o => [o.id, o.name])]
  const it = form([h('div', { class: 'filters' },
    field('statusClass', 'Status', { options: [['', 'any'], ['2', '2xx answered'], ['4', '4xx refused'], ['5', '5xx failed']], value: query.statusClass ?? '' }),
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

/** A table that goes on when its end comes into view, or when the button at its end is pressed. */
function list(query, first, names, signal) {
  const box = table('Requests', requestColumns, first.requests.map(q => requestRow(q, names)))
  const body = box.querySelector('tbody')
  const end = h('div', { class: 'more' })
  let cursor = first.nextCursor
  let busy = false
  const more = async () => {
    if (busy || !cursor) return
    busy = true
    try {
      const next = await page(query, cursor, signal)
      body.append(...next.requests.map(q => requestRow(q, names)))
      cursor = next.nextCursor
      announce(`${body.rows.length} requests are shown`)
      show()
    } catch (error) {
      if (error.name !== 'AbortError') end.replaceChildren(failure(error, more))
    }
    busy = false
  }
  const show = () => end.replaceChildren(cursor ? button('Show more', more) : h('p', { class: 'quiet' }, 'That is all.'))
  show()
  const watch = new IntersectionObserver(seen => { if (seen.some(s => s.isIntersecting)) more() }, { rootMargin: '200px' })
  watch.observe(end)
  signal.addEventListener('abort', () => watch.disconnect())
  return h('div', {}, box, end)
}
