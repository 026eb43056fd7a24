// What a token may be used for, and whether it tells who is behind its requests.

import { field } from './form.js'

const sources = ['X-LLM-End-User', 'X-OpenWebUI-User-Id', 'X-LibreChat-User-Id', 'safety_identifier', 'user', 'metadata.user_id']

/** The fields of a token's scope. */
export function scopeFields(token = {}) {
  const list = (name, label, hint) => field(name, label, { value: (token[name] ?? []).join(', '), hint })
  return [
    list('allowedModels', 'Models', 'Names or prefixes with *, separated by commas. Empty: all.'),
    list('allowedProviders', 'Providers', 'Such as openai, anthropic. Empty: all.'),
    list('allowedEndpoints', 'Endpoints', 'Such as chat, completions, responses, messages, embeddings. Empty: all.'),
    field('maxConcurrent', 'Requests at the same time', { inputmode: 'numeric', value: token.maxConcurrent ? String(token.maxConcurrent) : '', hint: 'Empty: no limit.' }),
    field('endUsers', 'Tells who is behind a request', { type: 'checkbox', value: token.endUsers ?? false, hint: 'Usage and limits by end user. Only for programs that you trust to name them.' }),
    field('endUserSource', 'Where it names the end user', { options: [['', 'wherever one is named first'], ...sources.map(s => [s, s])], value: token.endUserSource ?? '' }),
  ]
}

const names = text => text.split(/[\s,]+/).filter(Boolean)

/** The scope as the API takes it. */
export function scopeBody(values) {
  const most = values.maxConcurrent
  return {
    allowedModels: names(values.allowedModels), allowedProviders: names(values.allowedProviders), allowedEndpoints: names(values.allowedEndpoints),
    maxConcurrent: most === '' ? null : /^\d+$/.test(most) ? Number(most) : most, endUsers: values.endUsers, endUserSource: values.endUserSource || null,
  }
}

/** @returns {string[]} what a token is restricted to, a line each */
export function scopeWords(token) {
  const lines = []
  for (const [name, word] of [['allowedModels', 'models'], ['allowedProviders', 'providers'], ['allowedEndpoints', 'endpoints']]) {
    if (token[name].length) lines.push(`only the ${word} ${token[name].join(', ')}`)
  }
  if (token.maxConcurrent) lines.push(`${token.maxConcurrent} at the same time`)
  if (token.endUsers) lines.push(`tells end users${token.endUserSource ? ` in ${token.endUserSource}` : ''}`)
  return lines
}
