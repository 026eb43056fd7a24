// What limits count, in words.

import { ago, exactCount, exactMoney, time } from './format.js'

const subjects = { token: 'Token', key: 'Key', user: 'User', endUser: 'End user', gateway: 'Gateway' }

/** An amount of a limit's metric. */
export function amountOf(limit, n) {
  if (n === null || n === undefined) return '–'
  return limit.metric === 'cost' ? exactMoney(n) : exactCount(n)
}

/** Whom a limit is about. names: of tokens, keys and users by id. */
export function subjectOf({ subject }, names = {}) {
  const name = id => names[id] ?? 'deleted'
  switch (subject.type) {
    case 'gateway': return 'The whole gateway'
    case 'endUser': return `${subject.id === undefined ? 'Each end user' : `End user ${subject.id}`} of ${name(subject.token)}`
    default: return subject.id === undefined ? subjects[subject.type] : `${subjects[subject.type]} ${name(subject.id)}`
  }
}

/** What a limit allows: 100 requests a day. */
export function ruleOf(limit) {
  const what = limit.metric === 'cost' ? '' : ` ${limit.metric}`
  const per = limit.window === 'total' ? 'in total' : `a ${limit.window}`
  return limit.amount === undefined ? `${limit.metric} ${per}` : `${amountOf(limit, limit.amount)}${what} ${per}`
}

/** What else holds for a limit. */
export function termsOf(limit) {
  const terms = []
  if (limit.models?.length) terms.push(`only ${limit.models.join(', ')}`)
  if (limit.strict) terms.push('strict')
  if (limit.onReached) terms.push(`then ${limit.onReached.model} serves`)
  return terms.join('; ')
}

/** When a limit starts again. */
export function resetOf(limit, now, zone) {
  return limit.resetsAt ? { text: ago(limit.resetsAt, now), title: time(limit.resetsAt, zone) } : { text: 'never', title: 'a limit in total does not start again' }
}

const number = text => /^\d+(\.\d+)?$/.test(text) ? Number(text) : text

/** The body of a request that sets a limit; subject is TYPE or TYPE:ID. */
export function limitBody(values) {
  const [type, id] = values.subject.split(':')
  const subject = { type }
  if (type === 'endUser') Object.assign(subject, { token: id }, values.endUser ? { id: values.endUser } : {})
  else if (id) subject.id = id
  return { subject, metric: values.metric, window: values.window, ...limitChange(values) }
}

/** The body of a request that changes a limit. */
export function limitChange(values) {
  return {
    amount: number(values.amount), models: values.models.split(/[\s,]+/).filter(Boolean), strict: values.strict,
    onReached: values.onReached ? { model: values.onReached } : null,
  }
}
