// Finds the text of an answer in each of the dialects.

const joined = parts => parts.filter(text => typeof text === 'string' && text).join('\n')
const texts = content => Array.isArray(content) ? content.map(part => part?.text) : [content]

/** @param {any} body of an answer @returns {string} what the model said; empty if it only called tools */
export function answerText(body) {
  const list = value => Array.isArray(value) ? value : []
  return joined([
    ...list(body?.choices).flatMap(c => texts(c?.message?.content)), // this gateway's own, and Chat Completions
    ...texts(body?.content), // Messages
    ...list(body?.candidates).flatMap(c => list(c?.content?.parts).filter(p => !p?.thought).map(p => p?.text)), // generateContent
    ...list(body?.output).filter(o => o?.type === 'message').flatMap(o => texts(o.content)), // Responses
  ])
}
