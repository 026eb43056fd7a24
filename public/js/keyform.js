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

const custom = 'custom'

/** The fields of a custom endpoint. A preset fills in where it usually is. */
function endpointFields(presets) {
  const node = h('div', { hidden: true })
  const fill = id => {
    const preset = presets.find(p => p.id === id)
    const set = (name, value) => { node.querySelector(`[name="${name}"]`).value = value }
    set('slug', preset?.id ?? '')
    set('baseUrl', preset?.baseUrl ?? '')
    set('dialect', preset?.dialect ?? 'openai')
    set('auth', preset?.auth ?? 'bearer')
  }
  const choices = list => list.map(value => [value, value])
  node.append(
    field('preset', 'Preset', { options: [['', 'Another server'], ...presets.map(p => [p.id, p.tested ? p.name : `${p.name} (untested)`])], onchange: event => fill(event.target.value) }),
    field('baseUrl', 'Base URL', { spellcheck: 'false', hint: 'Such as http://127.0.0.1:11434/v1.' }),
    field('slug', 'Slug', { spellcheck: 'false', hint: 'The prefix of its models: ollama/llama3.2.' }),
    h('div', { class: 'pair' },
      field('dialect', 'Dialect', { options: choices(['openai', 'responses', 'anthropic', 'gemini']), value: 'openai' }),
      field('auth', 'Sends the key as', { options: choices(['bearer', 'api-key', 'x-api-key', 'x-goog-api-key', 'none']), value: 'bearer' })),
    field('headers', 'More headers', { rows: 2, autocomplete: 'off', spellcheck: 'false', hint: 'One a line: Name: value. The values are encrypted and not shown again.' }),
    h('div', { class: 'pair' },
      field('inputPrice', 'Input price', { inputmode: 'decimal', hint: 'USD per million tokens. Empty: unpriced.' }),
      field('outputPrice', 'Output price', { inputmode: 'decimal', hint: '0 and 0: free.' })))
  return node
}

/** The values of these fields as the API takes them. */
export function endpointBody(values) {
  const headers = values.headers.split('\n').filter(line => line.trim()).map(line => {
    const colon = line.indexOf(':')
    return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
  const priced = values.inputPrice !== '' || values.outputPrice !== ''
  const price = text => /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
  return {
    preset: values.preset || null, slug: values.slug, baseUrl: values.baseUrl, dialect: values.dialect, auth: values.auth,
    headers: Object.fromEntries(headers), prices: priced ? { input: price(values.inputPrice || '0'), output: price(values.outputPrice || '0') } : null,
  }
}

/** Adds a key, or edits one. */
export function keyForm({ providers, presets = [], key, close, saved }) {
  const models = id => providers.find(p => p.id === id)?.models ?? []
  const endpoint = !key && endpointFields(presets)
  const apiKey = !key && secret('API key')
  const chosen = id => {
    picker.offer(models(id))
    endpoint.hidden = id !== custom
    apiKey.querySelector('input').required = id !== custom
  }
  const picker = modelPicker(models(key?.provider ?? providers[0].id), key)
  const choose = !key && field('provider', 'Provider', { options: [...providers.map(p => [p.id, p.name]), [custom, 'Custom endpoint']], value: providers[0].id, onchange: event => chosen(event.target.value) })
  return form([
    choose,
    endpoint,
    apiKey,
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
      else await post('/api/keys', { ...body, provider: values.provider, apiKey: values.apiKey, ...(values.provider === custom ? endpointBody(values) : {}) })
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
