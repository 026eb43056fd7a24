// Gateway tokens, which programs use instead of provider keys.

import { get, patch, post, remove } from '../api.js'
import { confirm, openDialog } from '../dialog.js'
import { h } from '../dom.js'
import { count, time } from '../format.js'
import { field, form } from '../form.js'
import { routeTo } from '../route.js'
import { scopeBody, scopeFields, scopeWords } from '../tokenscope.js'
import { snippetTabs } from '../snippettabs.js'
import { button, copyButton, empty, loaded, moment, state, table, tableRow } from '../widget.js'

export const title = 'Tokens'

// Where no key serves a model yet.
const anyModel = 'YOUR_MODEL'

const columns = [['Name'], ['State'], ['Expires'], ['Last used'], ['Requests', 'number'], ['Actions']]
const lives = [['', 'never'], ['7', 'in 7 days'], ['30', 'in 30 days'], ['90', 'in 90 days'], ['365', 'in a year']]

export function view({ signal }) {
  const load = async () => {
    const [{ tokens }, { suggested }] = await Promise.all([get('/api/tokens', signal), get('/api/keys/models', signal)])
    return { tokens, model: suggested ?? anyModel }
  }
  return loaded(load, ({ tokens, model }, again) => h('div', {},
    h('p', { class: 'lead' }, 'Give each program its own token, so that you see its usage and can revoke it alone.'),
    h('div', { class: 'bar' }, button('Create a token', () => create(model, again), { kind: 'primary' })),
    tokens.length ? table('Gateway tokens', columns, tokens.map(token => row(token, again)))
      : empty('No token yet. A token allows chat, models, embeddings and its own asynchronous requests, and nothing else.')))
}

function create(model, again) {
  const dialog = openDialog('Create a token', (close, lock) => form([
    field('name', 'Name', { hint: 'The program that will use it.', required: true }),
    field('expiresInDays', 'Expires', { options: lives, value: '' }),
    h('details', {}, h('summary', {}, 'What it may be used for'), scopeFields()),
  ], {
    label: 'Create', cancel: close,
    submit: async values => {
      const made = await post('/api/tokens', { name: values.name, expiresInDays: values.expiresInDays ? Number(values.expiresInDays) : null, ...scopeBody(values) })
      again()
      dialog.querySelector('h2').textContent = `The token of ${made.name}`
      dialog.querySelector('form').replaceWith(reveal(made.token, model, close, lock))
      dialog.classList.add('wide')
      dialog.querySelector('.secret button').focus()
    },
  }))
}

function edit(token, again) {
  openDialog(`Edit ${token.name}`, close => form([
    field('name', 'Name', { value: token.name, required: true }),
    field('expiresInDays', 'Expires', { options: [['keep', token.expiresAt ? `as now: ${time(token.expiresAt)}` : 'as now: never'], ...lives], value: 'keep' }),
    ...scopeFields(token),
  ], {
    label: 'Save', cancel: close,
    submit: async ({ name, expiresInDays, ...values }) => {
      const expiry = expiresInDays === 'keep' ? {} : { expiresInDays: expiresInDays ? Number(expiresInDays) : null }
      await patch(`/api/tokens/${token.id}`, { name, ...expiry, ...scopeBody(values) })
      close()
      again()
    },
  }))
}

function reveal(token, model, close, lock) {
  const hint = h('p', { role: 'status', class: 'quiet' })
  lock(() => { hint.textContent = 'Press “Done” when you have copied the token: it is not shown again.' })
  return h('div', {}, h('p', {}, 'This is the only time that it is shown. Copy it now.'),
    h('div', { class: 'secret' }, h('code', { class: 'token' }, token), copyButton(token, 'Copy the token')),
    h('h3', {}, 'Use it'), snippetTabs(location.origin, token, model),
    h('div', { class: 'buttons' }, button('Done', close, { kind: 'primary' }), hint))
}

function stateOf(token) {
  if (token.blocked) return state('bad', 'Blocked by the admin')
  if (!token.enabled) return state('off', 'Disabled')
  if (token.expiresAt && Date.parse(token.expiresAt) <= Date.now()) return state('off', 'Expired')
  return state('good', 'Active')
}

function row(token, again) {
  const report = h('div', { role: 'status' })
  const flip = async () => {
    try {
      await patch(`/api/tokens/${token.id}`, { enabled: !token.enabled })
      again()
    } catch (error) {
      report.replaceChildren(state('bad', error.message))
    }
  }
  const revoke = () => confirm(`Revoke ${token.name}?`, 'Every request that begins after this is refused. A revoked token cannot come back.', 'Revoke the token', async () => {
    await remove(`/api/tokens/${token.id}`)
    again()
  })
  return tableRow(columns, [
    [h('strong', {}, token.name), scopeWords(token).map(line => h('p', { class: 'quiet' }, line))], [stateOf(token), report], token.expiresAt ? time(token.expiresAt) : 'never', moment(token.lastUsedAt), count(token.usageCount),
    h('div', { class: 'buttons' },
      button('Edit', () => edit(token, again), { 'aria-label': `Edit ${token.name}`, 'data-key': `edit ${token.id}` }),
      h('a', { class: 'button', href: routeTo('limits', { query: { subject: `token:${token.id}` } }), 'aria-label': `Limits of ${token.name}` }, 'Limits'),
      !token.blocked && button(token.enabled ? 'Disable' : 'Enable', flip, { 'data-key': `flip ${token.id}`, 'aria-label': `${token.enabled ? 'Disable' : 'Enable'} ${token.name}` }),
      button('Revoke', revoke, { kind: 'danger', 'aria-label': `Revoke ${token.name}` })),
  ])
}
