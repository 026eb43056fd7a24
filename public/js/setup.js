// The link that the gateway prints carries the set-up token in its fragment, which browsers send to no server.

const prefix = '#setup='

/** Returns the set-up token of the address, or '', and removes it from the address and so from the history. */
export function takeSetupToken() {
  const { hash, pathname, search } = location
  if (!hash.startsWith(prefix)) return ''
  history.replaceState(history.state, '', pathname + search)
  const text = hash.slice(prefix.length)
  try {
    return decodeURIComponent(text)
  } catch {
    return text // typed by hand, with an unescaped %
  }
}
