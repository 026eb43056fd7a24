import assert from 'node:assert/strict'
import test from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { token, url } from './gateway.mjs'

// The settings that README.md gives are all that the SDKs need.
Object.assign(process.env, {
  OPENAI_BASE_URL: url + '/v1', OPENAI_API_KEY: token,
  ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: token,
  GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: token,
})
delete process.env.ANTHROPIC_API_KEY
delete process.env.GOOGLE_API_KEY

const model = 'mistral-small-latest'
const messages = [{ role: 'user', content: 'echo: it works' }]

test('openai', async () => assert.equal((await new OpenAI().chat.completions.create({ model, messages })).choices[0].message.content, 'it works'))
test('anthropic', async () => assert.equal((await new Anthropic().messages.create({ model, messages, max_tokens: 100 })).content[0].text, 'it works'))
test('google', async () => assert.equal((await new GoogleGenAI({}).models.generateContent({ model, contents: messages[0].content })).text, 'it works'))
