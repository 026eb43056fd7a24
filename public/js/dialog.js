// Dialogs. The browser's <dialog> keeps the focus inside, and Escape closes it.

import { h, newId } from './dom.js'
import { remember } from './place.js'
import { failure } from './widget.js'

/**
 * Opens a dialog.
 * @param {(close: () => void, lock: (refused: () => void) => void) => Node} content makes the content. A locked dialog
 *   shows something that cannot be shown again: only its own button closes it, and refused is called at other attempts.
 */
export function openDialog(title, content) {
  const id = newId('dialog')
  const back = remember(document.body)
  let refused = null
  const refuse = event => {
    if (!refused) return
    event.preventDefault()
    refused()
  }
  // Escape asks before it throws away what was typed. A second Escape does it.
  const ask = event => {
    if (refused || event.defaultPrevented || !isChanged(dialog) || dialog.querySelector('.unsaved')) return
    event.preventDefault()
    const was = document.activeElement
    const keep = h('button', { type: 'button', onclick: () => { question.remove(); was.focus() } }, 'Keep editing')
    const question = h('div', { class: 'unsaved', role: 'alert' }, h('p', {}, 'Close, and lose what you have typed?'),
      h('div', { class: 'buttons' }, keep, h('button', { type: 'button', class: 'danger', onclick: () => dialog.close() }, 'Close')))
    dialog.querySelector('h2').after(question)
    keep.focus()
  }
  const dialog = h('dialog', {
    'aria-labelledby': id, oncancel: event => { refuse(event); ask(event) }, onkeydown: event => { if (event.key === 'Escape') { refuse(event); ask(event) } },
    onclose: () => {
      if (refused) return dialog.showModal() // browsers close at the second Escape, whatever the page says
      dialog.remove()
      if (document.activeElement === document.body) back(document.body)
    },
  }, h('h2', { id }, title))
  const close = () => {
    refused = null
    delete dialog.dataset.locked
    dialog.close()
  }
  const lock = listener => {
    refused = listener
    dialog.dataset.locked = ''
  }
  dialog.append(content(close, lock))
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}

/** Reports whether a field has another value than when it was made. */
function isChanged(dialog) {
  return [...dialog.querySelectorAll('form input, form textarea, form select')].some(it => {
    if (it.localName === 'select') return it.selectedIndex !== Math.max(0, [...it.options].findIndex(o => o.defaultSelected))
    return it.type === 'checkbox' || it.type === 'radio' ? it.checked !== it.defaultChecked : it.value !== it.defaultValue
  })
}

/** Closes all open dialogs that are not locked. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog:not([data-locked])')) dialog.close()
}

/** Removes the open dialog and keeps its input. @returns {(whenClosed: () => void) => boolean} shows it again; reports whether there was one */
export function parkDialog() {
  const dialog = [...document.querySelectorAll('dialog[open]')].pop()
  dialog?.remove() // without a close event: it will be shown again
  return whenClosed => {
    if (!dialog) return false
    dialog.removeAttribute('open')
    document.body.append(dialog)
    dialog.addEventListener('close', whenClosed, { once: true })
    dialog.showModal()
    return true
  }
}

/** Asks for a confirmation, then acts. */
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
