// What a page of the history held when it was left, so that "back" finds it again. Kept in memory only.

const most = 50
const entries = new Map()
let serial = 0

/**
 * The entry of the history that is shown now.
 * @returns {{entry: {kept: object, scroll: number, restore: Function?}, back: boolean}} kept is for the view to fill; back: it was shown before
 */
export function arrive() {
  const id = history.state?.entry
  if (entries.has(id)) return { entry: entries.get(id), back: true }
  const fresh = { kept: {}, scroll: 0, restore: null }
  const name = `${Date.now()}-${++serial}` // a reload begins to count anew, and the history goes on
  entries.set(name, fresh)
  if (entries.size > most) entries.delete(entries.keys().next().value)
  history.replaceState({ entry: name }, '')
  return { entry: fresh, back: false }
}

/** Nobody else's pages: for when somebody else logs in. */
export function forget() {
  entries.clear()
}
