import assert from 'node:assert/strict'
import test from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { z } from 'zod'
import { counted, example, faults, greeting, header, left, marker, models, pixel, pixelSeen, providers, skilled, token, url } from './gateway.mjs'

const client = (options) => new Anthropic({ baseURL: url, apiKey: token, ...options })
const anthropic = client()
const say = (model, content) => ({ model, max_tokens: 2000, system: 'Be brief.', messages: [{ role: 'user', content }] })

// both requests the answer whole and streamed, and expects no difference.
async function both(params) {
  const whole = await anthropic.messages.create(params)
  const streamed = await anthropic.messages.stream(params).finalMessage()
  const essence = ({ model, role, stop_reason, content, usage }) => ({
    model, role, stop_reason, input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0), output: usage.output_tokens,
    content: content.map(({ id, signature, ...block }) => block),
  })
  assert.deepEqual(essence(streamed), essence(whole))
  assert.ok(whole.usage.input_tokens > 0 && whole.usage.output_tokens > 0)
  return whole
}

for (const model of models) {
  test(`messages: ${model}`, async () => {
    const { content, stop_reason } = await both(say(model, 'echo: ' + greeting))
    assert.equal(content.at(-1).text, greeting)
    assert.equal(stop_reason, 'end_turn')
    assert.equal((await both({ ...say(model, 'words: 50'), max_tokens: 5 })).stop_reason, 'max_tokens')
  })

  test(`tool runner: ${model}`, async () => {
    for (const stream of [false, true]) {
      const calledWith = []
      const tool = (name, inputSchema, result) => betaZodTool({ name, description: name, inputSchema, run: (input) => (calledWith.push([name, input]), result) })
      const runner = anthropic.beta.messages.toolRunner({ ...say(model, 'call all'), stream, tools: [tool('weather', z.object({ city: z.string() }), 'sunny'), tool('clock', z.object({}), 'noon')] })
      const last = await runner.runUntilDone()
      assert.equal(last.content.at(-1).text, 'The tool said: sunny; noon')
      assert.deepEqual(calledWith, [['weather', { city: example }], ['clock', {}]])
    }
  })

  test(`count: ${model}`, async () => {
    const { input_tokens } = await anthropic.messages.countTokens({ model, messages: [{ role: 'user', content: 'How many words may this be?' }] })
    assert.ok(input_tokens >= 5 && input_tokens <= 50, input_tokens)
  })
}

for (const model of skilled) {
  test(`structured output: ${model}`, async () => {
    const params = { ...say(model, 'Who are you?'), output_config: { format: zodOutputFormat(z.object({ name: z.string(), age: z.number() })) } }
    assert.deepEqual((await anthropic.messages.parse(params)).parsed_output, { name: example, age: 7 })
  })

  test(`image: ${model}`, async () => {
    const { content } = await both(say(model, [{ type: 'text', text: 'echo: Look' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } }]))
    assert.ok(content[0].text.includes(pixelSeen), content[0].text)
  })
}

for (const model of ['claude-haiku-4-5', 'gemini-2.5-flash', 'deepseek-v4-pro']) {
  test(`thinking: ${model}`, async () => {
    const params = { ...say(model, 'think: Step by step we go'), thinking: { type: 'enabled', budget_tokens: 1024 } }
    const { content } = await both(params)
    assert.equal(content[0].type, 'thinking')
    assert.match(content[0].thinking, /Step by step we go/)
    const turns = [...params.messages, { role: 'assistant', content }, { role: 'user', content: 'echo: Go on' }]
    assert.equal((await both({ ...params, messages: turns })).content.at(-1).text, 'Go on')
  })
}

test('models', async () => {
  const ids = []
  for await (const model of anthropic.models.list({ limit: 7 })) ids.push(model.id)
  assert.equal(new Set(ids).size, ids.length)
  for (const model of models) {
    assert.ok(ids.includes(model), model)
    assert.equal((await anthropic.models.retrieve(model)).id, model)
  }
  await assert.rejects(anthropic.models.retrieve('nobody-has-it'), Anthropic.NotFoundError)
})

for (const [fault, status] of Object.entries(faults)) {
  for (const model of Object.keys(providers)) {
    test(`error ${fault}: ${model}`, async () => {
      for (const stream of [false, true]) {
        const count = counted()
        const c = client({ fetch: count.fetch, defaultHeaders: await header(model, { fault }), ...(status === 429 && { maxRetries: 0 }) })
        const error = await c.messages.create({ ...say(model, 'echo: x'), stream }).then(() => assert.fail('no error'), (e) => e)
        assert.ok(error instanceof { 400: Anthropic.BadRequestError, 429: Anthropic.RateLimitError, 502: Anthropic.InternalServerError }[status], error)
        assert.equal(error.status, status)
        assert.ok(error.requestID && error.type, error)
        assert.equal(count.calls, 1, 'it tries again what cannot succeed')
      }
    })
  }
}

test('a wrong token', () => assert.rejects(client({ apiKey: 'llm_wrong' }).messages.create(say('claude-haiku-4-5', 'x')), Anthropic.AuthenticationError))
test('a bearer token', async () => assert.ok(await client({ apiKey: null, authToken: token }).models.retrieve('claude-haiku-4-5')))

for (const model of Object.keys(providers)) {
  test(`an error in mid-stream: ${model}`, async () => {
    const c = client({ defaultHeaders: await header(model, { errorEvent: true, after: 6 }) })
    await assert.rejects(c.messages.stream(say(model, 'words: 100')).finalMessage(), Anthropic.APIError)
  })

  test(`abort: ${model}`, async () => {
    const c = client({ defaultHeaders: await header(model, { endless: true, eventMs: 5 }) })
    const prompt = marker()
    const stream = c.messages.stream(say(model, prompt))
    let texts = 0
    stream.on('text', () => ++texts === 3 && stream.abort())
    await assert.rejects(stream.done(), Anthropic.APIUserAbortError)
    await left(prompt)
  })
}
