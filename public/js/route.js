// Routes are in the fragment, so that every view has a link and the back button works.

/** @param {string} hash @returns {{name: string, id: string, query: Record<string, string>}} */
export function parseRoute(hash) {
  const [path, search = ''] = hash.replace(/^#\/?/, '').split('?')
  const [name, id = ''] = path.split('/')
  let decoded = id
  try {
    decoded = decodeURIComponent(id)
  } catch { /* mistyped: kept as it is */ }
  return { name: name || 'overview', id: decoded, query: Object.fromEntries(new URLSearchParams(search)) }
}

/** Returns the fragment of a route. Parameters without a value are left out. */
export function routeTo(name, { id = '', query = {} } = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== '' && v !== null && v !== undefined))
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ''}${search.size ? `?${search}` : ''}`
}
