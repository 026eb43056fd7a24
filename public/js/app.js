// The dashboard: who is there, which view the address names, and the frame around it.

import { get, onSignedOut } from './api.js'
import { announce, h } from './dom.js'
import { parseRoute, routeTo } from './route.js'
import { shell } from './shell.js'
import { failure } from './widget.js'
import { gate } from './views/gate.js'

// Views are loaded when they are first shown.
const views = {
  overview: () => import('./views/overview.js'),
  keys: () => import('./views/keys.js'),
  tokens: () => import('./views/tokens.js'),
  playground: () => import('./views/playground.js'),
  requests: () => import('./views/requests.js'),
  request: () => import('./views/request.js'),
  jobs: () => import('./views/jobs.js'),
  job: () => import('./views/job.js'),
  settings: () => import('./views/settings.js'),
  docs: () => import('./views/docs.js'),
}

const root = document.getElementById('app')
let user = null
let leaving = new AbortController()

async function start() {
  try {
    user = (await get('/api/auth/me')).user
  } catch (error) {
    user = null
    if (error.status !== 401) return showUnreachable(error)
  }
  await show()
}

/** The gateway does not answer, or says (503) which of its settings is wrong. */
function showUnreachable(error) {
  const title = error.status === 503 ? 'The gateway is not ready' : error.status ? 'Something went wrong' : 'The gateway does not answer'
  root.replaceChildren(h('main', { id: 'main', class: 'gate', tabindex: -1 }, h('h1', {}, title), failure(error, start),
    error.status === 503 && h('p', { class: 'quiet' }, 'Whoever runs the gateway has to act: its log and /health/ready say more.')))
  document.title = `${title} · LLM Gateway`
}

async function show() {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  for (const dialog of document.querySelectorAll('dialog')) dialog.close()
  if (!user) return showGate()
  const route = parseRoute(location.hash)
  const load = views[route.name]
  const frame = shell(root, user, route.name, signedOut)
  if (!load) return frame.fill('Not found', h('p', {}, 'There is no such page. ', h('a', { href: routeTo('overview') }, 'To the overview')))
  try {
    const { title, view } = await load()
    if (signal.aborted) return
    frame.fill(title, view({ ...route, user, signal, refresh: show, setUser }))
  } catch (error) {
    if (!signal.aborted) frame.fill('This page cannot be shown', failure(error, show))
  }
}

function showGate() {
  root.replaceChildren(gate({ enter: async entered => {
    user = entered
    announce(`Logged in as ${user.email}`)
    await show()
  } }))
}

function setUser(changed) {
  user = changed
}

function signedOut() {
  if (!user) return
  user = null
  show()
}

onSignedOut(signedOut)
document.getElementById('skip').addEventListener('click', event => {
  event.preventDefault() // the # is the route's
  document.getElementById('main').focus()
})
addEventListener('hashchange', show)
start()
