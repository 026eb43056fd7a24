// The pages without a session: creation of the first account, login and registration.

import { get, post } from '../api.js'
import { h } from '../dom.js'
import { field, form } from '../form.js'
import { themeSwitch } from '../shell.js'
import { button, loaded } from '../widget.js'

const email = () => field('email', 'E-mail address', { type: 'email', autocomplete: 'username', required: true })

/**
 * @param {{enter: (user: object) => Promise<void>, notice?: string, setupToken?: string, status?: object}} context
 *   notice: why the user has to log in again; setupToken: from the link that the gateway prints; status: of GET /api/auth/status, if it is known
 */
export function gate({ enter, notice, setupToken = '', status: known = null }) {
  document.title = 'LLM Gateway'
  return h('main', { id: 'main', class: 'gate', tabindex: -1 }, h('p', { class: 'brand' }, 'LLM Gateway'),
    notice && h('p', { class: 'notice' }, notice),
    loaded(async () => known ?? get('/api/auth/status'), status => status.setupRequired ? register(status, enter, { setupToken }) : doors(status, enter)),
    h('p', { class: 'foot' }, themeSwitch()))
}

function doors(status, enter) {
  const box = h('div', {})
  const login = () => box.replaceChildren(logIn(status, enter, () => box.replaceChildren(register(status, enter, { toLogin: login }))))
  login()
  return box
}

function logIn(status, enter, toRegister) {
  return h('div', {}, h('h1', {}, 'Log in'),
    form([email(), field('password', 'Password', { type: 'password', autocomplete: 'current-password', required: true })],
      { label: 'Log in', submit: async values => enter((await post('/api/auth/login', values)).user) }),
    status.registrationEnabled ? h('p', {}, 'No account yet? ', button('Register', toRegister, { kind: 'link' }))
      : h('p', { class: 'quiet' }, 'Registration is closed. The operator of this gateway can create an account for you.'))
}

function register(status, enter, { toLogin, setupToken }) {
  const first = status.setupRequired
  return h('div', {}, h('h1', {}, first ? 'Create the admin account' : 'Register'),
    first && h('p', {}, 'This gateway has no account yet. The first account becomes the admin.'),
    form([
      email(),
      field('password', 'Password', { type: 'password', autocomplete: 'new-password', required: true, hint: 'At least 10 characters. A long passphrase is best.' }),
      field('name', 'Name (optional)', { autocomplete: 'name' }),
      first && status.setupTokenRequired && field('setupToken', 'Set-up token', { value: setupToken, autocomplete: 'off', required: true,
        hint: 'The gateway prints a link with the token when it starts, and writes the token to the file setup-token in DATA_DIR. If SETUP_TOKEN is set, the token is its value.' }),
    ], { label: first ? 'Create the account' : 'Register', submit: async ({ name, ...values }) => {
      enter((await post('/api/auth/register', name ? { ...values, name } : values)).user)
    } }),
    toLogin && h('p', {}, button('Back to the login', toLogin, { kind: 'link' })))
}
