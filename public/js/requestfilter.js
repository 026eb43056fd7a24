// The filters of the request log: in the address as the reader typed them, to the API in UTC.

const names = ['statusClass', 'provider', 'model', 'keyId', 'tokenId']

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
