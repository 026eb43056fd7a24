// The attempts of a request over its time, and what a failure means.

/** What each error class says, and what to do. */
const meanings = {
  bad_key: 'The provider does not know the key. Replace its secret.',
  forbidden: 'The key may not do this. Check its rights at the provider.',
  out_of_money: 'The credit or spending limit at the provider is used up.',
  daily_quota: 'The provider’s quota of a day or month is used up.',
  rate_limited: 'Requests came faster than the provider allows this key. The gateway tries it again later.',
  overloaded: 'The provider had no room. The gateway tries it again later.',
  transport: 'No connection, or an answer that was broken or an error of the provider.',
  timeout: 'No answer came in time.',
  model_unknown: 'The provider does not serve this model to the key. Check the name, and the key’s allowed models.',
  context_too_long: 'The input does not fit the model. Shorten it, or choose a model with more context.',
  too_large: 'The request is larger than the provider takes.',
  bad_request: 'The provider refuses the request as it is. Every key would answer the same: change the request.',
  bad_tool_call: 'The model wrote a tool call that the provider could not read.',
  content_policy: 'The provider refuses the content.',
}

const scopes = { request: 'the request', attempt: 'this attempt alone', model: 'this model with this key', key: 'the key', host_model: 'this model at the provider', host: 'the provider' }

export const meaningOf = failure => meanings[failure] ?? ''

export const scopeOf = scope => scopes[scope] ?? ''

/**
 * Where the parts of an attempt are, in percent of the request's time: waiting for the first byte, then the answer.
 * @param {{startMs?: number, ms: number, firstByteMs?: number}} attempt
 * @returns {{start: number, wait: number, rest: number} | null} null: it is not known
 */
export function place(attempt, latencyMs) {
  if (attempt.startMs === undefined || attempt.startMs === null || !(latencyMs > 0)) return null
  const part = ms => Math.min(100, Math.max(0, 100 * ms / latencyMs))
  const start = part(attempt.startMs)
  const length = Math.min(100 - start, part(attempt.ms))
  const wait = Math.min(length, part(attempt.firstByteMs ?? attempt.ms))
  return { start, wait, rest: length - wait }
}
