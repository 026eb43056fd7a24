package linear

import (
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

const (
	chatUsage      = `"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}`
	responsesUsage = `"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}`
	messagesUsage  = `"usage":{"input_tokens":1,"output_tokens":1}`
	geminiUsage    = `"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}`
)

func chatAnswer(choices string) string {
	return `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[` + choices + `],` + chatUsage + `}`
}

func responsesAnswer(output string) string {
	return `{"id":"resp_1","object":"response","created_at":1,"model":"m","status":"completed","output":[` + output + `],` + responsesUsage + `}`
}

func messagesAnswer(content, stop string) string {
	return `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[` + content + `],"stop_reason":"` + stop + `",` + messagesUsage + `}`
}

func geminiAnswer(candidates string) string {
	return `{"candidates":[` + candidates + `],` + geminiUsage + `,"modelVersion":"m"}`
}

func whole(chat, responses, messages, gemini string) *answer {
	return &answer{"application/json", map[string][]byte{
		"chat": []byte(chat), "responses": []byte(responses), "messages": []byte(messages), "gemini": []byte(gemini),
	}}
}

func plainAnswer() *answer {
	return whole(chatAnswer(`{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}`),
		responsesAnswer(`{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"ok","annotations":[]}]}`),
		messagesAnswer(`{"type":"text","text":"ok"}`, "end_turn"),
		geminiAnswer(`{"index":0,"content":{"role":"model","parts":[{"text":"ok"}]},"finishReason":"STOP"}`))
}

// wholeAnswers returns for each kind of list the providers' answers with n entries.
func wholeAnswers() map[string]func(n int) *answer {
	return map[string]func(n int) *answer{
		"calls": func(n int) *answer {
			return whole(chatAnswer(`{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[`+repeat(n, func(i int) string {
				return printf(`{"index":%d,"id":"c%d","type":"function","function":{"name":"f%d","arguments":"{}"}}`, i, i, i)
			})+`]},"finish_reason":"tool_calls"}`),
				responsesAnswer(repeat(n, func(i int) string {
					return printf(`{"type":"function_call","id":"fc%d","call_id":"c%d","name":"f%d","arguments":"{}","status":"completed"}`, i, i, i)
				})),
				messagesAnswer(repeat(n, func(i int) string { return printf(`{"type":"tool_use","id":"c%d","name":"f%d","input":{}}`, i, i) }), "tool_use"),
				geminiAnswer(`{"index":0,"content":{"role":"model","parts":[`+repeat(n, func(i int) string {
					return printf(`{"functionCall":{"name":"f%d","args":{}}}`, i)
				})+`]},"finishReason":"STOP"}`))
		},
		"parts": func(n int) *answer {
			return whole(chatAnswer(`{"index":0,"message":{"role":"assistant","content":[`+repeat(n, func(int) string { return `{"type":"text","text":"x"}` })+
				`]},"finish_reason":"stop"}`),
				responsesAnswer(`{"type":"message","id":"m","role":"assistant","status":"completed","content":[`+
					repeat(n, func(int) string { return `{"type":"output_text","text":"x","annotations":[]}` })+`]}`),
				messagesAnswer(repeat(n, func(int) string { return `{"type":"text","text":"x"}` }), "end_turn"),
				geminiAnswer(`{"index":0,"content":{"role":"model","parts":[`+repeat(n, func(int) string { return `{"text":"x"}` })+`]},"finishReason":"STOP"}`))
		},
		"choices": func(n int) *answer {
			return whole(chatAnswer(repeat(n, func(i int) string {
				return printf(`{"index":%d,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}`, i)
			})),
				responsesAnswer(repeat(n, func(i int) string {
					return printf(`{"type":"message","id":"m%d","role":"assistant","status":"completed","content":[{"type":"output_text","text":"x","annotations":[]}]}`, i)
				})),
				messagesAnswer(repeat(n, func(i int) string {
					return printf(`{"type":"thinking","thinking":"t%d","signature":"s%d"}`, i, i)
				})+`,{"type":"text","text":"x"}`, "end_turn"),
				geminiAnswer(repeat(n, func(i int) string {
					return printf(`{"index":%d,"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}`, i)
				})))
		},
	}
}

// events is a stream of events; each line is one, with its name before it if it has one.
type events struct{ strings.Builder }

func (e *events) data(text string) { e.WriteString("data: " + text + "\n\n") }
func (e *events) named(name, text string) {
	e.WriteString("event: " + name + "\ndata: " + text + "\n\n")
}

func chunk(delta, finish string) string {
	return `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}`
}

func streamed(chat, responses, messages, gemini *events) *answer {
	return &answer{"text/event-stream", map[string][]byte{
		"chat": []byte(chat.String()), "responses": []byte(responses.String()), "messages": []byte(messages.String()), "gemini": []byte(gemini.String()),
	}}
}

func chatStream(fill func(e *events)) *events {
	e := &events{}
	e.data(chunk(`{"role":"assistant","content":""}`, "null"))
	fill(e)
	e.data(chunk(`{}`, `"stop"`))
	e.data(`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],` + chatUsage + `}`)
	e.data("[DONE]")
	return e
}

func responsesStream(fill func(e *events), output string) *events {
	e := &events{}
	e.named("response.created", `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"model":"m","status":"in_progress","output":[]}}`)
	fill(e)
	e.named("response.completed", `{"type":"response.completed","sequence_number":1,"response":`+responsesAnswer(output)+`}`)
	return e
}

func messagesStream(fill func(e *events), stop string) *events {
	e := &events{}
	e.named("message_start", `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,`+messagesUsage+`}}`)
	fill(e)
	e.named("message_delta", `{"type":"message_delta","delta":{"stop_reason":"`+stop+`"},`+messagesUsage+`}`)
	e.named("message_stop", `{"type":"message_stop"}`)
	return e
}

func geminiStream(fill func(e *events)) *events {
	e := &events{}
	fill(e)
	e.data(geminiAnswer(`{"index":0,"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"}`))
	return e
}

// streamedAnswers returns for each kind of list the providers' streams with n entries.
func streamedAnswers() map[string]func(n int) *answer {
	return map[string]func(n int) *answer{
		"calls": func(n int) *answer {
			item := func(i int, arguments, status string) string {
				return printf(`{"type":"function_call","id":"fc%d","call_id":"c%d","name":"f%d","arguments":"%s","status":"%s"}`, i, i, i, arguments, status)
			}
			return streamed(chatStream(func(e *events) {
				for i := range n {
					e.data(chunk(printf(`{"tool_calls":[{"index":%d,"id":"c%d","type":"function","function":{"name":"f%d","arguments":""}}]}`, i, i, i), "null"))
				}
				for i := range n { // in turn
					e.data(chunk(printf(`{"tool_calls":[{"index":%d,"function":{"arguments":"{}"}}]}`, i), "null"))
				}
			}), responsesStream(func(e *events) {
				for i := range n {
					e.named("response.output_item.added", printf(`{"type":"response.output_item.added","output_index":%d,"item":%s}`, i, item(i, "", "in_progress")))
				}
				for i := range n {
					e.named("response.function_call_arguments.delta", printf(`{"type":"response.function_call_arguments.delta","output_index":%d,"item_id":"fc%d","delta":"{}"}`, i, i))
				}
				for i := range n {
					e.named("response.output_item.done", printf(`{"type":"response.output_item.done","output_index":%d,"item":%s}`, i, item(i, "{}", "completed")))
				}
			}, repeat(n, func(i int) string { return item(i, "{}", "completed") })),
				messagesStream(func(e *events) {
					for i := range n {
						e.named("content_block_start", printf(`{"type":"content_block_start","index":%d,"content_block":{"type":"tool_use","id":"c%d","name":"f%d","input":{}}}`, i, i, i))
						e.named("content_block_delta", printf(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":"{}"}}`, i))
						e.named("content_block_stop", printf(`{"type":"content_block_stop","index":%d}`, i))
					}
				}, "tool_use"),
				geminiStream(func(e *events) {
					for i := range n {
						e.data(geminiAnswer(printf(`{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f%d","args":{}}}]}}`, i)))
					}
				}))
		},
		"text": func(n int) *answer {
			return streamed(chatStream(func(e *events) {
				for range n {
					e.data(chunk(`{"content":"word "}`, "null"))
				}
			}), responsesStream(func(e *events) {
				e.named("response.output_item.added", `{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"m","role":"assistant","status":"in_progress","content":[]}}`)
				e.named("response.content_part.added", `{"type":"response.content_part.added","output_index":0,"item_id":"m","content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}`)
				for range n {
					e.named("response.output_text.delta", `{"type":"response.output_text.delta","output_index":0,"item_id":"m","content_index":0,"delta":"word "}`)
				}
			}, `{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"word","annotations":[]}]}`),
				messagesStream(func(e *events) {
					e.named("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
					for range n {
						e.named("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}`)
					}
					e.named("content_block_stop", `{"type":"content_block_stop","index":0}`)
				}, "end_turn"),
				geminiStream(func(e *events) {
					for range n {
						e.data(geminiAnswer(`{"index":0,"content":{"role":"model","parts":[{"text":"word "}]}}`))
					}
				}))
		},
		"arguments": func(n int) *answer {
			item := func(status string) string {
				return printf(`{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"","status":"%s"}`, status)
			}
			return streamed(chatStream(func(e *events) {
				e.data(chunk(`{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\""}}]}`, "null"))
				for range n {
					e.data(chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"word "}}]}`, "null"))
				}
				e.data(chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"\"}"}}]}`, "null"))
			}), responsesStream(func(e *events) {
				e.named("response.output_item.added", `{"type":"response.output_item.added","output_index":0,"item":`+item("in_progress")+`}`)
				for range n {
					e.named("response.function_call_arguments.delta", `{"type":"response.function_call_arguments.delta","output_index":0,"item_id":"fc","delta":"word "}`)
				}
			}, item("completed")),
				messagesStream(func(e *events) {
					e.named("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c","name":"f","input":{}}}`)
					e.named("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":\""}}`)
					for range n {
						e.named("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"word "}}`)
					}
					e.named("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"}"}}`)
					e.named("content_block_stop", `{"type":"content_block_stop","index":0}`)
				}, "tool_use"),
				geminiStream(func(e *events) {
					e.data(geminiAnswer(`{"index":0,"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":"` + strings.Repeat("word ", n) + `"}}}]}}`))
				}))
		},
	}
}

// asks returns a plain request of each dialect.
func asks(stream bool) map[string][2]string {
	on := printf(`,"stream":%v}`, stream)
	method := "generateContent"
	if stream {
		method = "streamGenerateContent?alt=sse"
	}
	return map[string][2]string{
		"chat":      {"/v1/chat/completions", `{"model":"MODEL","messages":[{"role":"user","content":"x"}]` + on},
		"native":    {"/api/chat", `{"model":"MODEL","messages":[{"role":"user","content":"x"}]` + on},
		"responses": {"/v1/responses", `{"model":"MODEL","store":false,"input":"x"` + on},
		"messages":  {"/v1/messages", `{"model":"MODEL","max_tokens":99,"messages":[{"role":"user","content":"x"}]` + on},
		"gemini":    {"/v1beta/models/MODEL:" + method, `{"contents":[{"role":"user","parts":[{"text":"x"}]}]}`},
	}
}

// bounded has the kinds of which an answer may have only so many.
var bounded = map[string]int{"calls": chat.MaxCalls - 4, "choices": chat.MaxChoices - 4}

// protocols has a provider for each way in which providers are called and answer.
var protocols = []string{"openai", "anthropic", "gemini", "mistral", "groq", "deepseek"}

func TestAnswers(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		stream  bool
		answers map[string]func(n int) *answer
	}{"whole": {false, wholeAnswers()}, "streamed": {true, streamedAnswers()}} {
		for kind, make := range tt.answers {
			small := entries
			if most := bounded[kind]; most > 0 {
				small = most / 4
			}
			answers := map[int]*answer{small: make(small), 4 * small: make(4 * small)}
			for dialect, ask := range asks(tt.stream) {
				for _, provider := range protocols {
					t.Run(name+"/"+kind+"/"+dialect+"/"+provider, func(t *testing.T) {
						w.t = t
						path, body := strings.Replace(ask[0], "MODEL", modelOf(provider), 1), strings.Replace(ask[1], "MODEL", modelOf(provider), 1)
						grows(t, kind, small, func(n int) time.Duration {
							w.answer.Store(answers[n])
							return w.cost(path, provider, []byte(body))
						})
					})
				}
			}
		}
	}
}
