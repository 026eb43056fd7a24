import assert from 'node:assert/strict'
import test from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'
import { example, greeting, header, left, marker, models, pixel, pixelSeen, providers, skilled, token, url } from './gateway.mjs'

// The packages of the AI SDK that use one of the gateway's dialects, each as a function from a model's id.
const sdks = (headers) => ({
  openai: createOpenAI({ baseURL: url + '/v1', apiKey: token, headers }), // Responses
  'openai.chat': createOpenAI({ baseURL: url + '/v1', apiKey: token, headers }).chat,
  compatible: createOpenAICompatible({ name: 'gateway', baseURL: url + '/v1', apiKey: token, headers, includeUsage: true, supportsStructuredOutputs: true }),
  anthropic: createAnthropic({ baseURL: url + '/v1', apiKey: token, headers }),
  google: createGoogleGenerativeAI({ baseURL: url + '/v1beta', apiKey: token, headers }),
})

// both requests the answer whole and streamed, and expects no difference.
async function both(params) {
  const whole = await generateText(params)
  const stream = streamText({ ...params, onError: () => {} })
  const streamed = { text: '', finishReason: await stream.finishReason, usage: await stream.totalUsage, toolCalls: await stream.toolCalls }
  for await (const delta of stream.textStream) streamed.text += delta
  const essence = ({ text, finishReason, toolCalls }) => ({ text, finishReason, calls: toolCalls.map((c) => [c.toolName, c.input]) })
  assert.deepEqual(essence(streamed), essence(whole))
  assert.equal(streamed.usage.totalTokens, whole.totalUsage.totalTokens)
  assert.ok(whole.totalUsage.totalTokens > 0)
  return whole
}

for (const [name, sdk] of Object.entries(sdks())) {
  for (const model of models) {
    test(`${name}, text: ${model}`, async () => {
      const { text, finishReason } = await both({ model: sdk(model), system: 'Be brief.', prompt: 'echo: ' + greeting })
      assert.equal(text, greeting)
      assert.equal(finishReason, 'stop')
      assert.equal((await both({ model: sdk(model), prompt: 'words: 50', maxOutputTokens: 16 })).finishReason, 'length')
    })

    test(`${name}, tools: ${model}`, async () => {
      const calledWith = []
      const make = (name, inputSchema, result) => tool({ description: name, inputSchema, execute: async (input) => (calledWith.push([name, input]), result) })
      const tools = { weather: make('weather', z.object({ city: z.string() }), 'sunny'), clock: make('clock', z.object({}), 'noon') }
      const { text, steps } = await both({ model: sdk(model), prompt: 'call all', tools, stopWhen: stepCountIs(3) })
      assert.equal(steps.length, 2)
      assert.match(text, /sunny.*noon/)
      const calls = [['weather', { city: example }], ['clock', {}]]
      assert.deepEqual(calledWith, [...calls, ...calls])
    })
  }

  for (const model of skilled) {
    test(`${name}, structured output: ${model}`, async () => {
      const { output } = await both({ model: sdk(model), prompt: 'Who are you?', output: Output.object({ schema: z.object({ name: z.string(), age: z.number() }) }) })
      assert.deepEqual(output, { name: example, age: 7 })
    })

    test(`${name}, image: ${model}`, async () => {
      const { text } = await both({ model: sdk(model), messages: [{ role: 'user', content: [{ type: 'text', text: 'echo: Look' }, { type: 'image', image: pixel, mediaType: 'image/png' }] }] })
      assert.ok(text.includes(pixelSeen), text)
    })
  }

  for (const model of Object.keys(providers)) {
    test(`${name}, error: ${model}`, async () => {
      const sdk = sdks(await header(model, { fault: '500' }))[name]
      // It heeds no x-should-retry.
      await assert.rejects(generateText({ model: sdk(model), prompt: 'echo: x', maxRetries: 0 }), (error) => APICallError.isInstance(error) && error.statusCode === 502 && /connection to/.test(error.message))
    })

    test(`${name}, abort: ${model}`, async () => {
      const sdk = sdks(await header(model, { endless: true, eventMs: 5 }))[name]
      const prompt = marker()
      const controller = new AbortController()
      let deltas = 0
      for await (const _ of streamText({ model: sdk(model), prompt, abortSignal: controller.signal }).textStream) if (++deltas === 3) controller.abort()
      await left(prompt)
    })
  }
}

for (const [name, provider, model, providerOptions] of [
  ['compatible', 'compatible', 'deepseek-v4-pro', { gateway: { reasoningEffort: 'high' } }],
  ['anthropic', 'anthropic', 'claude-haiku-4-5', { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } }],
  ['google', 'google', 'gemini-2.5-flash', { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } }],
  ['anthropic to Gemini', 'anthropic', 'gemini-2.5-flash', { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } }],
  ['google to Anthropic', 'google', 'claude-haiku-4-5', { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } }],
]) {
  test(`reasoning: ${name}`, async () => {
    const { text, reasoningText } = await both({ model: sdks()[provider](model), prompt: 'think: Step by step we go', providerOptions })
    assert.equal(text, 'I have thought about it.')
    assert.match(reasoningText, /Step by step we go/)
  })
}

test('embeddings', async () => {
  const { embeddings } = await embedMany({ model: createOpenAI({ baseURL: url + '/v1', apiKey: token }).embedding('text-embedding-3-small'), values: ['one', 'two words'] })
  assert.equal(embeddings.length, 2)
  assert.notDeepEqual(embeddings[0], embeddings[1])
})
