// What the admin sees below their own settings.

import { get, patch, put } from './api.js'
import { h } from './dom.js'
import { time } from './format.js'
import { button, failure, loaded, section, state, table } from './widget.js'

export function admin(context) {
  return h('div', {}, section('Gateway', gateway(context)), section('Users', users(context)))
}

async function health(signal) {
  const answer = await fetch('/health/ready', { signal, headers: { Accept: 'application/json' } })
  return answer.json() // 503 says which part fails, in the same shape
}

function gateway({ signal }) {
  return loaded(async () => ({ set: await get('/api/auth/settings', signal), state: await health(signal) }), ({ set, state: { status, checks = {} } }, again) => {
    const problem = h('div', {})
    const flip = async () => {
      try {
        await put('/api/auth/settings', { registrationEnabled: !set.registrationEnabled })
        again()
      } catch (error) {
        problem.replaceChildren(failure(error))
      }
    }
    return h('div', {}, h('dl', { class: 'facts' }, [
      ['Registration', [set.registrationEnabled ? 'open: anyone can make an account ' : 'closed ', button(set.registrationEnabled ? 'Close registration' : 'Open registration', flip)]],
      ['Health', state(status === 'ok' ? 'good' : 'bad', status)],
      ...Object.entries(checks).map(([part, is]) => [part[0].toUpperCase() + part.slice(1), state(is === 'ok' ? 'good' : 'bad', is)]),
      ['Version', set.version || 'unknown'], ['Default strategy', set.strategy],
      ['Requests are kept', `${set.retentionDays} days (RETENTION_DAYS)`], ['Traces are kept', `${set.traceRetentionDays} days (TRACE_RETENTION_DAYS)`],
      ['A login lasts', `${set.sessionDays} days (SESSION_DAYS)`],
    ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))), problem)
  })
}

function users({ signal, user: me }) {
  const load = async () => {
    const all = []
    for (let cursor = ''; cursor !== null;) {
      const page = await get(`/api/users?limit=200${cursor && `&cursor=${cursor}`}`, signal)
      all.push(...page.users)
      cursor = page.nextCursor
    }
    return all
  }
  return loaded(load, (all, again) => {
    const problem = h('div', {})
    const change = async (id, fields) => {
      try {
        await patch(`/api/users/${id}`, fields)
        again()
      } catch (error) {
        problem.replaceChildren(failure(error))
      }
    }
    return h('div', {}, problem, table('Users', [['E-mail address'], ['Name'], ['Role'], ['State'], ['Since'], ['Actions']], all.map(u => [
      u.email, u.name, u.role, u.enabled ? state('good', 'Enabled') : state('off', 'Disabled'), time(u.createdAt),
      u.id === me.id ? h('span', { class: 'quiet' }, 'you') : h('div', { class: 'buttons' },
        button(u.enabled ? 'Disable' : 'Enable', () => change(u.id, { enabled: !u.enabled }), { 'aria-label': `${u.enabled ? 'Disable' : 'Enable'} ${u.email}` }),
        button(u.role === 'admin' ? 'Make a user' : 'Make an admin', () => change(u.id, { role: u.role === 'admin' ? 'user' : 'admin' }), { 'aria-label': `${u.role === 'admin' ? 'Make a user' : 'Make an admin'} of ${u.email}` })),
    ])))
  })
}
