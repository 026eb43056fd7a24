// The filters of the request log: in the address as the reader typed them, to the API in UTC.

const names = ['statusClass', 'status', 'provider', 'model', 'keyId', 'tokenId']

/** @param {Record<string, string>} query @returns {Record<string, string>} for the API */
export function filterQuery(query) {
  const out = {}
  for (const name of names) if (query[name]) out[name] = query[name]
  for (const name of ['from', 'to']) {
    const at = query[name] ? new Date(query[name]) : null
    if (at && !Number.isNaN(at.getTime())) out[name] = at.toISOString()
  }
  return out
}

/** Whether anything is left out of the log. */
export const isFiltered = query => Object.keys(filterQuery(query)).length > 0

/** What the one field "Status" means: 5xx is a class, 429 is a status. Anything else goes as it is: the gateway says what it wants. */
export function statusQuery(text) {
  const group = /^([2-5])xx$/i.exec(text)
  return group ? { statusClass: group[1] } : { status: text }
}

/** The field "Status" again, from the address. */
export const statusText = query => query.status ?? (query.statusClass ? `${query.statusClass}xx` : '')

/** @returns {{path: string, message: string}[]} what cannot be, before the gateway is asked */
export function filterIssues({ from, to }) {
  return from && to && from >= to ? [{ path: 'to', message: 'must be after “From”' }] : []
}
