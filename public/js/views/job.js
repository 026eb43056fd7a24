// One asynchronous request: its state, and its answer or error.

import { get, request, withQuery } from '../api.js'
import { announce, h } from '../dom.js'
import { count, localTimes, time, words } from '../format.js'
import { answerText } from '../jobanswer.js'
import { cancelJob, isOpen, jobPath, jobState } from '../jobview.js'
import { routeTo } from '../route.js'
import { button, codeBlock, failure, loaded, moment } from '../widget.js'

export const title = 'Job'

// How long a poll waits while a worker runs the request, in milliseconds. A poll that runs the request itself waits to its end.
const pollTimeout = 60_000

export function view({ id, signal }) {
  return h('div', {}, h('p', { class: 'up' }, h('a', { href: routeTo('jobs') }, '← All jobs')),
    loaded(() => load(id, signal), (job, again) => show(id, job, again, signal)))
}

/** Returns the answer to a poll, and the row of the list if it is among the newest. */
async function load(id, signal) {
  const { error, ...polled } = await poll(id, 0, signal).catch(error => ({ error }))
  const row = await find(id, signal)
  if (!error) return { ...row, ...polled }
  // The error is that of the request only if the list says that it is over: else the poll failed.
  const status = row && !isOpen(row.status) ? row.status : { CONFLICT: 'cancelled', GONE: 'expired' }[error.code]
  if (!status) throw error
  return { ...row, status, message: error.message }
}

async function poll(id, timeout, signal) {
  const answer = await request('GET', `${jobPath(id)}?timeout=${timeout}`, { signal })
  const body = await answer.json()
  return answer.status === 202 ? { status: body.status } : { status: 'completed', body, head: answer.headers }
}

async function find(id, signal) {
  let cursor = ''
  for (let page = 0; page < 5 && cursor !== null; page++) {
    const { jobs, nextCursor } = await get(withQuery('/api/queue/jobs', { cursor, limit: 200 }), signal)
    const row = jobs.find(job => job.requestId === id)
    if (row) return row
    cursor = nextCursor
  }
  return null
}

function show(id, job, again, signal) {
  const names = ['X-LLM-Provider', 'X-LLM-Model', 'X-LLM-Warnings']
  const facts = [['Request', h('code', {}, id)], ['State', jobState(job.status)], job.message && ['Reason', localTimes(job.message)],
    job.createdAt && ['Sent', moment(job.createdAt)], job.endedAt && ['Ended', time(job.endedAt)], job.createdAt && ['Attempts', count(job.attempts)],
    ...names.map(name => job.head?.get(name) && [words(name.slice(6)), job.head.get(name)])]
  return h('div', {},
    h('dl', { class: 'facts' }, facts.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    isOpen(job.status) && waiting(id, again, signal),
    job.body && h('section', { 'aria-label': 'Answer' }, answer(job.body)))
}

function waiting(id, again, signal) {
  const report = h('div', { role: 'status' })
  const pollButton = button('Get the answer', async () => {
    pollButton.disabled = true
    report.replaceChildren(h('p', { class: 'quiet' }, 'Waiting for the answer… The request goes on if you leave this page.'))
    try {
      const { status } = await poll(id, pollTimeout, signal)
      if (!isOpen(status)) return over()
      report.replaceChildren(h('p', {}, status === 'queued' ? 'Still waiting: no worker has taken it yet, or it will be tried again later.' : 'Still running.'))
    } catch (error) {
      if (signal.aborted) return
      if (error.status) return over() // it failed or was cancelled: the new page says so
      report.replaceChildren(failure(error))
    }
    pollButton.disabled = false
  }, { kind: 'primary' })
  const over = () => {
    announce('The request is over')
    again()
  }
  return h('section', { 'aria-label': 'Waiting' },
    h('p', { class: 'lead' }, 'Without a worker or a poll nothing runs. “Get the answer” polls: if this gateway has no worker it runs the request now, else it waits for the worker.'),
    h('div', { class: 'bar' }, pollButton, button('Cancel', () => cancelJob(id, again), { kind: 'danger' })), report)
}

function answer(body) {
  const text = answerText(body)
  return h('div', {}, text ? h('div', { class: 'answer' }, h('div', { class: 'text' }, text)) : h('p', { class: 'quiet' }, 'The answer has no text.'),
    h('details', { class: 'behind' }, h('summary', {}, 'As JSON'), codeBlock(JSON.stringify(body, null, 2), 'The answer as JSON')))
}
