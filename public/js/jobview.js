// An asynchronous request: its state in words, its answer in whichever dialect it was asked, how it is cancelled.

import { remove } from './api.js'
import { confirm } from './dialog.js'
import { state } from './widget.js'

const states = {
  queued: ['wait', 'Waiting'], running: ['wait', 'Running'], completed: ['good', 'Answered'],
  failed: ['bad', 'Failed'], cancelled: ['off', 'Cancelled'], expired: ['off', 'Not kept any more'],
}

/** @param {string} status as the API says it */
export function jobState(status) {
  const [kind, text] = states[status] ?? ['off', status]
  return state(kind, text)
}

/** Whether it can still be cancelled. */
export const isOpen = status => status === 'queued' || status === 'running'

/** Where its answer is asked for and where it is cancelled. */
export const jobPath = id => `/api/chat/${encodeURIComponent(id)}`

/** Asks, cancels, and then calls done. */
export function cancelJob(id, done) {
  confirm(`Cancel ${id}?`, 'It is not answered any more. A call that already runs is broken off; the provider may charge for it.', 'Cancel the request', async () => {
    await remove(jobPath(id))
    done()
  }, 'Keep it')
}
