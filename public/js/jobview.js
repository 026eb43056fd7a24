// An asynchronous request: its state in words, its path, and how to cancel it.

import { remove } from './api.js'
import { confirm } from './dialog.js'
import { state } from './widget.js'

const states = {
  queued: ['wait', 'Waiting'], running: ['wait', 'Running'], completed: ['good', 'Answered'],
  failed: ['bad', 'Failed'], cancelled: ['off', 'Cancelled'], expired: ['off', 'Expired'],
}

/** @param {string} status as the API says it */
export function jobState(status) {
  const [kind, text] = states[status] ?? ['off', status]
  return state(kind, text)
}

/** Reports whether the request can still be cancelled. */
export const isOpen = status => status === 'queued' || status === 'running'

/** Returns the path to poll and to cancel. */
export const jobPath = id => `/api/chat/${encodeURIComponent(id)}`

/** Asks for a confirmation, cancels, and calls done. */
export function cancelJob(id, done) {
  confirm(`Cancel ${id}?`, 'It will not be answered. A call that is running is aborted; the provider may still charge for it.', 'Cancel the request', async () => {
    await remove(jobPath(id))
    done()
  }, 'Keep it')
}
