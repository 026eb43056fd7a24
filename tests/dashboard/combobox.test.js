import assert from 'node:assert/strict'
import { test } from 'node:test'

import { load } from './load.js'

const { matching } = await load('combobox')
const { modelChoices, modelNote } = await load('modelchoice')

const models = [
  { id: 'gpt-5.4-nano', providers: ['openai', 'openrouter'], mode: 'chat', contextWindow: 400000, capabilities: ['tools', 'image_input', 'parallel_tools'], inputUsd: 0.05, outputUsd: 0.4, endOfLife: null, released: '2026-03-17' },
  { id: 'text-embedding-3-small', providers: ['openai'], mode: 'embedding', contextWindow: 8191, capabilities: [], inputUsd: 0.02, outputUsd: null, endOfLife: null },
  { id: 'claude-haiku-4-5', providers: ['anthropic'], mode: 'chat', contextWindow: 200000, capabilities: ['tools'], inputUsd: null, outputUsd: null, endOfLife: '2027-01-01' },
  { id: 'old-gpt', providers: ['groq'], mode: 'chat', contextWindow: null, capabilities: [], inputUsd: 0, outputUsd: 0, endOfLife: null },
]

test('a model says what is known of it', () => {
  assert.equal(modelNote(models[0]), 'openai, openrouter · $0.05 in, $0.40 out · 400k context · tools images')
  assert.equal(modelNote(models[2]), 'anthropic · 200k context · tools · ends 2027-01-01')
  assert.equal(modelNote(models[3]), 'groq · free')
})

test('models for conversations are offered, of the chosen provider, the latest first and those that end last', () => {
  const ids = provider => modelChoices(models, provider).map(c => c.value)
  assert.deepEqual(ids(''), ['gpt-5.4-nano', 'old-gpt', 'claude-haiku-4-5'])
  assert.deepEqual(ids('openrouter'), ['gpt-5.4-nano'])
})

test('choices match all words, and those that begin with the text come first', () => {
  const choices = modelChoices(models)
  const found = text => matching(choices, text).map(c => c.value)
  assert.deepEqual(found('  '), ['gpt-5.4-nano', 'old-gpt', 'claude-haiku-4-5'])
  assert.deepEqual(found('GPT'), ['gpt-5.4-nano', 'old-gpt'])
  assert.deepEqual(found('tools anthropic'), ['claude-haiku-4-5'])
  assert.deepEqual(found('(.*'), [])
})
