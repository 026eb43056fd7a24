// Aliases as the API takes and shows them.

/** A target in words: gpt-5.4-mini at openai, weight 3. */
export function targetText({ model, provider, keyIds = [], weight, parameters }) {
  const more = []
  if (keyIds.length) more.push(keyIds.length === 1 ? 'one key' : `${keyIds.length} keys`)
  if (weight > 1) more.push(`weight ${weight}`)
  for (const [name, value] of Object.entries(parameters ?? {})) more.push(`${name} ${value}`)
  return `${model}${provider ? ` at ${provider}` : ''}${more.length ? `, ${more.join(', ')}` : ''}`
}

/** The list with the entry at from moved to to; the same list if there is no such place. */
export function moved(list, from, to) {
  if (from < 0 || from >= list.length || to < 0 || to >= list.length) return list
  const out = [...list]
  out.splice(to, 0, ...out.splice(from, 1))
  return out
}

/** The body of a request that makes or changes an alias. Members of targets that the form does not show stay. */
export function aliasBody(values, targets, admin) {
  const body = {
    name: values.name, strategy: values.strategy || null,
    targets: targets.map(({ model, provider, weight, ...rest }) => {
      const target = { ...rest, model: model.trim() }
      if (provider) target.provider = provider
      if (weight !== undefined && weight !== '') target.weight = /^\d+$/.test(weight) ? Number(weight) : 0
      return target
    }),
  }
  if (admin) body.shared = values.shared
  return body
}
