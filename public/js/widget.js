// Small parts that several views are made of.

import { announce, h, newId } from './dom.js'
import { ago, time } from './format.js'

/** A button. kind: primary, quiet, danger, or nothing. */
export function button(label, onclick, { kind = '', ...more } = {}) {
  return h('button', { type: 'button', class: kind, onclick, ...more }, label)
}

/** A button that puts a text on the clipboard and says so. */
export function copyButton(text, label = 'Copy') {
  const it = button(label, async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? text() : text)
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

/** A time that says how long ago it was; pointing at it gives the moment in the reader's zone. */
export function moment(iso) {
  return iso ? h('time', { datetime: iso, title: time(iso) }, ago(iso)) : h('span', { class: 'quiet' }, 'never')
}

/** A word with a mark before it, which says the same as its colour. kind: good, bad, wait, off. */
export function state(kind, text) {
  const mark = { good: '●', bad: '▲', wait: '◐', off: '○' }[kind]
  return h('span', { class: `state ${kind}` }, h('span', { 'aria-hidden': 'true' }, mark), ' ', text)
}

/** A table; columns are [head, class?]. Rows are arrays of cells, or <tr> made elsewhere. */
export function table(caption, columns, rows) {
  return h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    h('table', {}, h('caption', { class: 'hidden' }, caption),
      h('thead', {}, h('tr', {}, columns.map(([head, kind]) => h('th', { scope: 'col', class: kind }, head)))),
      h('tbody', {}, rows.map(row => row instanceof Node ? row : tableRow(columns, row)))))
}

export function tableRow(columns, cells) {
  return h('tr', {}, cells.map((cell, i) => i === 0 ? h('th', { scope: 'row', class: columns[i][1] }, cell) : h('td', { class: columns[i][1] }, cell)))
}

/** What stands where there is nothing yet, and what to do about it. */
export function empty(text, action) {
  return h('div', { class: 'empty' }, h('p', {}, text), action)
}

/** What went wrong, and a way to try again. */
export function failure(error, again) {
  return h('div', { class: 'failure', role: 'alert' }, h('p', {}, error.message),
    error.requestId && h('p', { class: 'quiet' }, `Request ${error.requestId}`), again && button('Try again', again))
}

/** A part of a page that is filled when its data is there. */
export function section(title, content, { aside } = {}) {
  const id = newId('section')
  return h('section', { 'aria-labelledby': id }, h('div', { class: 'head' }, h('h2', { id }, title), aside), content)
}

/** Shows that it loads, then what render makes of the data, or the error with a retry. */
export function loaded(load, render) {
  const box = h('div', {})
  const run = async () => {
    box.replaceChildren(h('p', { class: 'quiet', role: 'status' }, 'Loading…'))
    try {
      const data = await load()
      box.replaceChildren(render(data, run))
    } catch (error) {
      if (error.name !== 'AbortError') box.replaceChildren(failure(error, run))
    }
  }
  run()
  return box
}

/** A choice of a few, as radio buttons in a row. */
export function choice(label, options, chosen, onchange) {
  const name = newId('choice')
  return h('fieldset', { class: 'choice' }, h('legend', { class: 'hidden' }, label), options.map(([value, text]) =>
    h('label', {}, h('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => onchange(value) }), h('span', {}, text))))
}
