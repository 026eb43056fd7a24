// Limits of tokens, keys, users, end users and the gateway.

import { get, patch, post, remove, withQuery } from '../api.js'
import { confirm, openDialog } from '../dialog.js'
import { announce, h } from '../dom.js'
import { field, form } from '../form.js'
import { amountOf, limitBody, limitChange, resetOf, ruleOf, subjectOf, termsOf } from '../limitview.js'
import { routeTo } from '../route.js'
import { button, empty, loaded, state, table, tableRow } from '../widget.js'

export const title = 'Limits'

const columns = [['Limit'], ['Used', 'number'], ['Held', 'number'], ['Left', 'number'], ['Unconfirmed', 'number'], ['Starts again'], ['Actions']]
const metrics = [['requests', 'Requests'], ['tokens', 'Tokens'], ['cost', 'Cost in USD']]
const windows = [['minute', 'each minute'], ['hour', 'each hour'], ['day', 'each day'], ['week', 'each week, from Monday'], ['month', 'each month'], ['total', 'in total']]

/** All pages of a list. */
async function everything(path, name, signal, more = {}) {
  const all = []
  for (let cursor = ''; cursor !== null && cursor !== undefined;) {
    const page = await get(withQuery(path, { ...more, limit: 200, cursor }), signal)
    all.push(...page[name])
    cursor = page.nextCursor
  }
  return all
}

export function view({ signal, user, query }) {
  const admin = user.role === 'admin'
  const all = admin && query.scope === 'all'
  const load = async () => {
    const [limits, { tokens }, { keys }, users, allTokens, allKeys] = await Promise.all([
      all ? everything('/api/limits', 'limits', signal, { scope: 'all' }) : get('/api/limits', signal).then(a => a.limits),
      get('/api/tokens', signal), get('/api/keys', signal),
      admin ? everything('/api/users', 'users', signal) : [user],
      all ? everything('/api/admin/tokens', 'tokens', signal) : [], all ? everything('/api/admin/keys', 'keys', signal) : [],
    ])
    const names = Object.fromEntries([...allTokens, ...allKeys].map(o => [o.id, `${o.name} (${o.email})`]))
    for (const o of [...tokens, ...keys]) names[o.id] = o.name
    for (const u of users) names[u.id] = u.email
    return { limits, tokens, keys, users, names }
  }
  return loaded(load, ({ limits, tokens, keys, users, names }, again) => h('div', {},
    h('p', { class: 'lead' }, 'A limit bounds the requests, the tokens or the cost of a token, a key, a user, an end user or the whole gateway. All limits that apply hold together.'),
    h('div', { class: 'bar' }, button('Add a limit', () => add({ tokens, keys, users, admin, query, again }), { kind: 'primary' }),
      admin && h('a', { class: 'button', href: routeTo('limits', { query: all ? {} : { scope: 'all' } }) }, all ? 'Show only mine' : 'Show those of all users')),
    limits.length ? table('Limits', columns, limits.map(limit => row(limit, names, { user, admin }, again)))
      : empty('No limit yet. Without one, a token may spend whatever its user’s keys allow.')))
}

function add({ tokens, keys, users, admin, query, again }) {
  const subjects = [
    ...tokens.map(t => [`token:${t.id}`, `Token ${t.name}`]), ...tokens.filter(t => t.endUsers).map(t => [`endUser:${t.id}`, `End users of ${t.name}`]),
    ...keys.map(k => [`key:${k.id}`, `Key ${k.name}`]),
    ...(admin ? [...users.map(u => [`user:${u.id}`, `User ${u.email}`]), ['gateway', 'The whole gateway']] : []),
  ]
  openDialog('Add a limit', close => {
    if (!subjects.length) return h('div', {}, h('p', {}, 'Create a token or add a key first.'), h('div', { class: 'buttons' }, button('Close', close)))
    const chosen = subjects.some(([v]) => v === query.subject) ? query.subject : subjects[0][0]
    const who = field('endUser', 'End user', { hint: 'As requests name it. Empty: each end user has the amount.' })
    const show = subject => { who.hidden = !subject.startsWith('endUser:') }
    show(chosen)
    return form([
      field('subject', 'Of', { options: subjects, value: chosen, onchange: event => show(event.target.value) }), who,
      h('div', { class: 'pair' }, field('metric', 'What', { options: metrics, value: 'requests' }), field('window', 'When', { options: windows, value: 'day' })),
      ...terms({}),
    ], {
      label: 'Add the limit', cancel: close,
      submit: async values => {
        await post('/api/limits', limitBody(values))
        close()
        again()
      },
    })
  })
}

/** The fields that can be changed later. */
function terms({ amount, models = [], strict = false, onReached }) {
  return [
    field('amount', 'Amount', { inputmode: 'decimal', value: amount === undefined ? '' : String(amount), required: true, hint: 'A whole number, or dollars.' }),
    field('models', 'Models', { value: models.join(', '), hint: 'Names or prefixes with *, separated by commas. Empty: all.' }),
    field('onReached', 'Then use the model', { value: onReached?.model ?? '', hint: 'It serves once the limit is reached. Empty: requests are refused.' }),
    field('strict', 'Strict', { type: 'checkbox', value: strict, hint: 'Tokens and cost never pass the amount: answers become shorter near its end.' }),
  ]
}

function row(limit, names, { user, admin }, again) {
  const whose = subjectOf(limit, names)
  const name = `${ruleOf(limit)}, ${whose}`
  const rest = termsOf(limit)
  const reset = resetOf(limit)
  const ofAdmin = limit.subject.type === 'user' || limit.subject.type === 'gateway'
  const mine = limit.amount !== undefined && (ofAdmin ? admin : Object.hasOwn(names, limit.subject.token ?? limit.subject.id) && !/ \(.*@.*\)$/.test(names[limit.subject.token ?? limit.subject.id]))
  const reached = limit.amount !== undefined && limit.remaining <= 0
  return tableRow(columns, [
    [h('strong', {}, ruleOf(limit)), h('p', { class: 'quiet' }, whose), rest && h('p', { class: 'quiet' }, rest), reached && state('bad', 'Reached')],
    ...['used', 'held', 'remaining', 'unconfirmed'].map(part => amountOf(limit, limit[part])),
    h('span', { title: reset.title }, reset.text),
    mine ? h('div', { class: 'buttons' },
      button('Edit', () => edit(limit, name, again), { 'aria-label': `Edit ${name}`, 'data-key': `edit ${limit.id}` }),
      button('Reset', () => restart(limit, name, again), { 'aria-label': `Reset ${name}`, 'data-key': `reset ${limit.id}` }),
      button('Delete', () => confirm(`Delete the limit of ${name}?`, 'What it counted is forgotten.', 'Delete the limit', async () => {
        await remove(`/api/limits/${limit.id}`)
        again()
      }), { kind: 'danger', 'aria-label': `Delete ${name}` }))
      : h('span', { class: 'quiet' }, ofAdmin ? 'set by the admin' : 'its owner’s'),
  ])
}

function edit(limit, name, again) {
  openDialog(`Edit ${name}`, close => form(terms(limit), {
    label: 'Save', cancel: close,
    submit: async values => {
      await patch(`/api/limits/${limit.id}`, limitChange(values))
      close()
      again()
    },
  }))
}

function restart(limit, name, again) {
  openDialog(`Reset ${name}?`, close => h('div', {},
    h('p', {}, 'A new count of the current window begins at 0. Requests under way stay in the old one.'),
    form([field('note', 'Note', { hint: 'Why. It is written into the gateway’s log.' })], {
      label: 'Reset the limit', cancel: close,
      submit: async ({ note }) => {
        await post(`/api/limits/${limit.id}/reset`, note ? { note } : undefined)
        close()
        announce('A new count has begun')
        again()
      },
    })))
}
