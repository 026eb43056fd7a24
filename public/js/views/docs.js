// How to use the API, with this deployment's address and one of the user's models filled in.

import { get } from '../api.js'
import { docExamples } from '../docexample.js'
import { h } from '../dom.js'
import { routeTo } from '../route.js'
import { snippetTabs } from '../snippettabs.js'
import { choice, codeBlock, loaded, section, table } from '../widget.js'

export const title = 'Docs'

const token = 'llm_YOUR_TOKEN'
// Where no key serves a model yet.
const anyModel = 'YOUR_MODEL'

const code = text => h('code', {}, text)
const p = (...parts) => h('p', {}, parts)

export function view({ signal }) {
  const load = () => get('/api/keys/models', signal).then(({ suggested }) => suggested ?? anyModel, () => anyModel)
  return loaded(load, model => page(model, docExamples(location.origin, token, model)))
}

function page(model, examples) {
  const { origin } = location
  return h('div', { class: 'prose' },
    h('p', { class: 'lead' }, 'Set a base URL of this gateway in your SDK, and a ', h('a', { href: routeTo('tokens') }, 'gateway token'), ' as its API key. ',
      h('a', { href: '/openapi.yaml' }, 'The OpenAPI description'), ' has every route and field.'),
    section('Addresses', table('Addresses', [['SDK'], ['Base URL'], ['Header of the token']], [
      ['OpenAI', code(`${origin}/v1`), code('Authorization: Bearer')], ['Anthropic', code(origin), code('x-api-key')], ['Google Gen AI', code(origin), code('x-goog-api-key')]])),
    section('A first request', snippetTabs(origin, token, model)),
    section('Without an SDK', [p('Every route reaches the models of every provider: the gateway translates.'), tabs('Format', [
      ['OpenAI', examples.completions], ['Anthropic', examples.messages], ['Gemini', examples.gemini], ['The gateway’s own', examples.stream]])]),
    section('Streaming', [p('Server-sent events, in the format of the route. A failure after the first content is an event with an ', code('error'), '.'), codeBlock(examples.stream, 'A streamed request')]),
    section('Tools', [p('The answer’s ', code('toolCalls'), ' name the function and its arguments; send their results back as messages with the role ', code('tool'), '. The other formats have their own names for these.'),
      codeBlock(examples.tools, 'A request with a tool')]),
    section('Images', [p('As base64, or as a ', code('url'), ' if the provider takes URLs: the gateway fetches nothing.'), codeBlock(examples.images, 'A request with an image')]),
    section('Embeddings', codeBlock(examples.embeddings, 'A request for embeddings')),
    asynchronous(examples),
    choosing(examples),
    section('Models', codeBlock(examples.models, 'The list of models')),
    errors())
}

function tabs(label, all) {
  const box = h('div', {})
  const show = name => box.replaceChildren(codeBlock(all.find(([n]) => n === name)[1], name))
  show(all[0][0])
  return h('div', { class: 'snippets' }, choice(label, all.map(([name]) => [name, name]), all[0][0], show), box)
}

function asynchronous(examples) {
  return section('Asynchronous requests', [
    p(code('"async": true'), ' (or the header ', code('Prefer: respond-async'), ' on the other routes) is answered with 202 at once. Poll for the answer by its ', code('requestId'), '.'),
    codeBlock(examples.submit, 'An asynchronous request'), codeBlock(examples.poll, 'Polling for its answer'),
    p(h('strong', {}, 'Something has to run it: '), 'a worker (', code('gateway worker'), ' or ', code('gateway serve --worker'), '), or the poll above, which runs a request that still waits. With neither, nothing runs until the daily scheduled call, where there is one. ',
      h('a', { href: routeTo('jobs') }, 'Your asynchronous requests'))])
}

function choosing(examples) {
  return section('Choosing a key', [
    p('A request goes to one of your enabled keys that may serve the model. The lowest priority number is tried first. If a key fails before the answer begins, the next one is tried. If the request has no model, as here, each key uses its default model, and a key without one is skipped.'),
    codeBlock(examples.narrow, 'A request that narrows the keys'),
    p('Every answer names its provider, model and key: ', code('X-LLM-Provider'), ', ', code('X-LLM-Model'), ', ', code('X-LLM-Key-ID'), ', ', code('X-LLM-Latency-Ms'), '.')])
}

function errors() {
  return section('Errors', table('Errors', [['Code'], ['Status', 'number'], ['Meaning']], [
    ['VALIDATION_ERROR', '400', 'the request is wrong: see details.issues'], ['NO_ELIGIBLE_KEY', '400', 'no key may serve the request: see details.keys'],
    ['UNAUTHORIZED', '401', 'no token, or an invalid, disabled or expired one'], ['FORBIDDEN', '403', 'not allowed with a gateway token, or not to this user'],
    ['CONFLICT', '409', 'another request has this requestId, or that request was cancelled'], ['GONE', '410', 'the result of an asynchronous request has expired'],
    ['RATE_LIMIT_EXCEEDED', '429', 'every fitting key has spent its quota or is cooling down: see Retry-After'], ['PROVIDER_ERROR', '502', 'no provider answered'],
    ['UNAVAILABLE', '503', 'the database does not answer, or the configuration is wrong']]))
}
