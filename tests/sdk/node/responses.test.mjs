import assert from 'node:assert/strict'
import test from 'node:test'
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { counted, example, faults, greeting, header, left, marker, models, pixel, pixelSeen, providers, skilled, token, url } from './gateway.mjs'

const client = (options) => new OpenAI({ baseURL: url + '/v1', apiKey: token, ...options })
const openai = client()
const request = (model, input) => ({ model, input, instructions: 'Be brief.', store: false })

// both requests the answer whole and streamed, and expects no difference; the SDK puts the stream together itself.
async function both(params) {
  const whole = await openai.responses.create(params)
  const stream = openai.responses.stream(params)
  let number = -1
  stream.on('event', ({ sequence_number }) => assert.equal(sequence_number, ++number))
  const streamed = await stream.finalResponse()
  const essence = ({ model, status, incomplete_details, output, usage }) => ({
    model, status, incomplete_details, input: usage.input_tokens, output: usage.output_tokens,
    items: output.map(({ type, content, name, arguments: args, summary }) => [type, content?.map(({ type, text, refusal }) => [type, text ?? refusal]), name, args, summary?.map((s) => s.text)]),
  })
  assert.deepEqual(essence(streamed), essence(whole))
  assert.equal(streamed.output_text, whole.output_text)
  return whole
}

const tools = [
  { type: 'function', name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }, strict: true },
  { type: 'function', name: 'clock', parameters: { type: 'object', properties: {}, additionalProperties: false }, strict: true },
]

for (const model of [...models, 'gpt-5', 'gpt-5.6-sol']) {
  test(`response: ${model}`, async () => {
    const { output_text, status } = await both(request(model, 'echo: ' + greeting))
    assert.equal(output_text, greeting)
    assert.equal(status, 'completed')
    const cut = await both({ ...request(model, 'words: 50'), max_output_tokens: 16 })
    assert.equal(cut.status, 'incomplete')
    assert.equal(cut.incomplete_details.reason, 'max_output_tokens')
  })

  test(`tools: ${model}`, async () => {
    const params = { ...request(model, [{ role: 'user', content: 'call all' }]), tools, include: ['reasoning.encrypted_content'] }
    const first = await both(params)
    const calls = first.output.filter((item) => item.type === 'function_call')
    assert.deepEqual(calls.map((c) => [c.name, JSON.parse(c.arguments)]), [['weather', { city: example }], ['clock', {}]])
    const results = calls.map(({ call_id }, i) => ({ type: 'function_call_output', call_id, output: ['sunny', 'noon'][i] }))
    const second = await both({ ...params, input: [...params.input, ...first.output, ...results] })
    assert.match(second.output_text, /sunny.*noon/)
    const forced = await both({ ...params, input: 'What time is it?', tool_choice: { type: 'function', name: 'clock' }, parallel_tool_calls: false })
    assert.deepEqual(forced.output.filter((item) => item.type === 'function_call').map((c) => c.name), ['clock'])
  })
}

for (const model of skilled) {
  test(`structured output: ${model}`, async () => {
    const params = { ...request(model, 'Who are you?'), text: { format: zodTextFormat(z.object({ name: z.string(), age: z.number() }), 'person') } }
    assert.deepEqual((await openai.responses.parse(params)).output_parsed, { name: example, age: 7 })
    assert.deepEqual((await openai.responses.stream(params).finalResponse()).output_parsed, { name: example, age: 7 })
  })

  test(`image: ${model}`, async () => {
    const { output_text } = await both(request(model, [{ role: 'user', content: [{ type: 'input_text', text: 'echo: Look' }, { type: 'input_image', detail: 'auto', image_url: 'data:image/png;base64,' + pixel }] }]))
    assert.ok(output_text.includes(pixelSeen), output_text)
  })
}

for (const model of ['gpt-5', 'claude-opus-4-6', 'gemini-2.5-flash', 'deepseek-v4-pro']) {
  test(`reasoning: ${model}`, async () => {
    const params = { ...request(model, [{ role: 'user', content: 'think: Step by step we go' }]), reasoning: { effort: 'high', summary: 'auto' }, include: ['reasoning.encrypted_content'] }
    const first = await both(params)
    const [thought] = first.output
    assert.equal(thought.type, 'reasoning')
    assert.match([...thought.summary, ...(thought.content ?? [])][0].text, /Step by step we go/)
    const second = await both({ ...params, input: [...params.input, ...first.output, { role: 'user', content: 'echo: Go on' }] })
    assert.equal(second.output_text, 'Go on')
  })
}

for (const model of Object.keys(providers)) {
  test(`state: ${model}`, async () => {
    const { store, ...params } = request(model, 'echo: the first') // it is stored unless the request says no
    const first = await openai.responses.create(params)
    const stream = await openai.responses.create({ ...params, input: 'echo: the second', previous_response_id: first.id, stream: true })
    let second
    for await (const event of stream) if (event.type === 'response.completed') second = event.response
    assert.equal(second.previous_response_id, first.id)
    assert.equal((await openai.responses.retrieve(second.id)).output_text, 'the second')
    const items = []
    for await (const item of openai.responses.inputItems.list(second.id, { limit: 2, order: 'asc' })) items.push(item)
    assert.equal(items[0].content[0].text, 'echo: the first')
    assert.equal(items.at(-1).content[0].text, 'echo: the second')
    assert.ok((await openai.responses.inputTokens.count({ model, input: 'x', previous_response_id: second.id })).input_tokens > 0)
    await openai.responses.delete(second.id)
    await assert.rejects(openai.responses.retrieve(second.id), OpenAI.NotFoundError)
    await assert.rejects(openai.responses.cancel(first.id), OpenAI.BadRequestError)
  })
}

test('what would have to be kept is refused', async () => {
  for (const field of [{ previous_response_id: 'resp_1' }, { conversation: 'conv_1' }, { background: true }]) {
    await assert.rejects(openai.responses.create({ ...request('gpt-4o-mini', 'x'), ...field }), (error) => error instanceof OpenAI.BadRequestError && error.param === Object.keys(field)[0])
  }
})

for (const [fault, status] of Object.entries(faults)) {
  for (const model of Object.keys(providers)) {
    test(`error ${fault}: ${model}`, async () => {
      for (const stream of [false, true]) {
        const count = counted()
        const c = client({ fetch: count.fetch, defaultHeaders: await header(model, { fault }), ...(status === 429 && { maxRetries: 0 }) })
        const error = await c.responses.create({ ...request(model, 'echo: x'), stream }).then(() => assert.fail('no error'), (e) => e)
        assert.ok(error instanceof { 400: OpenAI.BadRequestError, 429: OpenAI.RateLimitError, 502: OpenAI.InternalServerError }[status], error)
        assert.equal(count.calls, 1, 'it tries again what cannot succeed')
      }
    })
  }
}

for (const model of Object.keys(providers)) {
  test(`an error in mid-stream: ${model}`, async () => {
    const c = client({ defaultHeaders: await header(model, { errorEvent: true, after: 8 }) })
    const events = []
    const read = async () => { for await (const { type } of await c.responses.create({ ...request(model, 'words: 100'), stream: true })) events.push(type) }
    await read().catch((error) => assert.ok(error instanceof OpenAI.APIError, error))
    assert.ok(!events.includes('response.completed'), events.at(-1))
  })

  test(`abort: ${model}`, async () => {
    const c = client({ defaultHeaders: await header(model, { endless: true, eventMs: 5 }) })
    const prompt = marker()
    const stream = await c.responses.create({ ...request(model, prompt), stream: true })
    let events = 0
    for await (const _ of stream) if (++events === 8) stream.controller.abort()
    await left(prompt)
  })
}
