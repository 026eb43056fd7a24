// The models that a key may serve: typed, with patterns, or picked from the catalogue.

import { h, newId } from './dom.js'
import { field } from './form.js'
import { button } from './widget.js'

const shownAtMost = 200

/** @param {{id: string, mode: string}[]} models @param {object} [key] whose models are filled in */
export function modelPicker(models, key) {
  const id = newId('known')
  const known = h('datalist', { id })
  const allowed = field('allowedModels', 'Allowed models', {
    rows: 2, value: (key?.allowedModels ?? []).join(', '), spellcheck: 'false', hint: 'Names, or prefixes such as gpt-5*, separated by commas. Empty: all models of the provider.',
  })
  const input = allowed.querySelector('textarea')
  const pick = h('input', { type: 'text', list: id, 'aria-label': 'A model of the catalogue', placeholder: 'Pick from the catalogue' })
  const add = () => {
    const chosen = pick.value.trim()
    if (!chosen) return
    const all = input.value.split(/[\s,]+/).filter(Boolean)
    if (!all.includes(chosen)) input.value = [...all, chosen].join(', ')
    pick.value = ''
    pick.focus()
  }
  const defaults = field('defaultModel', 'Default model', { value: key?.defaultModel ?? '', spellcheck: 'false', hint: 'For requests without a model.' })
  defaults.querySelector('input').setAttribute('list', id)
  const offer = list => known.replaceChildren(...list.slice(0, shownAtMost).map(m => h('option', { value: m.id })))
  offer(models)
  return { offer, node: h('div', {}, allowed, h('div', { class: 'pick' }, pick, button('Add', add)), known, defaults) }
}
