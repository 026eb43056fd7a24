// Small parts that several views use.

import { announce, h, newId } from './dom.js'
import { ago, localTimes, time } from './format.js'
import { swap } from './place.js'

/** A button. kind: primary, quiet, danger, or nothing. */
export function button(label, onclick, { kind = '', ...more } = {}) {
  return h('button', { type: 'button', class: kind, onclick, ...more }, label)
}

/** A button that copies a text to the clipboard. */
export function copyButton(text, label = 'Copy') {
  const it = button(label, async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? await text() : text)
      it.textContent = 'Copied'
      announce('Copied to the clipboard')
    } catch {
      it.textContent = 'Select and copy by hand'
    }
    setTimeout(() => { it.textContent = label }, 2000)
  })
  return it
}

/** Code with a copy button. */
export function codeBlock(code, label) {
  return h('div', { class: 'code' }, h('pre', { tabindex: 0, role: 'group', 'aria-label': label }, h('code', {}, code)), copyButton(code))
}

/** A time as "3 min ago", with the exact time in the user's zone as its title. */
export function moment(iso) {
  return iso ? h('time', { datetime: iso, title: time(iso) }, ago(iso)) : h('span', { class: 'quiet' }, 'never')
}

/** A text with a mark, so that its meaning does not depend on colour. kind: good, bad, wait, off. */
export function state(kind, text) {
  const mark = { good: '●', bad: '▲', wait: '◐', off: '○' }[kind]
  return h('span', { class: `state ${kind}` }, h('span', { 'aria-hidden': 'true' }, mark), ' ', text)
}

/**
 * A table; columns are [head, class?]. Rows are arrays of cells, or <tr> elements. Where its columns have
 * no room each row becomes a block of labelled values; the roles keep it a table for screen readers.
 * @param {{kind?: string}} [options] kind: a class
 */
export function table(caption, columns, rows, { kind = '' } = {}) {
  return h('div', { class: `scroll stacks ${kind}`, tabindex: 0, role: 'group', 'aria-label': caption },
    h('table', { role: 'table' }, h('caption', { class: 'hidden' }, caption),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(([head, kind]) => h('th', { scope: 'col', role: 'columnheader', class: kind }, head)))),
      h('tbody', { role: 'rowgroup' }, rows.map(row => row instanceof Node ? row : tableRow(columns, row)))))
}

export function tableRow(columns, cells) {
  return h('tr', { role: 'row' }, cells.map((cell, i) => i === 0 ? h('th', { scope: 'row', role: 'rowheader', class: columns[i][1] }, cell)
    : h('td', { role: 'cell', class: columns[i][1], 'data-label': columns[i][0] }, cell)))
}

/** A button that opens further buttons below it. */
export function menu(label, name, items) {
  const id = newId('menu')
  const list = h('div', { id, popover: 'auto', class: 'menu', role: 'group', 'aria-label': name, onclick: event => { if (event.target.localName === 'button') list.hidePopover() } }, items)
  const opener = button(label, () => {}, { popovertarget: id, 'aria-label': name })
  list.addEventListener('toggle', ({ newState }) => {
    if (newState !== 'open') return
    const at = opener.getBoundingClientRect()
    list.style.left = `${Math.max(8, Math.min(at.right, innerWidth - 8) - list.offsetWidth)}px`
    list.style.top = `${at.bottom + list.offsetHeight + 8 > innerHeight ? at.top - list.offsetHeight - 4 : at.bottom + 4}px`
  })
  return [opener, list]
}

/** A placeholder for an empty list, with what to do next. */
export function empty(text, action) {
  return h('div', { class: 'empty' }, h('p', {}, text), action)
}

/** An error with its request id, and a button to try again. */
export function failure(error, again) {
  return h('div', { class: 'failure', role: 'alert' }, h('p', {}, localTimes(error.message)),
    error.requestId && h('p', { class: 'quiet' }, `Request ${error.requestId}`), again && button('Try again', again))
}

/** A section of a page. controls stand beside its title. */
export function section(title, content, { controls } = {}) {
  const id = newId('section')
  return h('section', { 'aria-labelledby': id }, h('div', { class: 'head' }, h('h2', { id }, title), controls), content)
}

// The loads that began while a view was made.
let begun = null

/** Makes a view. ready resolves when all that it loads has loaded. */
export function making(make) {
  begun = []
  try {
    return { node: make(), ready: Promise.all(begun) }
  } finally {
    begun = null
  }
}

/**
 * Shows "Loading…", then what render makes of the data, or an error with a retry. During a reload the old content
 * stays; focus and scroll positions are kept.
 * @returns {HTMLElement & {reload: () => Promise<void>}}
 */
export function loaded(load, render) {
  const box = h('div', {}, h('p', { class: 'quiet', role: 'status' }, 'Loading…'))
  let serial = 0
  let filled = false
  const run = async () => {
    const mine = ++serial
    box.setAttribute('aria-busy', 'true')
    try {
      const data = await load()
      if (mine !== serial) return
      swap(box, render(data, run))
      filled = true
    } catch (error) {
      if (mine !== serial || error.name === 'AbortError') return
      refused(error)
    }
    box.removeAttribute('aria-busy')
  }
  const refused = error => {
    const report = failure(error, run)
    if (!filled) return box.replaceChildren(report)
    box.querySelector(':scope > .failure')?.remove()
    box.prepend(report)
    report.scrollIntoView({ block: 'nearest' })
  }
  const first = run()
  begun?.push(first)
  box.reload = run
  return box
}

/** Radio buttons in a row. */
export function choice(label, options, chosen, onchange) {
  const name = newId('choice')
  return h('fieldset', { class: 'choice' }, h('legend', { class: 'hidden' }, label), options.map(([value, text]) =>
    h('label', {}, h('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => onchange(value) }), h('span', {}, text))))
}
