// The models that a key may serve: typed, with patterns, or picked from the catalogue.

import { combobox } from './combobox.js'
import { h } from './dom.js'
import { field } from './form.js'
import { modelChoices } from './modelchoice.js'
import { button } from './widget.js'

/** @param {{id: string, mode: string}[]} models @param {object} [key] whose models are filled in */
export function modelPicker(models, key) {
  const allowed = field('allowedModels', 'Allowed models', {
    rows: 2, value: (key?.allowedModels ?? []).join(', '), spellcheck: 'false', hint: 'Names, or prefixes such as gpt-5*, separated by commas. Empty: all models of the provider.',
  })
  const input = allowed.querySelector('textarea')
  const picked = field('', 'A model of the catalogue', { placeholder: 'Pick from the catalogue', spellcheck: 'false' })
  const pick = picked.querySelector('input')
  const add = () => {
    const chosen = pick.value.trim()
    if (!chosen) return
    const all = input.value.split(/[\s,]+/).filter(Boolean)
    if (!all.includes(chosen)) input.value = [...all, chosen].join(', ')
    pick.value = ''
    pick.focus()
  }
  pick.addEventListener('keydown', event => {
    if (event.key !== 'Enter') return
    event.preventDefault() // the form is not sent
    add()
  })
  const defaults = field('defaultModel', 'Default model', { value: key?.defaultModel ?? '', spellcheck: 'false', hint: 'For requests without a model.' })
  const lists = [combobox(picked, add), combobox(defaults)]
  const offer = list => { for (const set of lists) set(modelChoices(list)) }
  offer(models)
  return { offer, node: h('div', {}, allowed, h('div', { class: 'pick' }, picked, button('Add', add)), defaults) }
}
