import assert from 'node:assert/strict'
import test from 'node:test'
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai'
import { example, faults, greeting, header, left, marker, models, pixel, pixelSeen, providers, skilled, token, url } from './gateway.mjs'

const client = (headers, apiKey = token) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, headers } })
const google = client()

// what an answer, or the chunks of one, says.
function essence(responses) {
  const said = { text: '', thought: '', calls: [] }
  for (const { candidates = [], usageMetadata } of responses) {
    for (const { content, finishReason } of candidates) {
      if (finishReason) said.finish = finishReason
      for (const { text = '', thought, functionCall } of content?.parts ?? []) {
        said[thought ? 'thought' : 'text'] += text
        if (functionCall) said.calls.push([functionCall.name, functionCall.args ?? {}])
      }
    }
    if (usageMetadata) said.total = usageMetadata.totalTokenCount
  }
  return said
}

// both requests the answer whole and streamed, and expects no difference.
async function both(params) {
  const whole = await google.models.generateContent(params)
  const chunks = []
  for await (const chunk of await google.models.generateContentStream(params)) chunks.push(chunk)
  assert.deepEqual(essence(chunks), essence([whole]))
  return { ...essence([whole]), response: whole }
}

for (const model of models) {
  test(`generate: ${model}`, async () => {
    const { text, finish, total } = await both({ model, contents: 'echo: ' + greeting, config: { systemInstruction: 'Be brief.' } })
    assert.equal(text, greeting)
    assert.equal(finish, 'STOP')
    assert.ok(total > 0)
    assert.equal((await both({ model, contents: 'words: 50', config: { maxOutputTokens: 5 } })).finish, 'MAX_TOKENS')
  })

  test(`chat: ${model}`, async () => {
    const chat = google.chats.create({ model })
    for (const word of ['one', 'two']) {
      let text = ''
      for await (const chunk of await chat.sendMessageStream({ message: 'echo: ' + word })) text += chunk.text ?? ''
      assert.equal(text, word)
    }
    assert.equal((await chat.sendMessage({ message: 'echo: three' })).text, 'three')
    assert.ok(chat.getHistory(true).length >= 6)
  })

  test(`tools: ${model}`, async () => {
    const config = { tools: [{ functionDeclarations: [
      { name: 'weather', description: 'The weather of a city', parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] } },
      { name: 'clock', description: 'The time of day' },
    ] }] }
    const { calls, response } = await both({ model, contents: 'call all', config })
    assert.deepEqual(calls, [['weather', { city: example }], ['clock', {}]])
    const results = response.functionCalls.map(({ id, name }, i) => ({ functionResponse: { id, name, response: { output: ['sunny', 'noon'][i] } } }))
    const contents = [{ role: 'user', parts: [{ text: 'call all' }] }, response.candidates[0].content, { role: 'user', parts: results }]
    assert.match((await both({ model, contents, config })).text, /sunny.*noon/)
    const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['clock'] } }
    assert.deepEqual((await both({ model, contents: 'What time is it?', config: { ...config, toolConfig } })).calls, [['clock', {}]])
  })

  test(`automatic function calling: ${model}`, async () => {
    const calledWith = []
    const tool = {
      tool: async () => ({ functionDeclarations: [{ name: 'weather', description: 'The weather of a city', parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } } }] }),
      callTool: async (calls) => calls.map(({ id, name, args }) => (calledWith.push(args), { functionResponse: { id, name, response: { output: 'sunny' } } })),
    }
    assert.match((await google.models.generateContent({ model, contents: 'call it', config: { tools: [tool] } })).text, /sunny/)
    assert.deepEqual(calledWith, [{ city: example }])
  })

  test(`count and models: ${model}`, async () => {
    const { totalTokens } = await google.models.countTokens({ model, contents: 'How many words may this be?' })
    assert.ok(totalTokens >= 5 && totalTokens <= 50, totalTokens)
    assert.equal((await google.models.get({ model })).name, 'models/' + model)
  })
}

for (const model of skilled) {
  test(`structured output: ${model}`, async () => {
    const schema = { type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer' } }, required: ['name', 'age'] }
    for (const form of ['responseSchema', 'responseJsonSchema']) {
      const { text } = await both({ model, contents: 'Who are you?', config: { responseMimeType: 'application/json', [form]: schema } })
      assert.deepEqual(JSON.parse(text), { name: example, age: 7 })
    }
  })

  test(`image: ${model}`, async () => {
    const { text } = await both({ model, contents: [{ text: 'echo: Look' }, { inlineData: { mimeType: 'image/png', data: pixel } }] })
    assert.ok(text.includes(pixelSeen), text)
  })
}

test('models', async () => {
  const names = []
  for await (const { name } of await google.models.list({ config: { pageSize: 7 } })) names.push(name)
  assert.equal(new Set(names).size, names.length)
  for (const model of models) assert.ok(names.includes('models/' + model), model)
})

for (const [fault, status] of Object.entries(faults)) {
  for (const model of Object.keys(providers)) {
    test(`error ${fault}: ${model}`, async () => {
      for (const method of ['generateContent', 'generateContentStream']) {
        const c = client(await header(model, { fault }))
        const error = await c.models[method]({ model, contents: 'echo: x' }).then(() => assert.fail('no error'), (e) => e)
        assert.ok(error instanceof ApiError, error)
        assert.equal(error.status, status)
        const kind = { 400: 'INVALID_ARGUMENT', 429: 'RESOURCE_EXHAUSTED', 502: 'UNAVAILABLE' }[status]
        assert.equal(JSON.parse(error.message).error.status, kind)
      }
    })
  }
}

test('a wrong token', () => assert.rejects(client({}, 'llm_wrong').models.generateContent({ model: 'gemini-2.5-flash', contents: 'x' }), { name: 'ApiError', status: 401 }))

for (const model of Object.keys(providers)) {
  test(`abort: ${model}`, async () => {
    const c = client(await header(model, { endless: true, eventMs: 5 }))
    const prompt = marker()
    const controller = new AbortController()
    let chunks = 0
    const read = async () => {
      const stream = await c.models.generateContentStream({ model, contents: prompt, config: { abortSignal: controller.signal } })
      for await (const _ of stream) if (++chunks === 5) controller.abort()
    }
    await assert.rejects(read, { name: 'AbortError' })
    await left(prompt)
  })
}
