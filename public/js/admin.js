// The admin's part of the settings: the gateway, all users, all keys and all tokens.

import { get, patch, put, remove, withQuery } from './api.js'
import { confirm } from './dialog.js'
import { h } from './dom.js'
import { time } from './format.js'
import { keyState } from './keyview.js'
import { button, empty, failure, loaded, section, state, table } from './widget.js'

export function admin(context) {
  return h('div', {}, section('Gateway', gateway(context)), section('Users', users(context)), section('Everybody’s keys', owned('keys', context)), section('Everybody’s tokens', owned('tokens', context)))
}

async function health(signal) {
  const answer = await fetch('/health/ready', { signal, headers: { Accept: 'application/json' } })
  return answer.json() // 503 has the same shape and says which part fails
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
      ['Registration', [set.registrationEnabled ? 'open: anyone can create an account ' : 'closed ', button(set.registrationEnabled ? 'Close registration' : 'Open registration', flip, { 'data-key': 'registration' })]],
      ['Health', state(status === 'ok' ? 'good' : 'bad', status)],
      ...Object.entries(checks).map(([part, is]) => [part[0].toUpperCase() + part.slice(1), state(is === 'ok' ? 'good' : 'bad', is)]),
      set.unlistedProxy && ['Proxy', [state('bad', 'not listed'), ` Your request came through ${set.unlistedProxy}, which names you in headers that the gateway ignores: everybody who comes that way shares one address, and logins may be slowed down for all. List the proxy in `, h('code', {}, 'TRUSTED_PROXIES'), '.']],
      ['Version', set.version], ['Default strategy', set.strategy],
      ...[['Requests are kept', set.retentionDays, 'RETENTION_DAYS'], ['Traces are kept', set.traceRetentionDays, 'TRACE_RETENTION_DAYS'], ['A login lasts', set.sessionDays, 'SESSION_DAYS']].map(([name, days, variable]) =>
        [name, [`${days} days. The environment variable `, h('code', {}, variable), ' sets it.']]),
    ].filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))), problem)
  })
}

/** All pages of a list. */
async function everything(path, name, signal) {
  const all = []
  for (let cursor = ''; cursor !== null;) {
    const page = await get(withQuery(path, { limit: 200, cursor }), signal)
    all.push(...page[name])
    cursor = page.nextCursor
  }
  return all
}

function users({ signal, user: me }) {
  return loaded(() => everything('/api/users', 'users', signal), (all, again) => {
    const problem = h('div', {})
    const change = async (u, fields) => {
      await patch(`/api/users/${u.id}`, fields)
      again()
    }
    const or = act => () => act().catch(error => problem.replaceChildren(failure(error)))
    const flip = u => u.enabled ? () => confirm(`Disable ${u.email}?`, 'They are logged out, and their tokens are refused until you enable them again.', 'Disable', () => change(u, { enabled: false }))
      : or(() => change(u, { enabled: true }))
    const rank = u => u.role === 'admin' ? or(() => change(u, { role: 'user' }))
      : () => confirm(`Make ${u.email} an admin?`, 'An admin opens and closes registration, disables users and blocks keys and tokens, yours included.', 'Make an admin', () => change(u, { role: 'admin' }))
    const erase = u => () => confirm(`Delete ${u.email}?`, 'Their keys, tokens, requests and usage are deleted, too. This cannot be undone.', 'Delete the account', async () => {
      await remove(`/api/users/${u.id}`)
      again()
    })
    return h('div', {}, problem, table('Users', [['E-mail address'], ['Name'], ['Role'], ['State'], ['Since'], ['Actions']], all.map(u => [
      u.email, u.name, u.role, u.enabled ? state('good', 'Enabled') : state('off', 'Disabled'), time(u.createdAt),
      u.id === me.id ? h('span', { class: 'quiet' }, 'you') : h('div', { class: 'buttons' },
        button(u.enabled ? 'Disable' : 'Enable', flip(u), { 'aria-label': `${u.enabled ? 'Disable' : 'Enable'} ${u.email}`, 'data-key': `flip ${u.id}` }),
        button(u.role === 'admin' ? 'Make a user' : 'Make an admin', rank(u), { 'aria-label': `${u.role === 'admin' ? 'Make a user' : 'Make an admin'} of ${u.email}`, 'data-key': `rank ${u.id}` }),
        button('Delete', erase(u), { 'aria-label': `Delete ${u.email}`, 'data-key': `erase ${u.id}` })),
    ])))
  })
}

/** The keys or tokens of all users. The admin can block them, and sees no secret. */
function owned(kind, { signal }) {
  const path = `/api/admin/${kind}`
  return loaded(() => everything(path, kind, signal), (all, again) => {
    if (!all.length) return empty(kind === 'keys' ? 'Nobody has a provider key yet.' : 'Nobody has a token yet.')
    const problem = h('div', {})
    const block = async ({ id, blocked }) => {
      try {
        await patch(`${path}/${id}`, { blocked: !blocked })
        again()
      } catch (error) {
        problem.replaceChildren(failure(error))
      }
    }
    const columns = [['Name'], ['Owner'], kind === 'keys' ? ['Provider'] : ['Expires'], ['State'], ['Since'], ['Actions']]
    return h('div', {}, problem, table(kind === 'keys' ? 'Keys of all users' : 'Tokens of all users', columns, all.map(o => [
      o.name, o.email, kind === 'keys' ? o.provider : o.expiresAt ? time(o.expiresAt) : 'never',
      kind === 'keys' ? keyState(o) : tokenState(o), time(o.createdAt),
      button(o.blocked ? 'Unblock' : 'Block', () => block(o), { 'aria-label': `${o.blocked ? 'Unblock' : 'Block'} ${o.name} of ${o.email}`, 'data-key': `block ${o.id}` }),
    ]), { kind: kind === 'keys' ? 'keys' : '' }))
  })
}

function tokenState(token) {
  if (token.blocked) return state('bad', 'Blocked')
  return token.enabled ? state('good', 'Enabled') : state('off', 'Disabled')
}
