// Assembles a streamed answer of /api/chat from its events.

/** @returns the answer before the first event */
export function emptyAnswer() {
  return { text: '', reasoning: '', toolCalls: [], finishReason: '', usage: null, error: null, provider: '', model: '' }
}

/** Adds an event's data. @returns {boolean} whether the stream is over */
export function addEvent(answer, data) {
  if (data === '[DONE]') return true
  const event = JSON.parse(data)
  if (event.error) {
    answer.error = event.error
    return true
  }
  answer.provider = event.provider ?? answer.provider
  answer.model = event.model ?? answer.model
  if (event.usage) answer.usage = event.usage
  for (const choice of event.choices ?? []) addChoice(answer, choice)
  return false
}

function addChoice(answer, { delta = {}, finishReason }) {
  if (finishReason) answer.finishReason = finishReason
  answer.text += delta.content ?? delta.refusal ?? ''
  for (const item of delta.reasoning ?? []) answer.reasoning += item.text ?? item.summary ?? ''
  for (const piece of delta.toolCalls ?? []) {
    const call = answer.toolCalls[piece.index ?? 0] ??= { name: '', arguments: '' }
    call.name += piece.function?.name ?? ''
    call.arguments += piece.function?.arguments ?? ''
  }
}
