// The filters of the request log: in the address as the user typed them, in the API in UTC.

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

/** Reports whether a filter is set. */
export const isFiltered = query => Object.keys(filterQuery(query)).length > 0

/** Parses the field "Status": 5xx is a class, 429 is a status. Other texts are sent as they are: the gateway's error says what is expected. */
export function statusQuery(text) {
  const group = /^([2-5])xx$/i.exec(text)
  return group ? { statusClass: group[1] } : { status: text }
}

/** Returns the value of the field "Status" for an address. */
export const statusText = query => query.status ?? (query.statusClass ? `${query.statusClass}xx` : '')

/** @returns {{path: string, message: string}[]} errors that are found without the gateway */
export function filterIssues({ from, to }) {
  return from && to && from >= to ? [{ path: 'to', message: 'must be after “From”' }] : []
}
