// Sends a chat with the session: no token is needed.

import { get, post, request } from '../api.js'
import { addEvent, emptyAnswer } from '../answer.js'
import { chatBody, readImages } from '../chatbody.js'
import { combobox } from '../combobox.js'
import { h } from '../dom.js'
import { field, form, valuesOf } from '../form.js'
import { count, duration, exactMoney, localTimes } from '../format.js'
import { choicesHint, modelChoices } from '../modelchoice.js'
import { costOf } from '../requestview.js'
import { routeTo } from '../route.js'
import { curlChat } from '../snippet.js'
import { events } from '../sse.js'
import { button, copyButton, failure, loaded } from '../widget.js'

export const title = 'Playground'

// The form and the answer, for when the user comes back from "See the request". In memory only.
let kept = null

export function view({ user, signal }) {
  return loaded(async () => {
    const [{ keys }, { providers }, { models, suggested }] = await Promise.all(['/api/keys', '/api/keys/catalog', '/api/keys/models'].map(path => get(path, signal)))
    return { keys, providers, models, suggested }
  }, data => {
    if (!data.keys.length) return h('p', {}, 'The playground needs a provider key. ', h('a', { href: routeTo('keys') }, 'Add one'), ' first.')
    if (kept?.user !== user.id) kept = { user: user.id, ...playground() }
    kept.offer(choices(data))
    signal.addEventListener('abort', kept.leave)
    return kept.node
  })
}

function choices({ keys, providers, models, suggested }) {
  const mine = [...new Set(keys.map(k => k.provider))]
  return { providers: [['', 'any'], ...mine.map(id => [id, providers.find(p => p.id === id)?.name ?? id])], models, suggested }
}

function playground() {
  const output = h('div', { class: 'answer' }, h('p', { class: 'quiet' }, 'The answer appears here.'))
  let running = null
  const stop = button('Stop', () => running?.abort('stopped by you'), { disabled: true })
  const chatForm = form([
    h('div', { class: 'pair' },
      field('provider', 'Provider', { options: [], value: '' }),
      field('model', 'Model', { spellcheck: 'false', hint: 'Empty: the key’s default.' })),
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
  const curl = async () => curlChat(location.origin, '$TOKEN', chatBody(valuesOf(chatForm), await readImages(chatForm.elements.images.files))).replace("'Authorization: Bearer $TOKEN'", '"Authorization: Bearer $TOKEN"')
  const why = button('Explain', async () => {
    try {
      const body = chatBody(valuesOf(chatForm), await readImages(chatForm.elements.images.files))
      output.replaceChildren(explanation(await post('/api/route/explain', { endpoint: '/api/chat', body })))
    } catch (error) {
      output.replaceChildren(failure(error))
    }
  })
  chatForm.querySelector('.buttons').append(stop, why, copyButton(curl, 'Copy as curl'))
  return {
    node: h('div', { class: 'bench' }, chatForm, h('section', { 'aria-label': 'Answer' }, output)),
    leave: () => running?.abort('stopped, because you left the page'),
    offer: offerIn(chatForm),
  }
}

/** Returns a function that fills the choices and keeps the chosen values. A provider narrows the models to its own. */
function offerIn(chatForm) {
  const { provider, model } = chatForm.elements
  const place = chatForm.querySelector('[data-field=model]')
  const setChoices = combobox(place)
  let all = []
  let first = true
  const narrow = () => {
    const fitting = modelChoices(all, provider.value)
    setChoices(fitting)
    place.querySelector('.hint').textContent = `Empty: the key’s default. ${choicesHint(fitting.length)}`
  }
  provider.addEventListener('change', narrow)
  return ({ providers, models, suggested }) => {
    const chosen = provider.value
    provider.replaceChildren(...providers.map(([value, text]) => h('option', { value, selected: value === chosen }, text)))
    all = models
    narrow()
    if (first) model.value = suggested ?? ''
    first = false
  }
}

async function run(body, output, signal) {
  const begun = performance.now()
  const text = h('div', { class: 'text' })
  const thought = h('div', { class: 'quiet thought' })
  const facts = h('div', { role: 'status' }, h('p', { class: 'quiet' }, 'Waiting for the first content…'))
  output.replaceChildren(thought, text, facts)
  const answer = emptyAnswer()
  let head = null
  let first = null
  let over = false
  try {
    const response = await request('POST', '/api/chat', { body, signal, accept: 'text/event-stream' })
    head = response.headers
    for await (const data of events(response.body)) {
      first ??= performance.now() - begun
      over = addEvent(answer, data)
      thought.textContent = answer.reasoning
      text.textContent = answer.text + answer.toolCalls.map(c => `\n→ ${c.name}(${c.arguments})`).join('')
      if (over) break
    }
  } catch (error) {
    if (!signal.aborted && !head) return void facts.replaceChildren(failure(error), reasons(error), await linkTo(error.requestId))
  }
  const ended = answer.error ? answer.error.message : signal.aborted ? signal.reason : over ? answer.finishReason : 'The connection to the gateway was lost before the answer was whole.'
  facts.replaceChildren(await summary(answer, head, { first, all: performance.now() - begun, ended, whole: over }))
}

/** A link to the request, if it is in the log: what was refused before its keys were looked at is not. */
async function linkTo(id) {
  const logged = id && await get(`/api/requests/${encodeURIComponent(id)}`).catch(() => null)
  return logged ? h('p', {}, h('a', { href: routeTo('request', { id }) }, 'See the request')) : ''
}

/** Lists why each key was skipped, if the error says so. */
function reasons(error) {
  const keys = error.details.keys
  return Array.isArray(keys) ? h('ul', { class: 'reasons' }, keys.map(k => h('li', {}, h('strong', {}, k.name), `: ${localTimes(k.reason)}`))) : ''
}

/** Which keys a request would be sent to, and why not to others. */
function explanation({ chosen, candidates, estimatedTokens, refusal }) {
  return h('div', { role: 'status' },
    h('p', {}, chosen ? `${chosen.model} of ${chosen.provider} would serve; about ${count(estimatedTokens)} tokens of input.` : `The request would be refused: ${localTimes(refusal.message)}`),
    h('ol', { class: 'reasons' }, candidates.map(c => h('li', {}, h('strong', {}, c.name), ` ${c.model}: `,
      c.usable ? `ready${c.estimatedCostUsd === undefined ? '' : `, up to about ${exactMoney(c.estimatedCostUsd)}`}` : localTimes(c.reason),
      c.warnings.map(w => h('p', { class: 'quiet' }, w))))))
}

async function summary(answer, head, { first, all, ended, whole }) {
  const id = head?.get('X-Request-ID')
  // The row is written before the last event; after a stop it is written later.
  const row = id && whole ? await get(`/api/requests/${id}`).catch(() => null) : null
  const facts = [
    ['Ended', whole && !answer.error ? ended : h('strong', {}, ended)],
    ['First content', first === null ? '–' : `${duration(first)} in your browser`], ['Latency', `${duration(all)} in your browser${row ? `, ${duration(row.latencyMs)} at the gateway` : ''}`],
    ['Tokens', answer.usage ? `${count(answer.usage.promptTokens)} in, ${count(answer.usage.completionTokens)} out` : '–'],
    ['Cost', row ? costOf(row) : '–'],
    ...[...(head ?? [])].filter(([name]) => name.startsWith('x-llm-') || name === 'x-request-id'),
  ]
  return h('div', {}, h('dl', { class: 'facts' }, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    id && h('p', {}, h('a', { href: routeTo('request', { id }) }, 'See the request')))
}
