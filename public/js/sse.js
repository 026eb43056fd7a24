// Server-sent events (html.spec.whatwg.org, 9.2.6), of which the gateway sends data and comments.

/** Returns a function that takes the next piece of a stream and returns the data of the events that it completes. */
export function eventReader() {
  let rest = ''
  let data = []
  return function feed(piece) {
    const events = []
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()
    for (const line of lines) {
      if (line === '') {
        if (data.length) events.push(data.join('\n'))
        data = []
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5))
      }
    }
    return events
  }
}

/** Yields the data of the events of a response body. */
export async function* events(body) {
  const feed = eventReader()
  for await (const piece of chunks(body.pipeThrough(new TextDecoderStream()))) yield* feed(piece)
}

// Not all browsers can iterate a ReadableStream.
async function* chunks(stream) {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    reader.releaseLock()
  }
}
