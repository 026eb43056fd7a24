// Shows the snippet of one language at a time.

import { h } from './dom.js'
import { snippets } from './snippet.js'
import { choice, codeBlock } from './widget.js'

export function snippetTabs(origin, token, model) {
  const all = snippets(origin, token, model)
  const box = h('div', {})
  const show = id => {
    const { code, label } = all.find(s => s.id === id)
    box.replaceChildren(codeBlock(code, label))
  }
  show(all[0].id)
  return h('div', { class: 'snippets' }, choice('Language', all.map(s => [s.id, s.label]), all[0].id, show), box)
}
