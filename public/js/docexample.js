// The examples of the docs page.

import { curlChat, curlPost } from './snippet.js'

const hello = [{ role: 'user', content: 'Hello!' }]
const pretty = { pretty: true }

// A PNG of one pixel.
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const weather = {
  type: 'function',
  function: { name: 'weather', description: 'The weather of a city now', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}

/** @returns {Record<string, string>} shell commands by name */
export function docExamples(origin, token, model) {
  const chat = (body, options) => curlChat(origin, token, body, options)
  const bearer = [`Authorization: Bearer ${token}`]
  return {
    completions: curlPost(`${origin}/v1/chat/completions`, bearer, { model, messages: hello }),
    messages: curlPost(`${origin}/v1/messages`, [`x-api-key: ${token}`, 'anthropic-version: 2023-06-01'], { model, max_tokens: 500, messages: hello }),
    gemini: curlPost(`${origin}/v1beta/models/${model}:generateContent`, [`x-goog-api-key: ${token}`], { contents: [{ role: 'user', parts: [{ text: 'Hello!' }] }] }),
    stream: chat({ model, stream: true, messages: hello }),
    narrow: chat({ provider: 'auto', allowedProviders: ['openai', 'groq'], allowedPriorities: [1, 2], messages: hello }),
    tools: chat({ model, messages: [{ role: 'user', content: 'How is the weather in Rome?' }], tools: [weather] }, pretty),
    images: chat({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, { type: 'image', mimeType: 'image/png', data: pixel }] }] }, pretty),
    embeddings: curlPost(`${origin}/v1/embeddings`, bearer, { model: 'text-embedding-3-small', input: ['one text', 'another'] }),
    submit: chat({ async: true, requestId: 'report-7', model, messages: [{ role: 'user', content: 'Write a long report.' }] }),
    poll: `curl -sS '${origin}/api/chat/report-7?timeout=60000' \\\n  -H 'Authorization: Bearer ${token}'`,
    models: `curl -sS ${origin}/v1/models \\\n  -H 'Authorization: Bearer ${token}'`,
  }
}
