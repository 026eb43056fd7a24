// Forms: each field has a label and its own error message, and the form has one for the rest.

import { h, newId } from './dom.js'

/**
 * @param {string} name of the field in the API, so that its errors find the field
 * @param {{type?: string, value?: any, hint?: string, options?: [string, string][], list?: string[], rows?: number}} options
 */
export function field(name, label, { type = 'text', value = '', hint = '', options, list, rows, ...more } = {}) {
  const id = newId('field')
  const listId = list && `${id}-list`
  const shared = { id, name, 'aria-describedby': `${id}-hint ${id}-error`, list: listId, ...more }
  let input
  if (options) input = h('select', shared, options.map(([v, text]) => h('option', { value: v, selected: v === value }, text)))
  else if (rows) input = h('textarea', { rows, ...shared }, value)
  else input = h('input', { type, value: type === 'checkbox' ? null : value, checked: type === 'checkbox' && Boolean(value), ...shared })
  return h('div', { class: `field ${type === 'checkbox' ? 'check' : ''}`, 'data-field': name },
    h('label', { for: id }, label), input, listId && h('datalist', { id: listId }, list.map(v => h('option', { value: v }))),
    h('p', { class: 'hint', id: `${id}-hint` }, hint), h('p', { class: 'error', id: `${id}-error` }))
}

/** Returns the values of a form by name. Texts but passwords are trimmed. */
export function valuesOf(form) {
  const values = {}
  for (const input of form.elements) {
    if (!input.name) continue
    values[input.name] = input.type === 'checkbox' ? input.checked : input.type === 'password' ? input.value : input.value.trim()
  }
  return values
}

// The gateway's message also has the type that it got, which says nothing to a user who typed a text.
const plain = message => message.replace(/^expected (.*), got .*$/s, 'must be $1')

/** Returns the errors with the fields that they are about: the path allowedModels[2] means allowedModels; a message may begin with its field. */
export function issuesOf(error) {
  if (error.issues?.length) return error.issues.map(i => ({ field: i.path.replace(/[[.].*$/, ''), message: plain(i.message) }))
  const named = /^(\w+): (.*)$/s.exec(error.message)
  return named ? [{ field: named[1], message: plain(named[2]) }] : [{ field: '', message: error.message }]
}

function showIssues(form, issues) {
  let first = null
  const rest = []
  for (const { field: name, message } of issues) {
    const place = name && form.querySelector(`[data-field="${CSS.escape(name)}"]`)
    if (!place) {
      rest.push(name ? `${name}: ${message}` : message)
      continue
    }
    place.querySelector('.error').textContent = message
    const input = place.querySelector('input, select, textarea')
    input.setAttribute('aria-invalid', 'true')
    first ??= input
  }
  form.querySelector('.form-error').textContent = rest.join(' ')
  first?.focus()
}

function clearIssues(form) {
  for (const place of form.querySelectorAll('.error, .form-error')) place.textContent = ''
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid')
}

/** A form that submits its values and shows their errors. */
export function form(fields, { submit, label, cancel }) {
  const send = h('button', { type: 'submit', class: 'primary' }, label)
  const it = h('form', { novalidate: true, onsubmit: async event => {
    event.preventDefault()
    if (send.ariaBusy) return // it is never disabled: a disabled button loses the focus
    clearIssues(it)
    send.ariaBusy = 'true'
    try {
      await submit(valuesOf(it), it)
    } catch (error) {
      showIssues(it, issuesOf(error))
    } finally {
      send.ariaBusy = null
    }
  } }, fields, h('p', { class: 'form-error', role: 'alert' }),
  h('div', { class: 'buttons' }, send, cancel && h('button', { type: 'button', onclick: cancel }, 'Cancel')))
  return it
}
