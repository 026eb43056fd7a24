// Starts the dashboard: finds the user, and shows the view that the address names inside the frame.

import { ApiError, get, onSignedOut } from './api.js'
import { closeDialogs, parkDialog } from './dialog.js'
import { announce, h } from './dom.js'
import { arrive, forget } from './entries.js'
import { remember, swap } from './place.js'
import { parseRoute, routeTo } from './route.js'
import { takeSetupToken } from './setup.js'
import { shell } from './shell.js'
import { failure, making } from './widget.js'
import { gate } from './views/gate.js'

// Views are loaded when they are first shown.
const views = {
  overview: () => import('./views/overview.js'),
  usage: () => import('./views/usage.js'),
  keys: () => import('./views/keys.js'),
  tokens: () => import('./views/tokens.js'),
  limits: () => import('./views/limits.js'),
  aliases: () => import('./views/aliases.js'),
  playground: () => import('./views/playground.js'),
  requests: () => import('./views/requests.js'),
  request: () => import('./views/request.js'),
  jobs: () => import('./views/jobs.js'),
  job: () => import('./views/job.js'),
  settings: () => import('./views/settings.js'),
  docs: () => import('./views/docs.js'),
}
const ofOneThing = ['request', 'job']

// A view that loads faster is shown without "Loading…" before it.
const loadingDelay = 300 // ms

const root = document.getElementById('app')
let user = null
let leaving = new AbortController()
let entry = null // of the history, now shown
let page = '' // now in the frame: a route without its query
let setupToken = takeSetupToken()

history.scrollRestoration = 'manual'

async function start() {
  try {
    // A first visitor has no session to ask for.
    const status = hint.get() ? null : await get('/api/auth/status')
    if (status && !status.session) return showGate({ status })
    user = (await get('/api/auth/me')).user
  } catch (error) {
    user = null
    if (error.status !== 401) return showUnreachable(error)
  }
  await show()
}

// Remembers in this browser that somebody was logged in. Without storage the gateway is asked once more.
const hint = {
  get() {
    try {
      return localStorage.getItem('visited')
    } catch {
      return null
    }
  },
  set() {
    try {
      localStorage.setItem('visited', '1')
    } catch { /* storage is off */ }
  },
}

/** Shows that the gateway does not answer, or which of its settings is wrong (503). */
function showUnreachable(error) {
  const title = error.status === 503 ? 'The gateway is not ready' : error.status ? 'Something went wrong' : 'The gateway does not answer'
  root.replaceChildren(h('main', { id: 'main', class: 'gate', tabindex: -1 }, h('h1', {}, title), failure(error, start),
    error.status === 503 && h('p', { class: 'quiet' }, 'The operator of the gateway has to act: see its log and /health/ready.')))
  document.title = `${title} · LLM Gateway`
}

/** Shows the view that the address names. The view before stays until the new one has loaded. */
async function show() {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const linked = takeSetupToken() // of a link that was opened in this tab
  if (linked) setupToken = linked
  if (!user) return root.querySelector('main.gate form') && !linked ? null : showGate()
  hint.set()
  const { back } = travel()
  const route = parseRoute(location.hash)
  const frame = shell(root, user, route.name, signedOut)
  const known = Object.hasOwn(views, route.name) && (route.id !== '' || !ofOneThing.includes(route.name))
  if (!known) return fill(frame, '', 'Not found', h('p', {}, 'This page does not exist. ', h('a', { href: routeTo('overview') }, 'To the overview')))
  const slow = setTimeout(() => { if (!signal.aborted) fill(frame, '', frame.label, h('p', { class: 'quiet', role: 'status' }, 'Loading…')) }, loadingDelay)
  try {
    const { title, view } = await views[route.name]().catch(() => { throw new ApiError(0) })
    clearTimeout(slow)
    if (signal.aborted) return
    await present(frame, { ...route, user, signal, refresh: show, setUser, kept: entry.kept }, title, view, back)
  } catch (error) {
    clearTimeout(slow)
    // Browsers do not fetch a module again after a failure until the page is reloaded.
    if (!signal.aborted) fill(frame, '', 'This page cannot be shown', failure(error, () => location.reload()))
  }
}

async function present(frame, context, title, view, back) {
  const place = `${context.name}/${context.id}`
  const { node, ready } = making(() => view(context))
  const here = entry
  if (place === page) {
    frame.main.setAttribute('aria-busy', 'true')
    await ready
    if (context.signal.aborted) return
    frame.main.removeAttribute('aria-busy')
    swap(frame.main, h('h1', {}, title), node)
  } else {
    fill(frame, place, title, node)
    await ready
  }
  if (!back || context.signal.aborted) return
  scrollTo(0, here.scroll)
  here.restore?.(frame.main)
}

function fill(frame, place, title, content) {
  page = place
  frame.fill(title, content)
}

/** Keeps the state of the history's entry that is left, and returns the one that is shown now. */
function travel() {
  const main = root.querySelector('main.page')
  const left = entry
  const came = arrive()
  if (came.entry === left) return { back: false }
  if (left && main) Object.assign(left, { scroll: scrollY, restore: remember(main) })
  if (left) closeDialogs()
  entry = came.entry
  return came
}

function showGate({ notice = '', again = () => {}, was = null, status = null } = {}) {
  page = ''
  root.replaceChildren(gate({ notice, setupToken, status, enter: async entered => {
    if (was && was !== entered.id) forget()
    user = entered
    setupToken = ''
    entry = null
    announce(`Logged in as ${user.email}`)
    await show()
    if (was === entered.id) again()
  } }))
  document.getElementById('main').focus({ preventScroll: true })
}

function setUser(changed) {
  user = changed
}

/** @param {boolean} byUser whether the user logged out here; else the session ended elsewhere, and an open dialog is shown again after the login */
function signedOut(byUser = true) {
  if (!user) return
  const was = user.id
  leaving.abort()
  user = null
  if (byUser) {
    closeDialogs()
    forget()
    showGate()
    return announce('You are logged out')
  }
  const reopen = parkDialog()
  const notice = 'Your session has ended. Log in to go on.'
  showGate({ notice, was, again: () => reopen(show) })
  announce(notice)
}

onSignedOut(() => signedOut(false))
document.getElementById('skip').addEventListener('click', event => {
  event.preventDefault() // the fragment holds the route
  document.getElementById('main').focus()
})
addEventListener('hashchange', show)
start()
