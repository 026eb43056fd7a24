// Dialogs. The browser's own <dialog> keeps the focus within, and Escape closes it.

import { h, newId } from './dom.js'
import { failure } from './widget.js'

/** Opens a dialog. content is called with what closes it. */
export function openDialog(title, content) {
  const id = newId('dialog')
  const dialog = h('dialog', { 'aria-labelledby': id, onclose: () => dialog.remove() }, h('h2', { id }, title))
  dialog.append(content(() => dialog.close()))
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

/** Asks before something is done that cannot be undone. */
export function confirm(title, text, action, act, otherwise = 'Cancel') {
  openDialog(title, close => {
    const problem = h('div', {})
    const go = h('button', { type: 'button', class: 'danger', onclick: async () => {
      go.disabled = true
      try {
        await act()
        close()
      } catch (error) {
        problem.replaceChildren(failure(error))
        go.disabled = false
      }
    } }, action)
    return h('div', {}, h('p', {}, text), problem,
      h('div', { class: 'buttons' }, go, h('button', { type: 'button', autofocus: true, onclick: close }, otherwise)))
  })
}
