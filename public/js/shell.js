// The frame of every view: navigation, theme and the user who is logged in.

import { post } from './api.js'
import { h } from './dom.js'
import { routeTo } from './route.js'
import { button } from './widget.js'

const pages = [
  ['overview', 'Overview'], ['usage', 'Usage'], ['keys', 'Provider keys'], ['tokens', 'Tokens'], ['limits', 'Limits'], ['aliases', 'Aliases'], ['playground', 'Playground'],
  ['requests', 'Requests'], ['jobs', 'Jobs'], ['settings', 'Settings'], ['docs', 'Docs'],
]
// Views of one thing, and the page that lists them.
const listOf = { request: 'requests', job: 'jobs' }
const themes = { '': 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }

/** A button that switches from system to light to dark. */
export function themeSwitch() {
  const now = () => document.documentElement.dataset.theme ?? ''
  const it = button(themes[now()], () => {
    const next = { '': 'light', light: 'dark', dark: '' }[now()]
    if (next) document.documentElement.dataset.theme = next
    else delete document.documentElement.dataset.theme
    try {
      if (next) localStorage.setItem('theme', next)
      else localStorage.removeItem('theme')
    } catch { /* storage is off: the theme is kept until the page is left */ }
    it.textContent = themes[next]
  }, { kind: 'quiet' })
  return it
}

/** Makes the frame in root once, and marks the page in the navigation. */
export function shell(root, user, current, signedOut) {
  let main = root.querySelector('main.page')
  if (!main) {
    main = h('main', { id: 'main', class: 'page', tabindex: -1 })
    root.replaceChildren(h('div', { class: 'frame' }, sidebar(user, signedOut), main))
  }
  const listed = Object.hasOwn(listOf, current) ? listOf[current] : current
  for (const link of root.querySelectorAll('nav a')) {
    if (link.dataset.page === listed) {
      link.setAttribute('aria-current', 'page')
      const nav = link.closest('nav') // scrolls sideways on phones
      nav.scrollLeft += link.getBoundingClientRect().left - nav.getBoundingClientRect().left - 16
    } else link.removeAttribute('aria-current')
  }
  return { main, label: pages.find(([name]) => name === listed)?.[1] ?? 'LLM Gateway', fill: (title, content) => fill(main, title, content) }
}

function fill(main, title, content) {
  main.removeAttribute('aria-busy')
  main.replaceChildren(h('h1', {}, title), content)
  document.title = `${title} · LLM Gateway`
  main.focus({ preventScroll: true })
  scrollTo(0, 0)
}

function sidebar(user, signedOut) {
  const problem = h('p', { class: 'error', role: 'alert' })
  const leave = async () => {
    problem.textContent = ''
    try {
      await post('/api/auth/logout')
    } catch (error) {
      // 401: there is no session to end. After any other error the session still exists, and the user has to know.
      if (error.status !== 401) return void (problem.textContent = `You are still logged in. ${error.message}`)
    }
    signedOut()
  }
  return h('header', { class: 'side' },
    h('p', { class: 'brand' }, 'LLM Gateway'),
    h('nav', { 'aria-label': 'Pages' }, h('ul', {}, pages.map(([name, label]) => h('li', {}, h('a', { href: routeTo(name), 'data-page': name }, label))))),
    h('div', { class: 'who' }, h('span', { class: 'quiet', title: user.email }, user.email), themeSwitch(), button('Log out', leave, { kind: 'quiet' }), problem))
}
