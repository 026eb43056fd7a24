// Keeps the focus, open details and scroll positions of the user while nodes are replaced.

const focusable = 'a[href], button, input, select, textarea, summary, [tabindex]'

/** Returns the name by which an element is found among the new nodes: data-key if its label changes with its state. */
function keyOf(element) {
  const set = element.closest('fieldset')?.querySelector('legend')?.textContent ?? ''
  const own = element.dataset.key ?? element.getAttribute('aria-label') ?? (element.type === 'radio' ? element.value : element.name || element.textContent.trim())
  return [element.localName, set, own].join('|')
}

const alike = (box, selector, key) => [...box.querySelectorAll(selector)].filter(e => keyOf(e) === key)

function nameIn(box, selector, element) {
  const key = keyOf(element)
  return { key, nth: alike(box, selector, key).indexOf(element) }
}

function find(box, selector, { key, nth }) {
  const all = alike(box, selector, key)
  return all[nth] ?? all.at(-1)
}

/** Returns the names of the focused element and its focusable ancestors: if a button is gone, the focus goes to its table. */
function focused(box) {
  const names = []
  for (let e = document.activeElement; e && e !== box && box.contains(e); e = e.parentElement.closest('[tabindex]')) names.push(nameIn(box, focusable, e))
  return names
}

/** @returns {(box: Element) => boolean} restores all of it in a box; reports whether something had the focus */
export function remember(box) {
  const names = focused(box)
  const open = [...box.querySelectorAll('details[open] > summary')].map(e => nameIn(box, 'summary', e))
  const scrolled = [...box.querySelectorAll('.scroll')].filter(e => e.scrollLeft || e.scrollTop).map(e => ({ ...nameIn(box, '.scroll', e), left: e.scrollLeft, top: e.scrollTop }))
  return now => {
    for (const name of open) find(now, 'summary', name)?.parentElement.setAttribute('open', '')
    for (const name of scrolled) find(now, '.scroll', name)?.scrollTo(name.left, name.top)
    for (const name of names) {
      const it = find(now, focusable, name)
      const able = it?.disabled ? it.parentElement.querySelector('button:enabled') : it // at the end of a list: the other direction
      if (!able) continue
      able.focus({ preventScroll: true })
      return true
    }
    if (names.length) document.getElementById('main')?.focus({ preventScroll: true })
    return names.length > 0
  }
}

/** Replaces the content of a box and keeps focus and scroll positions. */
export function swap(box, ...nodes) {
  const restore = remember(box)
  const y = scrollY
  box.replaceChildren(...nodes)
  restore(box)
  if (scrollY !== y) scrollTo(0, y)
}
