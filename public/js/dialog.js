// Dialogs. The browser's own <dialog> keeps the focus within, and Escape closes it.

import { h, newId } from './dom.js'
import { remember } from './place.js'
import { failure } from './widget.js'

/**
 * Opens a dialog. content is called with what closes it, and with what holds it: a held one shows what cannot be
 * shown again, and only its own button closes it.
 */
export function openDialog(title, content) {
  const id = newId('dialog')
  const back = remember(document.body)
  let held = null
  const refuse = event => {
    if (!held) return
    event.preventDefault()
    held()
  }
  const dialog = h('dialog', {
    'aria-labelledby': id, oncancel: refuse, onkeydown: event => { if (event.key === 'Escape') refuse(event) },
    onclose: () => {
      if (held) return dialog.showModal() // browsers close at the second Escape, whatever the page says
      dialog.remove()
      if (document.activeElement === document.body) back(document.body)
    },
  }, h('h2', { id }, title))
  const close = () => {
    held = null
    delete dialog.dataset.held
    dialog.close()
  }
  const hold = refused => {
    held = refused
    dialog.dataset.held = ''
  }
  dialog.append(content(close, hold))
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

/** Closes what is open, but for what cannot be shown again. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog:not([data-held])')) dialog.close()
}

/** Takes the open dialog away with all that was typed. @returns {() => boolean} shows it again; whether there was one */
export function parkDialog() {
  const dialog = [...document.querySelectorAll('dialog[open]')].pop()
  dialog?.remove() // no event: it is not over
  return whenClosed => {
    if (!dialog) return false
    dialog.removeAttribute('open')
    document.body.append(dialog)
    dialog.addEventListener('close', whenClosed, { once: true })
    dialog.showModal()
    return true
  }
}

/** Asks before something is done that cannot be undone. */
export function confirm(title, text, action, act, otherwise = 'Cancel') {
  openDialog(title, close => {
    const problem = h('div', {})
    let busy = false
    const go = h('button', { type: 'button', class: 'danger', onclick: async () => {
      if (busy) return
      busy = true
      try {
        await act()
        close()
      } catch (error) {
        problem.replaceChildren(failure(error))
      }
      busy = false
    } }, action)
    return h('div', {}, h('p', {}, text), problem,
      h('div', { class: 'buttons' }, go, h('button', { type: 'button', autofocus: true, onclick: close }, otherwise)))
  })
}
