// The three steps from an empty gateway to the first answer.

import { h } from './dom.js'
import { routeTo } from './route.js'
import { section } from './widget.js'

/** Returns null once all three are done. */
export function checklist(keys, tokens) {
  const sent = [...keys, ...tokens].some(o => o.usageCount > 0)
  const steps = [
    [keys.length > 0, 'keys', 'Add a provider key', 'The gateway stores it encrypted and calls the provider with it.'],
    [tokens.length > 0, 'tokens', 'Create a token', 'Your programs use it instead of the provider’s key.'],
    [sent, 'playground', 'Send the first request', 'From the playground, or with the token.'],
  ]
  if (steps.every(([done]) => done)) return null
  return section('First steps', h('ol', { class: 'steps' }, steps.map(([done, page, label, why]) => h('li', { class: done ? 'done' : '' },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, done ? '✓' : '○'),
    h('div', {}, h('a', { href: routeTo(page) }, label), done && h('span', { class: 'hidden' }, ' (done)'), h('p', { class: 'quiet' }, why))))))
}
