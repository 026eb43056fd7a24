// How to use the API, with this deployment's address and the reader's model filled in.

import { get } from '../api.js'
import { h } from '../dom.js'
import { routeTo } from '../route.js'
import { snippetTabs } from '../snippettabs.js'
import { curlChat } from '../snippet.js'
import { codeBlock, loaded, section, table } from '../widget.js'

export const title = 'Docs'

const token = 'llm_YOUR_TOKEN'

export function view({ signal }) {
  const { origin } = location
  return loaded(() => get('/api/keys', signal), ({ keys }) => {
    const model = keys.find(k => k.defaultModel)?.defaultModel ?? 'gpt-4o-mini'
    return h('div', { class: 'prose' },
      h('p', { class: 'lead' }, 'Point the SDK that you have at this gateway, and give it a ', h('a', { href: routeTo('tokens') }, 'token'), ' as its API key.'),
      section('Addresses', table('Addresses', [['SDK'], ['Base URL'], ['The token goes into']], [
        ['OpenAI', h('code', {}, `${origin}/v1`), h('code', {}, 'Authorization: Bearer')], ['Anthropic', h('code', {}, origin), h('code', {}, 'x-api-key')],
        ['Google Gen AI', h('code', {}, origin), h('code', {}, 'x-goog-api-key')]])),
      section('A first request', snippetTabs(origin, token, model)),
      section('Streaming', [h('p', {}, 'Server-sent events, in the format of the route that was called.'),
        codeBlock(curlChat(origin, token, { model, stream: true, messages: [{ role: 'user', content: 'Hello!' }] }), 'A streamed request')]),
      section('Choosing a key', [
        h('p', {}, 'A request goes to one of your enabled keys that may serve the model. The lowest priority number is tried first; who cannot answer is passed over, and the next one is tried before you notice.'),
        codeBlock(curlChat(origin, token, { provider: 'auto', allowedProviders: ['openai', 'groq'], allowedPriorities: [1, 2], messages: [{ role: 'user', content: 'Hello!' }] }), 'A request that narrows the keys'),
        h('p', {}, 'Every answer says who gave it: ', h('code', {}, 'X-LLM-Provider'), ', ', h('code', {}, 'X-LLM-Model'), ', ', h('code', {}, 'X-LLM-Key-ID'), ', ', h('code', {}, 'X-LLM-Latency-Ms'), '.')]),
      section('Models', codeBlock(`curl -sS ${origin}/v1/models -H 'Authorization: Bearer ${token}'`, 'The list of models')),
      section('Errors', table('Errors', [['Code'], ['Status', 'number'], ['Meaning']], [
        ['VALIDATION_ERROR', '400', 'the request is wrong: details.issues says where'], ['NO_ELIGIBLE_KEY', '400', 'no key may serve the request: details.keys says why'],
        ['UNAUTHORIZED', '401', 'no token, or one that does not count'], ['FORBIDDEN', '403', 'not with a token, or not for you'],
        ['RATE_LIMIT_EXCEEDED', '429', 'every fitting key is spent or rests: Retry-After says until when'], ['PROVIDER_ERROR', '502', 'no provider answered'],
        ['UNAVAILABLE', '503', 'the database does not answer, or the configuration is wrong']])))
  })
}
