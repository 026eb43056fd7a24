// The forms of a provider key.

import { patch, post } from './api.js'
import { h } from './dom.js'
import { field, form } from './form.js'
import { modelPicker } from './modelpicker.js'

/** The form's values as the API takes them. Empty: no limit, no default model, all models. */
export function keyBody(values) {
  return {
    name: values.name || null,
    priority: values.priority === '' ? null : number(values.priority),
    allowedModels: (values.allowedModels ?? '').split(/[\s,]+/).filter(Boolean),
    defaultModel: values.defaultModel || null,
    dailyLimit: values.dailyLimit === '' ? null : number(values.dailyLimit),
  }
}

// A text that is no number is sent as it is: the gateway's error says what is expected.
function number(text) {
  return /^\d+$/.test(text) ? Number(text) : text
}

const secret = label => field('apiKey', label, { type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, hint: 'Encrypted at once. Only its last four characters are shown again.' })

/** Adds a key, or edits one. */
export function keyForm({ providers, key, close, saved }) {
  const models = id => providers.find(p => p.id === id)?.models ?? []
  const picker = modelPicker(models(key?.provider ?? providers[0].id), key)
  const choose = !key && field('provider', 'Provider', { options: providers.map(p => [p.id, p.name]), value: providers[0].id, onchange: event => picker.offer(models(event.target.value)) })
  return form([
    choose,
    !key && secret('API key'),
    field('name', 'Name', { value: key?.name ?? '', hint: key ? '' : 'Empty: the provider’s name.' }),
    h('div', { class: 'pair' },
      field('priority', 'Priority', { inputmode: 'numeric', value: String(key?.priority ?? 1), hint: 'The lowest is tried first.' }),
      field('dailyLimit', 'Requests a day', { inputmode: 'numeric', value: key?.dailyLimit === null || !key ? '' : String(key.dailyLimit), hint: 'Per UTC day. Empty: no limit.' })),
    picker.node,
  ], {
    label: key ? 'Save' : 'Add the key', cancel: close,
    submit: async values => {
      const body = keyBody(values)
      if (key) await patch(`/api/keys/${key.id}`, { ...body, name: body.name ?? key.name, priority: body.priority ?? 1 })
      else await post('/api/keys', { ...body, provider: values.provider, apiKey: values.apiKey })
      close()
      saved()
    },
  })
}

/** Replaces the secret of a key. */
export function secretForm({ key, close, saved }) {
  return form([secret('New API key')], {
    label: 'Replace the secret', cancel: close,
    submit: async ({ apiKey }) => {
      await patch(`/api/keys/${key.id}`, { apiKey })
      close()
      saved()
    },
  })
}
