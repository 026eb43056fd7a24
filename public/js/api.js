// Calls the gateway's own API with the session cookie. The dashboard calls no other host.

/** An error that the gateway answered with, or no answer (status 0). */
export class ApiError extends Error {
  /** @param {number} status @param {any} body @param {Headers} [headers] */
  constructor(status, body, headers) {
    super(body?.error?.message ?? (status ? `The gateway answered with status ${status}.` : 'The gateway does not answer.'))
    this.status = status
    this.code = body?.error?.code ?? ''
    this.details = body?.error?.details ?? {}
    this.requestId = body?.requestId ?? ''
    this.retryAfter = Number(headers?.get('Retry-After')) || 0
  }

  /** @returns {{path: string, message: string}[]} the invalid fields */
  get issues() {
    return this.details.issues ?? []
  }
}

// Routes whose 401 does not mean that the session has ended.
const withoutSession = ['/api/auth/login', '/api/auth/me', '/api/auth/logout']

/** Called when the gateway says that there is no session. */
let whenSignedOut = () => {}
export function onSignedOut(listener) {
  whenSignedOut = listener
}

/** Fetches. Throws an ApiError unless the status is 2xx. */
export async function request(method, path, { body, signal, accept = 'application/json' } = {}) {
  const headers = { Accept: accept }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer
  try {
    answer = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body), redirect: 'error' })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, null)
  }
  if (answer.ok) return answer
  const error = new ApiError(answer.status, await answer.json().catch(() => null), answer.headers)
  if (answer.status === 401 && !withoutSession.includes(path)) whenSignedOut()
  throw error
}

async function json(method, path, body, signal) {
  const answer = await request(method, path, { body, signal })
  return answer.status === 204 ? null : answer.json()
}

export const get = (path, signal) => json('GET', path, undefined, signal)
export const post = (path, body, signal) => json('POST', path, body, signal)
export const put = (path, body, signal) => json('PUT', path, body, signal)
export const patch = (path, body, signal) => json('PATCH', path, body, signal)
export const remove = (path, signal) => json('DELETE', path, undefined, signal)

/** Returns the path with the parameters that have a value. */
export function withQuery(path, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, v]) => v !== '' && v !== null && v !== undefined))
  return query.size ? `${path}?${query}` : path
}
