// The playground's form as a body of POST /api/chat.

const weather = {
  type: 'function',
  function: {
    name: 'weather', description: 'The weather of a city now',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

/** @param {{mimeType: string, data: string}[]} images */
export function chatBody(values, images) {
  const messages = []
  if (values.system) messages.push({ role: 'system', content: values.system })
  messages.push({
    role: 'user',
    content: images.length ? [{ type: 'text', text: values.messages }, ...images.map(i => ({ type: 'image', ...i }))] : values.messages,
  })
  const body = { stream: true, messages }
  if (values.provider) body.provider = values.provider
  if (values.model) body.model = values.model
  // A text that is no number is sent as it is: the gateway's error says what is expected.
  if (values.temperature) body.temperature = Number.isNaN(Number(values.temperature)) ? values.temperature : Number(values.temperature)
  if (values.tools) body.tools = [weather]
  return body
}

/** Files as the API takes images. */
export async function readImages(files) {
  return Promise.all([...files].map(file => new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onerror = () => reject(new Error(`images: ${file.name} cannot be read`))
    reader.onload = () => resolve({ mimeType: file.type, data: reader.result.slice(reader.result.indexOf(',') + 1) })
    reader.readAsDataURL(file)
  })))
}
