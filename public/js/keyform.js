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

// Stands for the value of a header that is stored, which nobody sees.
const stored = '(stored)'

const choices = list => list.map(value => [value, value])

/** The price of every model, if there is one for all. */
const priceOf = (key, name) => key?.prices?.['*']?.[name] ?? ''

/** Whether there are prices that the form does not show: by model, or of more than input and output. */
const morePrices = key => Object.keys(key?.prices ?? {}).some(name => name !== '*') || Object.keys(key?.prices?.['*'] ?? {}).some(name => name !== 'input' && name !== 'output')

/** The fields of a custom endpoint. A preset fills in where it usually is. @param {object} [key] whose endpoint is filled in */
function endpointFields(presets, key) {
  const node = h('div', { hidden: !key })
  const fill = id => {
    const preset = presets.find(p => p.id === id)
    const set = (name, value) => { node.querySelector(`[name="${name}"]`).value = value }
    set('slug', preset?.id ?? '')
    set('baseUrl', preset?.baseUrl ?? '')
    set('dialect', preset?.dialect ?? 'openai')
    set('auth', preset?.auth ?? 'bearer')
  }
  const add = part => part && node.append(part)
  add(!key && field('preset', 'Preset', { options: [['', 'Another server'], ...presets.map(p => [p.id, p.tested ? p.name : `${p.name} (untested)`])], onchange: event => fill(event.target.value) }))
  add(field('baseUrl', 'Base URL', { value: key?.baseUrl ?? '', spellcheck: 'false', hint: key ? 'Another host needs the secret and the headers again.' : 'Such as http://127.0.0.1:11434/v1.' }))
  add(!key && field('slug', 'Slug', { spellcheck: 'false', hint: 'The prefix of its models: ollama/llama3.2.' }))
  add(h('div', { class: 'pair' },
    field('dialect', 'Dialect', { options: choices(['openai', 'responses', 'anthropic', 'gemini']), value: key?.dialect ?? 'openai' }),
    field('auth', 'Sends the key as', { options: choices(['bearer', 'api-key', 'x-api-key', 'x-goog-api-key', 'none']), value: key?.auth ?? 'bearer' })))
  add(field('headers', 'More headers', { rows: 2, value: (key?.headers ?? []).map(name => `${name}: ${stored}`).join('\n'), autocomplete: 'off', spellcheck: 'false',
    hint: `One a line: Name: value. The values are encrypted and not shown again${key ? `; ${stored} keeps one` : ''}.` }))
  if (morePrices(key)) add(h('p', { class: 'hint' }, 'There are more prices than one for input and one for output. The API changes them.'))
  else add(h('div', { class: 'pair' },
    field('inputPrice', 'Input price', { value: String(priceOf(key, 'input')), inputmode: 'decimal', hint: 'USD per million tokens. Empty: unpriced.' }),
    field('outputPrice', 'Output price', { value: String(priceOf(key, 'output')), inputmode: 'decimal', hint: '0 and 0: free.' })))
  return node
}

function headersOf(text) {
  return Object.fromEntries(text.split('\n').filter(line => line.trim()).map(line => {
    const colon = line.indexOf(':')
    const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)]
    return [name.trim(), value.trim() === stored ? null : value.trim()]
  }))
}

function pricesOf({ inputPrice, outputPrice }) {
  const price = text => /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
  return inputPrice !== '' || outputPrice !== '' ? { input: price(inputPrice || '0'), output: price(outputPrice || '0') } : null
}

/** The values of these fields as the API takes them. */
export function endpointBody(values) {
  return {
    preset: values.preset || null, slug: values.slug, baseUrl: values.baseUrl, dialect: values.dialect, auth: values.auth,
    headers: headersOf(values.headers), prices: pricesOf(values),
  }
}

/** What of them differs from the endpoint of a key. */
export function endpointChange(values, key) {
  const change = {}
  for (const name of ['baseUrl', 'dialect', 'auth']) if (values[name] !== key[name]) change[name] = values[name]
  const headers = headersOf(values.headers)
  const same = Object.keys(headers).length === key.headers.length && key.headers.every(name => headers[name] === null)
  if (!same) change.headers = headers
  const priced = ['input', 'output'].some(name => values[`${name}Price`] !== String(priceOf(key, name)))
  if (!morePrices(key) && priced) change.prices = pricesOf(values)
  return change
}

/** Adds a key, or edits one. saved gets a key that was added. */
export function keyForm({ providers, presets = [], key, close, saved }) {
  const models = id => providers.find(p => p.id === id)?.models ?? []
  const endpoint = key ? key.slug && endpointFields(presets, key) : endpointFields(presets)
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
      let made
      if (key) await patch(`/api/keys/${key.id}`, { ...body, name: body.name ?? key.name, priority: body.priority ?? 1, ...(key.slug ? endpointChange(values, key) : {}) })
      else made = await post('/api/keys', { ...body, provider: values.provider, apiKey: values.apiKey, ...(values.provider === custom ? endpointBody(values) : {}) })
      close()
      saved(made)
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
