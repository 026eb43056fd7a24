// Provider keys: their state, quota and priority.

import { get, patch, post, remove } from '../api.js'
import { confirm, openDialog } from '../dialog.js'
import { announce, h } from '../dom.js'
import { count } from '../format.js'
import { keyForm, secretForm } from '../keyform.js'
import { coolsDown, keyState, meter } from '../keyview.js'
import { routeTo } from '../route.js'
import { button, empty, loaded, menu, moment, state, tableRow, table } from '../widget.js'

export const title = 'Provider keys'

const columns = [['Name'], ['Priority', 'number'], ['State'], ['Quota today (UTC)'], ['Models'], ['Last used'], ['Actions']]

export function view({ signal }) {
  const load = async () => {
    const [{ keys }, { providers }, { presets }] = await Promise.all(['/api/keys', '/api/keys/catalog', '/api/keys/presets'].map(path => get(path, signal)))
    return { keys: keys.sort((a, b) => a.priority - b.priority || a.createdAt.localeCompare(b.createdAt)), providers, presets }
  }
  return loaded(load, ({ keys, providers, presets }, again) => {
    const add = () => openDialog('Add a provider key', close => keyForm({ providers, presets, close, saved: key => test(key, again) }))
    return h('div', {},
      h('p', { class: 'lead' }, 'The key with the lowest priority number is tried first. Your strategy orders keys of equal priority.'),
      h('div', { class: 'bar' }, button('Add a key', add, { kind: 'primary' })),
      keys.length ? table('Provider keys', columns, keys.map((key, i) => row(key, { keys, i, providers, again })), { kind: 'keys' })
        : empty('No provider key yet. Add one: it is encrypted at once, and only its last four characters are shown again.'))
  })
}

function row(key, { keys, i, providers, again }) {
  const provider = providers.find(p => p.id === key.provider)?.name ?? (key.slug ? `${key.slug} · ${key.baseUrl}` : key.provider)
  const report = h('div', { role: 'status' }, tested(key))
  const edit = () => openDialog(`Edit ${key.name}`, close => keyForm({ providers, key, close, saved: again }))
  const rotate = () => openDialog(`Rotate the secret of ${key.name}`, close => secretForm({ key, close, saved: () => test(key, again) }))
  return tableRow(columns, [
    [h('strong', {}, key.name), h('p', { class: 'quiet' }, provider, key.lastFour && [' · ends in ', h('code', {}, key.lastFour)])],
    h('div', { class: 'order' }, String(key.priority), mover(keys, i, -1, report, again), mover(keys, i, 1, report, again)),
    [keyState(key), report],
    meter(key),
    [key.allowedModels.length ? key.allowedModels.join(', ') : 'all', key.defaultModel && h('p', { class: 'quiet' }, 'default ', key.defaultModel)],
    [moment(key.lastUsedAt), h('p', { class: 'quiet' }, `${count(key.usageCount)} requests`)],
    h('div', { class: 'buttons' },
      button('Test', () => test(key, again), { 'aria-label': `Test ${key.name}`, 'data-key': `test ${key.id}` }),
      button('Edit', edit, { 'aria-label': `Edit ${key.name}`, 'data-key': `edit ${key.id}` }),
      menu('More', `More for ${key.name}`, [
        coolsDown(key) && button('End the cooldown', () => endCooldown(key, again), { 'aria-label': `End the cooldown of ${key.name}` }),
        button('Limits', () => { location.hash = routeTo('limits', { query: { subject: `key:${key.id}` } }) }, { 'aria-label': `Limits of ${key.name}` }),
        button('Rotate', rotate, { 'aria-label': `Rotate the secret of ${key.name}` }),
        !key.blocked && button(key.enabled ? 'Disable' : 'Enable', () => change(key, { enabled: !key.enabled }, report, again), { 'aria-label': `${key.enabled ? 'Disable' : 'Enable'} ${key.name}` }),
        button('Delete', () => confirm(`Delete ${key.name}?`, 'The gateway forgets the key. Its past requests stay in the log.', 'Delete the key', async () => {
          await remove(`/api/keys/${key.id}`)
          again()
        }), { kind: 'danger', 'aria-label': `Delete ${key.name}` })])),
  ])
}

/** A button that moves a key before or after its neighbour. If both have the same priority it changes by one. */
function mover(keys, i, step, report, again) {
  const key = keys[i]
  const other = keys[i + step]
  const to = other ? (other.priority === key.priority ? key.priority + step : other.priority + (step < 0 ? -1 : 1)) : key.priority
  const priority = Math.max(0, Math.min(1000, to))
  const label = step < 0 ? `Try ${key.name} earlier` : `Try ${key.name} later`
  return button(step < 0 ? '↑' : '↓', async () => {
    announce(`${key.name} gets priority ${priority}`)
    await change(key, { priority }, report, again)
  }, { kind: 'small', 'aria-label': label, 'data-key': `${step} ${key.id}`, disabled: priority === key.priority })
}

function endCooldown(key, again) {
  confirm(`End the cooldown of ${key.name}?`, 'Requests use the key and all its models again at once. The used part of its quota of today becomes 0, too.', 'End the cooldown', async () => {
    await post(`/api/keys/${key.id}/reset`)
    again()
  })
}

async function change(key, fields, report, again) {
  try {
    await patch(`/api/keys/${key.id}`, fields)
    again()
  } catch (error) {
    report.replaceChildren(state('bad', error.message))
  }
}

// The results of tests by key, since the page was opened.
const results = new Map()

function tested({ id }) {
  const result = results.get(id)
  if (!result) return null
  return result.calling ? h('span', { class: 'quiet' }, 'Calling the provider…') : state(result.ok ? 'good' : 'bad', result.text)
}

/** Asks the provider whether the key works, and shows what that changes of its state. */
async function test(key, again) {
  if (results.get(key.id)?.calling) return
  results.set(key.id, { calling: true })
  again()
  let result
  try {
    const { ok, message, latencyMs } = await post(`/api/keys/${key.id}/test`)
    result = { ok, text: `${ok ? 'The key works' : message} (${latencyMs} ms)` }
  } catch (error) {
    result = { ok: false, text: error.message }
  }
  results.set(key.id, result)
  announce(result.text)
  again()
}
