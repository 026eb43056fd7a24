package linear

import (
	"strings"
	"testing"
	"time"
)

// models has a model of each provider.
var models = map[string]string{
	"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash",
	"mistral": "mistral-large-latest", "groq": "openai/gpt-oss-20b", "deepseek": "deepseek-chat",
}

func modelOf(provider string) string { return models[provider] }

// form is how a dialect's callers write the parts of a request.
type form struct {
	path string // MODEL stands for the model
	// head and tail surround the messages and the rest of the members.
	head, tail string
	user       func(content string) string
	assistant  func(content string) string
	part       string
	// calls is a turn with calls from..to, and results the turns that answer them in the other order.
	calls, results func(from, to int) string
	tool           func(i int, schema string) string
	tools          func(list string) string
}

func span(from, to int, each func(i int) string) string {
	return repeat(to-from, func(i int) string { return each(from + i) })
}

func spanReversed(from, to int, each func(i int) string) string {
	return reversed(to-from, func(i int) string { return each(from + i) })
}

func forms() map[string]form {
	openAICalls := func(member, results string) (calls, answers func(from, to int) string) {
		return func(from, to int) string {
				return `{"role":"assistant","content":null,"` + member + `":[` + span(from, to, func(i int) string {
					return printf(`{"id":"c%d","type":"function","function":{"name":"f%d","arguments":"{}"}}`, i, i)
				}) + `]}`
			}, func(from, to int) string {
				return spanReversed(from, to, func(i int) string {
					return printf(`{"role":"tool","%s":"c%d","content":"r"}`, results, i)
				})
			}
	}
	message := func(role string) func(string) string {
		return func(content string) string { return `{"role":"` + role + `","content":` + content + `}` }
	}
	openAITool := func(i int, schema string) string {
		return printf(`{"type":"function","function":{"name":"f%d","parameters":%s}}`, i, schema)
	}
	tools := func(list string) string { return `,"tools":[` + list + `]` }
	chat := form{path: "/v1/chat/completions", head: `{"model":"MODEL","messages":[`, tail: `]`, user: message("user"),
		assistant: message("assistant"), part: `{"type":"text","text":"x"}`, tool: openAITool, tools: tools}
	chat.calls, chat.results = openAICalls("tool_calls", "tool_call_id")
	native := chat
	native.path = "/api/chat"
	native.calls, native.results = openAICalls("toolCalls", "toolCallId")
	return map[string]form{
		"chat": chat, "native": native,
		"responses": {path: "/v1/responses", head: `{"model":"MODEL","store":false,"input":[`, tail: `]`,
			user: message("user"), assistant: func(string) string {
				return `{"role":"assistant","content":[{"type":"output_text","text":"x"}]}`
			},
			part: `{"type":"input_text","text":"x"}`,
			calls: func(from, to int) string {
				return span(from, to, func(i int) string {
					return printf(`{"type":"function_call","call_id":"c%d","name":"f%d","arguments":"{}"}`, i, i)
				})
			},
			results: func(from, to int) string {
				return spanReversed(from, to, func(i int) string {
					return printf(`{"type":"function_call_output","call_id":"c%d","output":"r"}`, i)
				})
			},
			tool: func(i int, schema string) string {
				return printf(`{"type":"function","name":"f%d","parameters":%s,"strict":false}`, i, schema)
			}, tools: tools},
		"messages": {path: "/v1/messages", head: `{"model":"MODEL","max_tokens":99,"messages":[`, tail: `]`,
			user: message("user"), assistant: message("assistant"), part: `{"type":"text","text":"x"}`,
			calls: func(from, to int) string {
				return `{"role":"assistant","content":[` + span(from, to, func(i int) string {
					return printf(`{"type":"tool_use","id":"c%d","name":"f%d","input":{}}`, i, i)
				}) + `]}`
			},
			results: func(from, to int) string {
				return `{"role":"user","content":[` + spanReversed(from, to, func(i int) string {
					return printf(`{"type":"tool_result","tool_use_id":"c%d","content":"r"}`, i)
				}) + `]}`
			},
			tool: func(i int, schema string) string {
				return printf(`{"name":"f%d","input_schema":%s}`, i, schema)
			}, tools: tools},
		"gemini": {path: "/v1beta/models/MODEL:generateContent", head: `{"contents":[`, tail: `]`,
			user: func(content string) string {
				if !strings.HasPrefix(content, "[") {
					content = `[{"text":` + content + `}]`
				}
				return `{"role":"user","parts":` + content + `}`
			},
			assistant: func(string) string { return `{"role":"model","parts":[{"text":"x"}]}` },
			part:      `{"text":"x"}`,
			calls: func(from, to int) string {
				return `{"role":"model","parts":[` + span(from, to, func(i int) string {
					return printf(`{"functionCall":{"name":"f%d","args":{}}}`, i)
				}) + `]}`
			},
			results: func(from, to int) string {
				return `{"role":"user","parts":[` + spanReversed(from, to, func(i int) string {
					return printf(`{"functionResponse":{"name":"f%d","response":{"r":"r"}}}`, i)
				}) + `]}`
			},
			tool: func(i int, schema string) string {
				return printf(`{"name":"f%d","parametersJsonSchema":%s}`, i, schema)
			},
			tools: func(list string) string { return `,"tools":[{"functionDeclarations":[` + list + `]}]` }},
	}
}

const plainSchema = `{"type":"object","properties":{"a":{"type":"string"}}}`

// requests returns for each kind of list a function that makes a request with n entries.
func (f form) requests() map[string]func(n int) string {
	whole := func(messages, rest string) string { return f.head + messages + f.tail + rest + "}" }
	first := f.user(`"x"`) + ","
	return map[string]func(n int) string{
		"calls": func(n int) string { return whole(first+f.calls(0, n)+","+f.results(0, n), "") },
		"the same call": func(n int) string {
			return whole(first+sameName(f.calls(0, n))+","+sameName(f.results(0, n)), "")
		},
		"turns with a call": func(n int) string {
			return whole(first+repeat(n/2, func(i int) string { return f.calls(i, i+1) + "," + f.results(i, i+1) }), "")
		},
		"turns whose ids repeat": func(n int) string {
			return whole(first+repeat(n/2, func(int) string { return f.calls(0, 1) + "," + f.results(0, 1) }), "")
		},
		"messages": func(n int) string {
			return whole(repeat(n/2, func(int) string { return f.user(`"x"`) + "," + f.assistant(`"x"`) })+","+f.user(`"x"`), "")
		},
		"messages of one side": func(n int) string { return whole(repeat(n, func(int) string { return f.user(`"x"`) }), "") },
		"parts": func(n int) string {
			return whole(f.user("["+repeat(n, func(int) string { return f.part })+"]"), "")
		},
		"tools": func(n int) string {
			return whole(f.user(`"x"`), f.tools(repeat(n, func(i int) string { return f.tool(i, plainSchema) })))
		},
		"tools and calls": func(n int) string {
			return whole(first+f.calls(0, n/2)+","+f.results(0, n/2), f.tools(repeat(n/2, func(i int) string { return f.tool(i, plainSchema) })))
		},
		"properties": func(n int) string {
			schema := `{"type":"object","properties":{` + repeat(n, func(i int) string { return printf(`"p%d":{"type":["string","null"]}`, i) }) +
				`},"required":[` + repeat(n, func(i int) string { return printf(`"p%d"`, i) }) + `]}`
			return whole(f.user(`"x"`), f.tools(f.tool(0, schema)))
		},
		"definitions": func(n int) string {
			schema := `{"type":"object","properties":{` + repeat(n/2, func(i int) string { return printf(`"p%d":{"$ref":"#/$defs/d%d"}`, i, i) }) +
				`},"$defs":{` + repeat(n/2, func(i int) string { return printf(`"d%d":{"type":"string"}`, i) }) + `}}`
			return whole(f.user(`"x"`), f.tools(f.tool(0, schema)))
		},
		"alternatives": func(n int) string {
			schema := `{"type":"object","properties":{"a":{"anyOf":[` + repeat(n, func(i int) string {
				return printf(`{"type":"string","enum":["e%d"]}`, i)
			}) + `]}}}`
			return whole(f.user(`"x"`), f.tools(f.tool(0, schema)))
		},
		"values": func(n int) string {
			schema := `{"type":"object","properties":{"a":{"type":"string","enum":[` + repeat(n, func(i int) string { return printf(`"e%d"`, i) }) + `]}}}`
			return whole(f.user(`"x"`), f.tools(f.tool(0, schema)))
		},
	}
}

// sameName gives all calls and results one name.
func sameName(text string) string {
	var b strings.Builder
	for {
		at := strings.Index(text, `"name":"f`)
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		at += len(`"name":"f`)
		b.WriteString(text[:at])
		text = strings.TrimLeft(text[at:], "0123456789")
	}
}

func TestRequests(t *testing.T) {
	w := newWorld(t)
	w.answer.Store(plainAnswer())
	for dialect, f := range forms() {
		for kind, request := range f.requests() {
			bodies := map[int]string{entries: request(entries), 4 * entries: request(4 * entries)}
			for _, provider := range protocols {
				model := modelOf(provider)
				path := strings.Replace(f.path, "MODEL", model, 1)
				t.Run(dialect+"/"+kind+"/"+provider, func(t *testing.T) {
					w.t = t
					grows(t, kind, entries, func(n int) time.Duration {
						return w.cost(path, provider, []byte(strings.Replace(bodies[n], "MODEL", model, 1)))
					})
				})
			}
		}
	}
}
