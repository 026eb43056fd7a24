// Tries a model out, by the session: no token is needed.

import { get, request } from '../api.js'
import { addEvent, emptyAnswer } from '../answer.js'
import { chatBody, readImages } from '../chatbody.js'
import { h } from '../dom.js'
import { field, form, valuesOf } from '../form.js'
import { count, duration, money } from '../format.js'
import { routeTo } from '../route.js'
import { curlChat } from '../snippet.js'
import { events } from '../sse.js'
import { button, copyButton, failure, loaded } from '../widget.js'

export const title = 'Playground'

export function view({ signal }) {
  return loaded(async () => {
    const [{ keys }, { providers }] = await Promise.all([get('/api/keys', signal), get('/api/keys/catalog', signal)])
    return { keys, providers }
  }, data => data.keys.length ? bench(data, signal) : h('p', {}, 'The playground needs a provider key. ', h('a', { href: routeTo('keys') }, 'Add one'), ' first.'))
}

function bench({ keys, providers }, leaving) {
  const mine = providers.filter(p => keys.some(k => k.provider === p.id))
  const models = [...new Set([...keys.map(k => k.defaultModel).filter(Boolean), ...mine.flatMap(p => p.models).filter(m => m.mode !== 'embedding').map(m => m.id)])]
  const output = h('div', { class: 'answer' }, h('p', { class: 'quiet' }, 'The answer appears here.'))
  let running = null
  const stop = button('Stop', () => running?.abort(), { disabled: true })
  leaving.addEventListener('abort', () => running?.abort())
  const ask = form([
    h('div', { class: 'pair' },
      field('provider', 'Provider', { options: [['', 'any'], ...mine.map(p => [p.id, p.name])], value: '' }),
      field('model', 'Model', { value: models[0] ?? '', list: models.slice(0, 300), spellcheck: 'false', hint: 'Empty: the key’s default.' })),
    field('system', 'System prompt', { rows: 2 }),
    field('messages', 'Message', { rows: 4, value: 'Hello!' }),
    h('div', { class: 'pair' },
      field('temperature', 'Temperature', { inputmode: 'decimal', hint: '0 to 2. Empty: the model’s own.' }),
      field('images', 'Images', { type: 'file', accept: 'image/*', multiple: true })),
    field('tools', 'Offer a tool (the weather of a city)', { type: 'checkbox' }),
  ], {
    label: 'Send',
    submit: async (values, sent) => {
      const body = chatBody(values, await readImages(sent.elements.images.files))
      running = new AbortController()
      stop.disabled = false
      try {
        await run(body, output, running.signal)
      } finally {
        stop.disabled = true
        running = null
      }
    },
  })
  const curl = () => curlChat(location.origin, '$TOKEN', chatBody(valuesOf(ask), [])).replace("'Authorization: Bearer $TOKEN'", '"Authorization: Bearer $TOKEN"')
  ask.querySelector('.buttons').append(stop, copyButton(curl, 'Copy as curl'))
  return h('div', { class: 'bench' }, ask, h('section', { 'aria-label': 'Answer' }, output))
}

async function run(body, output, signal) {
  const begun = performance.now()
  const text = h('div', { class: 'text' })
  const thought = h('div', { class: 'quiet thought' })
  const facts = h('div', { role: 'status' }, h('p', { class: 'quiet' }, 'Waiting for the first words…'))
  output.replaceChildren(thought, text, facts)
  const answer = emptyAnswer()
  let head = null
  let first = null
  try {
    const response = await request('POST', '/api/chat', { body, signal, accept: 'text/event-stream' })
    head = response.headers
    for await (const data of events(response.body)) {
      first ??= performance.now() - begun
      const over = addEvent(answer, data)
      thought.textContent = answer.reasoning
      text.textContent = answer.text + answer.toolCalls.map(c => `\n→ ${c.name}(${c.arguments})`).join('')
      if (over) break
    }
  } catch (error) {
    if (!signal.aborted) return void facts.replaceChildren(failure(error), head ? '' : reasons(error))
  }
  facts.replaceChildren(await summary(answer, head, { first, all: performance.now() - begun, stopped: signal.aborted }))
}

/** Why each key was passed over, if the gateway says so. */
function reasons(error) {
  const keys = error.details.keys
  return Array.isArray(keys) ? h('ul', {}, keys.map(k => h('li', {}, `${k.name}: ${k.reason}`))) : ''
}

async function summary(answer, head, { first, all, stopped }) {
  const id = head?.get('X-Request-ID')
  // The row is written before the last event, but after a stop it takes a moment.
  const row = id && !stopped ? await get(`/api/requests/${id}`).catch(() => null) : null
  const facts = [
    ['Ended', answer.error ? answer.error.message : stopped ? 'stopped by you' : answer.finishReason],
    ['First words', first === null ? '–' : duration(first)], ['Latency', duration(row?.latencyMs ?? all)],
    ['Tokens', answer.usage ? `${count(answer.usage.promptTokens)} in, ${count(answer.usage.completionTokens)} out` : '–'],
    ['Cost', row ? (row.costUsd === null ? 'unpriced' : money(row.costUsd)) : '–'],
    ...[...(head ?? [])].filter(([name]) => name.startsWith('x-llm-') || name === 'x-request-id'),
  ]
  return h('div', {}, h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    id && h('p', {}, h('a', { href: routeTo('request', { id }) }, 'See the request')))
}
