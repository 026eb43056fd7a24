// A text field with a list of choices that opens below it and narrows as one types, after the ARIA pattern "combobox with
// a list". Any text may be typed: what is not listed is as good.

import { announce, h, newId } from './dom.js'
import { count } from './format.js'

const shownAtMost = 100

/**
 * The choices that have all words of the text, those that begin with it first.
 * @param {{value: string, note: string}[]} choices @param {string} text
 */
export function matching(choices, text) {
  const typed = text.trim().toLowerCase()
  if (!typed) return choices
  const words = typed.split(/\s+/)
  const found = choices.filter(c => {
    const all = `${c.value} ${c.note}`.toLowerCase()
    return words.every(word => all.includes(word))
  })
  const begins = c => c.value.toLowerCase().startsWith(typed)
  return [...found.filter(begins), ...found.filter(c => !begins(c))]
}

/**
 * Makes the input of a field a combobox.
 * @param {HTMLElement} field as of form.js
 * @param {(value: string) => void} [chosen] is called with a choice from the list
 * @returns {(choices: {value: string, note: string}[]) => void} sets the choices
 */
export function combobox(field, chosen = () => {}) {
  const input = field.querySelector('input')
  const id = newId('choices')
  const list = h('ul', { id, role: 'listbox', 'aria-label': field.querySelector('label').textContent, class: 'choices', hidden: true })
  let choices = []
  let shown = []
  let active = -1
  for (const [name, value] of Object.entries({ role: 'combobox', 'aria-expanded': 'false', 'aria-controls': id, 'aria-autocomplete': 'list', autocomplete: 'off' })) input.setAttribute(name, value)
  const box = h('div', { class: 'combobox' })
  input.before(box)
  box.append(input, list)

  const mark = at => {
    list.children[active]?.setAttribute('aria-selected', 'false')
    active = at
    const option = list.children[at]
    option?.setAttribute('aria-selected', 'true')
    option?.scrollIntoView({ block: 'nearest' })
    if (option) input.setAttribute('aria-activedescendant', option.id)
    else input.removeAttribute('aria-activedescendant')
  }
  const close = () => {
    list.hidden = true
    input.setAttribute('aria-expanded', 'false')
    mark(-1)
  }
  // A list that is opened with a choice in the field shows all of them; one that is typed for, what matches.
  const open = text => {
    const found = matching(choices, text)
    shown = found.slice(0, shownAtMost)
    active = -1
    input.removeAttribute('aria-activedescendant')
    list.replaceChildren(...shown.map((c, i) => h('li', { id: `${id}-${i}`, role: 'option', 'aria-selected': 'false' }, h('span', {}, c.value), h('small', {}, c.note))),
      found.length > shown.length && h('li', { role: 'presentation', class: 'rest' }, `and ${count(found.length - shown.length)} more: type to narrow the list`) || '')
    list.hidden = !shown.length
    input.setAttribute('aria-expanded', String(Boolean(shown.length)))
    list.scrollIntoView({ block: 'nearest' })
    announce(`${count(found.length)} choices`)
  }
  const take = at => {
    input.value = shown[at].value
    close()
    chosen(input.value)
  }
  const move = step => {
    if (list.hidden) open('')
    if (shown.length) mark((active + step + shown.length + (active < 0 && step < 0 ? 1 : 0)) % shown.length)
  }
  input.addEventListener('input', () => open(input.value))
  input.addEventListener('click', () => { if (list.hidden) open('') })
  input.addEventListener('focus', () => input.select())
  input.addEventListener('blur', close)
  input.addEventListener('keydown', event => {
    const { key } = event
    if (key === 'ArrowDown' || key === 'ArrowUp') move(key === 'ArrowDown' ? 1 : -1)
    else if (key === 'Enter' && active >= 0) take(active)
    else if (key === 'Escape' && !list.hidden) {
      close()
      event.stopPropagation() // the dialog around it stays open
    } else return
    event.preventDefault()
  })
  list.addEventListener('pointerdown', event => {
    event.preventDefault() // the focus stays in the field
    const at = [...list.children].indexOf(event.target.closest('[role=option]'))
    if (at >= 0) take(at)
  })
  return next => { choices = next }
}
