// Snippets of programs that call this deployment.

/** @param {string} text @returns {string} the text as one word of a POSIX shell */
export function shellWord(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

// Linux takes 128 KiB in one word of a command line; a letter is up to 3 bytes.
const longestWord = 40_000

/** Returns a curl command that posts JSON. A body that is too long for an argument goes to standard input. */
export function curlPost(url, headers, body, { pretty = false } = {}) {
  const json = JSON.stringify(body, null, pretty ? 2 : 0)
  const head = [`curl -sSN ${url}`, ...headers.map(h => `-H ${shellWord(h)}`), "-H 'Content-Type: application/json'"].join(' \\\n  ')
  // JSON has no line END.
  return json.length <= longestWord ? `${head} \\\n  -d ${shellWord(json)}` : `${head} \\\n  --data-binary @- <<'END'\n${json}\nEND`
}

/** Returns a curl command for POST /api/chat. */
export function curlChat(origin, token, body, options) {
  return curlPost(`${origin}/api/chat`, [`Authorization: Bearer ${token}`], body, options)
}

/** @returns {{id: string, label: string, code: string}[]} */
export function snippets(origin, token, model) {
  return [
    { id: 'curl', label: 'curl', code: curlChat(origin, token, { model, messages: [{ role: 'user', content: 'Hello!' }] }) },
    { id: 'typescript', label: 'TypeScript', code: typescript(origin, token, model) },
    { id: 'python', label: 'Python', code: python(origin, token, model) },
    { id: 'go', label: 'Go', code: go(origin, token, model) },
    { id: 'anthropic', label: 'Anthropic SDK', code: anthropic(origin, token, model) },
  ]
}

const text = JSON.stringify // for tokens and model names a JSON string is a valid literal in all these languages

function typescript(origin, token, model) {
  return `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: ${text(`${origin}/v1`)}, apiKey: ${text(token)} })
const answer = await client.chat.completions.create({
  model: ${text(model)},
  messages: [{ role: 'user', content: 'Hello!' }],
})
console.log(answer.choices[0].message.content)`
}

function python(origin, token, model) {
  return `from openai import OpenAI

client = OpenAI(base_url=${text(`${origin}/v1`)}, api_key=${text(token)})
answer = client.chat.completions.create(
    model=${text(model)},
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)`
}

function go(origin, token, model) {
  return `package main

import (
	"context"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	client := openai.NewClient(option.WithBaseURL(${text(`${origin}/v1`)}), option.WithAPIKey(${text(token)}))
	answer, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{
		Model:    ${text(model)},
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello!")},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Choices[0].Message.Content)
}`
}

function anthropic(origin, token, model) {
  return `from anthropic import Anthropic

client = Anthropic(base_url=${text(origin)}, api_key=${text(token)})
answer = client.messages.create(
    model=${text(model)},
    max_tokens=500,
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.content[0].text)`
}
