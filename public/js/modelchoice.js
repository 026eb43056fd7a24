// The models that a user can choose from, with what is known of them.

import { count, exactMoney } from './format.js'

/** A number of tokens as 128k or 1M. */
function tokens(n) {
  return n >= 1e6 ? `${Math.round(n / 1e5) / 10}M` : `${Math.round(n / 1000)}k`
}

const abilities = { tools: 'tools', image_input: 'images', pdf_input: 'PDF', audio_input: 'audio', reasoning: 'reasoning', json_schema: 'schema' }

/** What is known of a model of GET /api/keys/models or of the catalogue, in one line. */
export function modelNote(m) {
  const price = m.inputUsd === null || m.inputUsd === undefined ? '' : m.inputUsd === 0 && !m.outputUsd ? 'free' : `${exactMoney(m.inputUsd)} in, ${m.outputUsd === null ? '?' : exactMoney(m.outputUsd)} out`
  const can = (m.capabilities ?? []).map(c => abilities[c]).filter(Boolean)
  return [m.providers?.join(', '), price, m.contextWindow && `${tokens(m.contextWindow)} context`, can.join(' '), m.endOfLife && `ends ${m.endOfLife}`].filter(Boolean).join(' · ')
}

/** The choices of a combobox: models for conversations, of one provider or of all, the latest first and those that end last. */
export function modelChoices(models, provider = '') {
  const fitting = models.filter(m => m.mode !== 'embedding' && (!provider || !m.providers || m.providers.includes(provider)))
  return fitting.toSorted((a, b) => Boolean(a.endOfLife) - Boolean(b.endOfLife) || (b.released ?? '').localeCompare(a.released ?? '')).map(m => ({ value: m.id, note: modelNote(m) }))
}

/** Says how many models there are to choose from. */
export function choicesHint(n) {
  return n === 1 ? '1 model.' : `${count(n)} models.`
}
