import assert from 'node:assert/strict'
import test from 'node:test'
import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { counted, example, faults, greeting, header, left, marker, models, pixel, pixelSeen, providers, skilled, token, url } from './gateway.mjs'

const client = (options) => new OpenAI({ baseURL: url + '/v1', apiKey: token, ...options })
const openai = client()
const say = (model, content) => ({ model, messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content }] })

// both requests the answer whole and streamed, and expects no difference.
async function both(params) {
  const whole = await openai.chat.completions.create(params)
  const streamed = await openai.chat.completions.stream({ ...params, stream_options: { include_usage: true } }).finalChatCompletion()
  const essence = ({ model, choices, usage }) => ({
    model, prompt: usage.prompt_tokens, completion: usage.completion_tokens,
    finish: choices[0].finish_reason, content: choices[0].message.content || null, // the SDK's streams know no empty text
    calls: (choices[0].message.tool_calls ?? []).map((c) => [c.function.name, c.function.arguments]),
  })
  assert.deepEqual(essence(streamed), essence(whole))
  assert.ok(whole.usage.total_tokens > 0)
  return whole.choices[0]
}

for (const model of models) {
  test(`chat: ${model}`, async () => {
    const { message, finish_reason } = await both(say(model, 'echo: ' + greeting))
    assert.equal(message.content, greeting)
    assert.equal(finish_reason, 'stop')
    assert.equal((await both({ ...say(model, 'words: 50'), max_completion_tokens: 5 })).finish_reason, 'length')
  })

  test(`tools: ${model}`, async () => {
    const calledWith = []
    const tool = (name, properties, result) => ({
      type: 'function',
      function: { name, parse: JSON.parse, parameters: { type: 'object', properties }, function: (args) => (calledWith.push([name, args]), result) },
    })
    const tools = [tool('weather', { city: { type: 'string' } }, 'sunny'), tool('clock', {}, 'noon')]
    const runner = openai.chat.completions.runTools({ ...say(model, 'call all'), stream: true, tools })
    assert.equal(await runner.finalContent(), 'The tool said: sunny; noon')
    assert.deepEqual(calledWith, [['weather', { city: example }], ['clock', {}]])
    assert.equal((await both({ ...say(model, 'call all'), tools: tools.map(({ type, function: { name, parameters } }) => ({ type, function: { name, parameters } })) })).message.tool_calls.length, 2)
  })
}

for (const model of skilled) {
  test(`structured output: ${model}`, async () => {
    const params = { ...say(model, 'Who are you?'), response_format: zodResponseFormat(z.object({ name: z.string(), age: z.number() }), 'person') }
    const want = { name: example, age: 7 }
    assert.deepEqual((await openai.chat.completions.parse(params)).choices[0].message.parsed, want)
    assert.deepEqual((await openai.chat.completions.stream(params).finalChatCompletion()).choices[0].message.parsed, want)
  })

  test(`image: ${model}`, async () => {
    const { message } = await both({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'echo: Look' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,' + pixel } }] }] })
    assert.ok(message.content.includes(pixelSeen), message.content)
  })
}

for (const model of ['text-embedding-3-small', 'mistral-embed', 'gemini-embedding-001']) {
  test(`embeddings: ${model}`, async () => {
    const float = await openai.embeddings.create({ model, input: ['one', 'two words'], encoding_format: 'float' })
    const base64 = await openai.embeddings.create({ model, input: ['one', 'two words'] }) // the SDK asks for base64
    assert.deepEqual(base64.data.map((d) => d.embedding.length), float.data.map((d) => d.embedding.length))
    assert.ok(float.data[0].embedding.every((n, i) => Math.abs(n - base64.data[0].embedding[i]) < 1e-6))
  })
}

test('models', async () => {
  const ids = []
  for await (const model of openai.models.list()) ids.push(model.id)
  for (const model of models) {
    assert.ok(ids.includes(model), model)
    assert.equal((await openai.models.retrieve(model)).id, model)
  }
  await assert.rejects(openai.models.retrieve('nobody-has-it'), OpenAI.NotFoundError)
})

for (const [fault, status] of Object.entries(faults)) {
  for (const model of Object.keys(providers)) {
    test(`error ${fault}: ${model}`, async () => {
      for (const stream of [false, true]) {
        const count = counted()
        const c = client({ fetch: count.fetch, defaultHeaders: await header(model, { fault }), ...(status === 429 && { maxRetries: 0 }) })
        const error = await c.chat.completions.create({ ...say(model, 'echo: x'), stream }).then(() => assert.fail('no error'), (e) => e)
        assert.ok(error instanceof { 400: OpenAI.BadRequestError, 429: OpenAI.RateLimitError, 502: OpenAI.InternalServerError }[status], error)
        assert.equal(error.status, status)
        assert.ok(error.requestID && error.type, error)
        assert.equal(count.calls, 1, 'it tries again what cannot succeed')
      }
    })
  }
}

test('a wrong token', () => assert.rejects(client({ apiKey: 'llm_wrong' }).models.list(), OpenAI.AuthenticationError))

for (const model of Object.keys(providers)) {
  test(`an error in mid-stream: ${model}`, async () => {
    const c = client({ defaultHeaders: await header(model, { errorEvent: true, after: 6 }) })
    const read = async () => { for await (const _ of await c.chat.completions.create({ ...say(model, 'words: 100'), stream: true })); }
    await assert.rejects(read, OpenAI.APIError)
  })

  test(`abort: ${model}`, async () => {
    const c = client({ defaultHeaders: await header(model, { endless: true, eventMs: 5 }) })
    const prompt = marker()
    const stream = await c.chat.completions.create({ ...say(model, prompt), stream: true })
    let chunks = 0
    for await (const _ of stream) if (++chunks === 5) stream.controller.abort()
    assert.equal(chunks, 5)
    await left(prompt)
  })
}
