// Aliases: names that stand for models, in the order of trying.

import { aliasBody, moved, targetText } from '../aliasview.js'
import { get, patch, post, remove } from '../api.js'
import { confirm, openDialog } from '../dialog.js'
import { announce, h } from '../dom.js'
import { field, form } from '../form.js'
import { button, empty, loaded, table, tableRow } from '../widget.js'

export const title = 'Aliases'

const columns = [['Name'], ['Models, in the order of trying'], ['Order'], ['Actions']]
const strategies = [['', 'as for other requests'], ['exhaust-first', 'in this order'], ['round-robin', 'in this order, keys in turn'], ['least-latency', 'the soonest to answer first'], ['cheapest', 'the cheapest first'], ['weighted', 'by chance, as weights say']]

export function view({ signal, user }) {
  const admin = user.role === 'admin'
  return loaded(async () => {
    const [{ aliases }, { providers }] = await Promise.all([get('/api/aliases', signal), get('/api/keys/catalog', signal)])
    return { aliases, providers }
  }, ({ aliases, providers }, again) => h('div', {},
    h('p', { class: 'lead' }, 'Requests may ask for an alias instead of a model. The next model serves if one is limited, overloaded or unknown. An alias may have the name of a model.'),
    h('div', { class: 'bar' }, button('Add an alias', () => edit({ name: '', targets: [{ model: '' }] }, { providers, admin, again }), { kind: 'primary' })),
    aliases.length ? table('Aliases', columns, aliases.map(alias => row(alias, { providers, admin, again })))
      : empty('No alias yet.')))
}

function row(alias, more) {
  const { name, targets, strategy, shared } = alias
  return tableRow(columns, [
    [h('strong', {}, name), shared && h('p', { class: 'quiet' }, 'for everyone')],
    h('ol', { class: 'plain' }, targets.map(t => h('li', {}, targetText(t)))),
    strategies.find(([value]) => value === (strategy ?? ''))?.[1] ?? strategy,
    !shared || more.admin ? h('div', { class: 'buttons' },
      button('Edit', () => edit(alias, more), { 'aria-label': `Edit ${name}`, 'data-key': `edit ${alias.id}` }),
      button('Delete', () => confirm(`Delete the alias ${name}?`, 'Requests that ask for it fail, unless it is the name of a model.', 'Delete the alias', async () => {
        await remove(`/api/aliases/${alias.id}`)
        more.again()
      }), { kind: 'danger', 'aria-label': `Delete ${name}` })) : h('span', { class: 'quiet' }, 'the admin’s'),
  ])
}

function edit(alias, { providers, admin, again }) {
  openDialog(alias.id ? `Edit ${alias.name}` : 'Add an alias', close => {
    const targets = targetList(alias.targets, providers)
    return form([
      field('name', 'Name', { value: alias.name, required: true, spellcheck: 'false', hint: 'As requests name it as their model.' }),
      targets.node,
      field('strategy', 'Order', { options: strategies, value: alias.strategy ?? '' }),
      admin && field('shared', 'For everyone', { type: 'checkbox', value: alias.shared, hint: 'A user’s own alias of the same name comes first.' }),
    ], {
      label: alias.id ? 'Save' : 'Add the alias', cancel: close,
      submit: async values => {
        const body = aliasBody(values, targets.value(), admin)
        await (alias.id ? patch(`/api/aliases/${alias.id}`, body) : post('/api/aliases', body))
        close()
        again()
      },
    })
  })
}

/** The targets, which are ordered by dragging or with the buttons of each. */
function targetList(list, providers) {
  let targets = list.map(t => ({ ...t }))
  let dragged = -1
  const rows = h('ol', { class: 'targets' })
  const move = (from, to, control) => {
    const next = moved(targets, from, to)
    if (next === targets) return
    targets = next
    draw()
    announce(`${targets[to].model || 'The model'} is number ${to + 1} of ${targets.length}`)
    rows.children[to].querySelector(control)?.focus()
  }
  const draw = () => rows.replaceChildren(...targets.map((t, i) => {
    const name = `model ${i + 1}`
    const input = (member, label, more = {}) => h('input', { value: t[member] ?? '', 'aria-label': `${label} of ${name}`, oninput: e => { t[member] = e.target.value }, ...more })
    return h('li', {
      ondragover: e => { if (dragged >= 0) e.preventDefault() },
      ondrop: e => {
        e.preventDefault()
        move(dragged, i, '.up')
        dragged = -1
      },
    },
    h('span', {
      class: 'grip', draggable: 'true', title: 'Drag to change the order', 'aria-hidden': 'true',
      ondragstart: e => {
        dragged = i
        e.dataTransfer.setData('text/plain', t.model)
      },
      ondragend: () => { dragged = -1 },
    }, '⠿'),
    input('model', 'Name', { list: 'alias-models', spellcheck: 'false', placeholder: 'model' }),
    h('select', { 'aria-label': `Provider of ${name}`, onchange: e => { t.provider = e.target.value } },
      [['', 'any provider'], ...providers.map(p => [p.id, p.name])].map(([value, text]) => h('option', { value, selected: value === (t.provider ?? '') }, text))),
    input('weight', 'Weight', { inputmode: 'numeric', class: 'short', placeholder: '1' }),
    button('Up', () => move(i, i - 1, '.up'), { kind: 'up', 'aria-label': `Move ${name} up`, 'aria-disabled': i === 0 && 'true' }),
    button('Down', () => move(i, i + 1, '.down'), { kind: 'down', 'aria-label': `Move ${name} down`, 'aria-disabled': i === targets.length - 1 && 'true' }),
    button('Remove', () => {
      targets = targets.filter(o => o !== t)
      draw()
      more.focus()
    }, { 'aria-label': `Remove ${name}` }))
  }))
  const more = button('Add a model', () => {
    targets.push({ model: '' })
    draw()
    rows.lastChild.querySelector('input').focus()
  })
  draw()
  return {
    node: h('div', { class: 'field', 'data-field': 'targets', role: 'group', 'aria-label': 'Models' }, h('p', {}, 'Models, in the order of trying'), rows, more,
      h('datalist', { id: 'alias-models' }, [...new Set(providers.flatMap(p => p.models.map(m => m.id)))].slice(0, 300).map(value => h('option', { value }))),
      h('p', { class: 'error' })),
    value: () => targets,
  }
}
