// Keeps the state of the pages of the browser's history, so that "back" restores it. In memory only.

const most = 50
const entries = new Map()
let serial = 0

/**
 * Returns the entry of the history that is shown now, and whether it was shown before.
 * @returns {{entry: {kept: object, scroll: number, restore: Function?}, back: boolean}} kept: whatever the view wants to find again
 */
export function arrive() {
  const id = history.state?.entry
  if (entries.has(id)) return { entry: entries.get(id), back: true }
  const fresh = { kept: {}, scroll: 0, restore: null }
  const name = `${Date.now()}-${++serial}` // a reload restarts the serial number but keeps the history
  entries.set(name, fresh)
  if (entries.size > most) entries.delete(entries.keys().next().value)
  history.replaceState({ entry: name }, '')
  return { entry: fresh, back: false }
}

/** Forgets all pages, because another user logs in. */
export function forget() {
  entries.clear()
}
