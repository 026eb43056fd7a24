// Settings of the user and, for the admin, of the gateway.

import { get, patch, post, put, remove } from '../api.js'
import { admin } from '../admin.js'
import { agentName } from '../agent.js'
import { confirm } from '../dialog.js'
import { h } from '../dom.js'
import { ago, time } from '../format.js'
import { field, form } from '../form.js'
import { button, failure, loaded, moment, section, table } from '../widget.js'

export const title = 'Settings'

const strategies = [['', 'the gateway’s default'], ['exhaust-first', 'exhaust-first: stay on a key until its quota is spent'], ['round-robin', 'round-robin: use all keys in turn'],
  ['least-latency', 'least-latency: the key that has answered soonest lately'], ['cheapest', 'cheapest: by the price of the request'], ['weighted', 'weighted: by chance']]

export function view(context) {
  const all = sessions(context)
  return h('div', {}, section('Account', account(context)), section('Password', password(context, all.reload)), section('Sessions', all), section('What is stored', stored()), section('Delete the account', deletion(context)),
    context.user.role === 'admin' && admin(context))
}

function account({ user, setUser }) {
  const said = h('span', { role: 'status', class: 'quiet' })
  const it = form([
    field('name', 'Name', { value: user.name, autocomplete: 'name' }),
    field('strategy', 'Strategy among keys of equal priority', { options: strategies, value: user.strategy ?? '' }),
  ], { label: 'Save', submit: async ({ name, strategy }) => {
    setUser((await patch('/api/auth/me', { name, strategy: strategy || null })).user)
    said.textContent = 'Saved'
  } })
  it.querySelector('.buttons').append(said)
  return h('div', {}, h('p', {}, `${user.email}, ${user.role === 'admin' ? 'an admin' : 'a user'} since ${time(user.createdAt)}`), it)
}

/** What the gateway keeps of requests and answers. */
function stored() {
  return h('p', {}, 'Prompts and answers are not logged. The gateway keeps, encrypted and for a limited time: reasoning that a provider wants back, asynchronous requests and their results, and responses of /v1/responses that later requests may refer to, unless the request sets store to false or the gateway stores none (RESPONSE_STORE). Only the gateway token that asked for a response can read it, or delete it (DELETE /v1/responses/ID). Deleting the token deletes its responses.')
}

/** Tells password managers whose password a form asks for. */
function username(user) {
  return h('input', { type: 'text', class: 'hidden', autocomplete: 'username', value: user.email, readonly: true, tabindex: -1, 'aria-hidden': 'true' })
}

function password({ user }, reload) {
  const said = h('span', { role: 'status', class: 'quiet' })
  const it = form([
    username(user),
    field('currentPassword', 'Current password', { type: 'password', autocomplete: 'current-password' }),
    field('newPassword', 'New password', { type: 'password', autocomplete: 'new-password', hint: 'At least 10 characters. All other sessions end.' }),
    field('revokeTokens', 'Disable my gateway tokens, too', { type: 'checkbox' }),
  ], { label: 'Change the password', submit: async values => {
    said.textContent = ''
    await put('/api/auth/password', values)
    it.reset()
    said.textContent = 'The password is changed, and all other sessions have ended.'
    reload()
  } })
  it.querySelector('.buttons').append(said)
  return it
}

function sessions({ signal }) {
  return loaded(() => get('/api/auth/sessions', signal), ({ sessions: all }, again) => {
    const problem = h('div', {})
    const end = async (...ids) => {
      try {
        await Promise.all(ids.map(id => remove(`/api/auth/sessions/${id}`)))
        again()
      } catch (error) {
        problem.replaceChildren(failure(error))
      }
    }
    const revokeAll = () => confirm('Revoke everything?', 'All your other sessions end, and all your gateway tokens are disabled: applications that use them are refused until you enable them again, one by one.',
      'Revoke everything', async () => {
        await post('/api/auth/revoke', { tokens: true })
        again()
      })
    const endOthers = () => end(...all.filter(s => !s.current).map(s => s.id))
    return h('div', {}, problem, table('Sessions', [['Browser'], ['Address'], ['Began'], ['Last seen'], ['Ends'], ['Actions']], all.map(s => [
      [h('span', { title: s.userAgent }, agentName(s.userAgent)), s.current && h('p', { class: 'quiet' }, 'this one')], s.address, time(s.createdAt), moment(s.lastSeenAt), time(s.expiresAt),
      s.current ? '' : button('End', () => end(s.id), { 'aria-label': `End the session of ${agentName(s.userAgent)}, last seen ${ago(s.lastSeenAt)}`, 'data-key': `end ${s.id}` })])),
    h('div', { class: 'buttons' }, all.length > 1 && button('End all others', endOthers), button('Revoke everything', revokeAll)))
  })
}

function deletion({ user }) {
  return h('div', {}, h('p', {}, 'Your keys, tokens, requests and usage are deleted with it. This cannot be undone.'), form([
    username(user),
    field('password', 'Password', { type: 'password', autocomplete: 'current-password' }),
  ], { label: 'Delete my account', submit: async values => {
    await post('/api/auth/me/delete', values)
    location.reload() // to the login
  } }))
}
