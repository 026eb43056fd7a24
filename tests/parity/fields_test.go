package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// fields makes random requests: fields that the dialect documents, with values that it documents, in any combination.
type fields struct{ *rand.Rand }

func pick[T any](f fields, list ...T) T { return list[f.IntN(len(list))] }

// some adds each of the members with the chance of one in three.
func (f fields) some(to object, from object) object {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if f.IntN(3) == 0 {
			to[name] = from[name]
		}
	}
	return to
}

// schemas are such as programs and protocols write them.
var schemas = []string{
	`{"type":"object"}`,
	`{}`,
	`{"type":"object","properties":{"a":{"type":"array"}},"required":["a"]}`,
	`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"object","properties":{"next":{"$ref":"#/definitions/n"}}}}}`,
	`{"type":"object","properties":{"a":true,"b":false,"c":{"type":["string","null"],"enum":["x",null]}}}`,
	`{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"integer","exclusiveMinimum":0}},"required":["b"]}]}`,
	`{"type":"object","properties":{"a":{"oneOf":[{"const":1},{"type":"string","format":"uri","minLength":1}]}},"additionalProperties":{"type":"string"}}`,
	`{"allOf":[{"type":"object","properties":{"a":{"type":"number","minimum":0,"exclusiveMinimum":true}}},{"$ref":"#/$defs/b"}],"$defs":{"b":{"type":"object","properties":{"b":{"type":"boolean","default":null}}}}}`,
	`{"type":"object","properties":{"t":{"type":"array","items":[{"type":"string"},{"type":"number"}],"additionalItems":false}},"patternProperties":{"^x":{"type":"object"}}}`,
	`{"type":"object","properties":{"a":{"type":"object","properties":null,"nullable":true}},"required":null}`,
}

func (f fields) schema() json.RawMessage { return json.RawMessage(pick(f, schemas...)) }

// closed is a schema of an answer, as all providers that take schemas document it.
var closed = json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"integer"}}},"required":["a","b"],"additionalProperties":false}`)

func (f fields) number(low, high float64) float64 {
	return low + float64(f.IntN(11))/10*(high-low)
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// members returns the members of a random request of the dialect beside the model and whether to stream.
func (f fields) members(dialect string) object {
	tools := f.IntN(2) == 0
	switch dialect {
	case "anthropic":
		return f.anthropic(tools)
	case "responses":
		return f.responses(tools)
	case "gemini", "gemini array":
		return f.gemini(tools)
	case "native":
		return f.native(tools)
	}
	return f.chat(tools)
}

func (f fields) chat(tools bool) object {
	b := f.some(object{}, object{
		"temperature": f.number(0, 2), "top_p": f.number(0.1, 1), "n": 1, "seed": 7, "presence_penalty": f.number(-2, 2),
		"frequency_penalty": f.number(-2, 2), "logit_bias": object{"50256": -100}, "user": "u", "metadata": object{"k": "v"}, "store": false,
		"verbosity": "low", "service_tier": "auto", "prompt_cache_key": "k", "reasoning_effort": pick(f, "none", "minimal", "low", "medium", "high", "xhigh"),
		"stop": pick[any](f, "END", []string{"END"}, []string{"1", "2", "3", "4"}, nil), "safe_prompt": true, "random_seed": 1, "provider": object{"order": []string{"x"}},
		"reasoning_format": "parsed", "chat_template_kwargs": object{"a": 1}, "modalities": []string{"text"},
		"response_format": pick(f, object{"type": "text"}, object{"type": "json_object"}, object{"type": "json_schema", "json_schema": object{"name": "a", "schema": closed, "strict": true}},
			object{"type": "json_object", "schema": closed}),
	})
	if f.IntN(3) == 0 {
		b["logprobs"], b["top_logprobs"] = true, f.IntN(5)
	}
	if f.IntN(2) == 0 {
		b[pick(f, "max_tokens", "max_completion_tokens")] = 1 + f.IntN(4000)
	}
	if tools {
		function := f.some(object{"name": "f"}, object{"description": "does", "parameters": f.schema(), "strict": pick[any](f, true, false, nil)})
		b["tools"] = []any{object{"type": "function", "function": function}}
		f.some(b, object{"parallel_tool_calls": f.IntN(2) == 0,
			"tool_choice": pick[any](f, "auto", "none", "required", object{"type": "function", "function": object{"name": "f"}})})
	}
	user := pick[any](f, "Answer in JSON.", []any{object{"type": "text", "text": "Answer in JSON.", "cache_control": object{"type": "ephemeral"}}},
		[]any{object{"type": "text", "text": "JSON"}, object{"type": "image_url", "image_url": object{"url": "data:image/png;base64," + png, "detail": "low"}}})
	messages := []any{f.some(object{"role": "user", "content": user}, object{"name": "ann"})}
	if f.IntN(2) == 0 {
		messages = append([]any{object{"role": pick(f, "system", "developer"), "content": pick[any](f, "Be kind.", []any{object{"type": "text", "text": "Be kind."}})}}, messages...)
	}
	if f.IntN(2) == 0 {
		messages = append(messages, f.some(object{"role": "assistant", "content": pick[any](f, "well", []any{object{"type": "text", "text": "well"}})},
			object{"refusal": nil, "annotations": []any{}, "audio": nil, "reasoning_content": "hm", "reasoning": "hm", "index": 0, "function_call": nil}),
			object{"role": "user", "content": "Go on, in JSON."})
	}
	b["messages"] = messages
	return b
}

func (f fields) native(tools bool) object {
	b := f.some(object{}, object{
		"temperature": f.number(0, 2), "topP": f.number(0.1, 1), "seed": 7, "presencePenalty": f.number(-2, 2), "frequencyPenalty": f.number(-2, 2),
		"stop": []string{"END"}, "user": "u", "reasoning": object{"effort": pick(f, "none", "low", "high")}, "maxTokens": 1 + f.IntN(4000),
		"responseFormat": pick(f, object{"type": "text"}, object{"type": "json_object"}, object{"type": "json_schema", "jsonSchema": object{"name": "a", "schema": closed}}),
	})
	if tools {
		b["tools"] = []any{object{"type": "function", "function": f.some(object{"name": "f"}, object{"description": "does", "parameters": f.schema(), "strict": true})}}
		f.some(b, object{"toolChoice": pick[any](f, "auto", "none", "required", object{"type": "function", "function": object{"name": "f"}})})
	}
	b["messages"] = []any{object{"role": "system", "content": "Be kind."}, object{"role": "user", "content": "Answer in JSON."}}
	return b
}

func (f fields) anthropic(tools bool) object {
	b := f.some(object{"max_tokens": 2048 + f.IntN(4000)}, object{
		"temperature": f.number(0, 1), "top_k": 40, "stop_sequences": []string{"1", "2", "3", "4", "5"}[:1+f.IntN(5)], "metadata": object{"user_id": "u"}, "service_tier": "auto",
		"system":        pick[any](f, "Be kind.", []any{object{"type": "text", "text": "Be kind.", "cache_control": object{"type": "ephemeral", "ttl": "1h"}}}),
		"thinking":      pick(f, object{"type": "enabled", "budget_tokens": 1024}, object{"type": "disabled"}, object{"type": "adaptive"}),
		"output_config": f.some(object{}, object{"effort": pick(f, "low", "medium", "high", "max"), "format": object{"type": "json_schema", "schema": closed}}),
	})
	if thinking, _ := b["thinking"].(object); thinking != nil && thinking["type"] != "disabled" {
		delete(b, "temperature") // documented to exclude each other
		delete(b, "top_k")
	}
	if tools {
		schema := f.schema()
		if !strings.Contains(string(schema), `{"type":"object"`) || strings.HasPrefix(string(schema), `{"a`) {
			schema = json.RawMessage(`{"type":"object"}`) // the dialect asks for objects
		}
		b["tools"] = []any{f.some(object{"name": "f", "input_schema": schema}, object{"description": "does", "cache_control": object{"type": "ephemeral"},
			"defer_loading": false, "input_examples": []any{object{}}}),
			object{"type": "bash_20250124", "name": "bash"}}
		f.some(b, object{"tool_choice": pick(f, object{"type": "auto"}, object{"type": "any"}, object{"type": "none"}, object{"type": "tool", "name": pick(f, "f", "bash")},
			object{"type": "auto", "disable_parallel_tool_use": true})})
	}
	user := pick[any](f, "Answer in JSON.", []any{object{"type": "text", "text": "JSON", "cache_control": object{"type": "ephemeral"}}},
		[]any{object{"type": "document", "title": "t", "context": "c", "source": object{"type": "text", "media_type": "text/plain", "data": "words"}}, object{"type": "text", "text": "JSON"}},
		[]any{object{"type": "search_result", "title": "t", "source": "s", "content": []any{object{"type": "text", "text": "found"}}}, object{"type": "text", "text": "JSON"}},
		[]any{object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": png}}, object{"type": "text", "text": "JSON"}})
	messages := []any{object{"role": "user", "content": user}}
	if f.IntN(2) == 0 {
		messages = append(messages, object{"role": "assistant", "content": pick[any](f, "well", []any{object{"type": "text", "text": "well"}})},
			object{"role": "user", "content": "Go on, in JSON."})
	}
	b["messages"] = messages
	return b
}

func (f fields) responses(tools bool) object {
	b := f.some(object{"store": false}, object{
		"instructions": "Be kind.", "temperature": f.number(0, 2), "top_p": f.number(0.1, 1), "max_output_tokens": 16 + f.IntN(4000), "user": "u",
		"metadata": object{"k": "v"}, "truncation": "disabled", "service_tier": "auto", "prompt_cache_key": "k", "parallel_tool_calls": true,
		"include": []string{"reasoning.encrypted_content"}, "reasoning": f.some(object{}, object{"effort": pick(f, "minimal", "low", "medium", "high"), "summary": "auto"}),
		"text": f.some(object{}, object{"verbosity": "low", "format": pick(f, object{"type": "text"}, object{"type": "json_object"},
			object{"type": "json_schema", "name": "a", "schema": closed, "strict": true})}),
		"client_metadata": object{"a": "b"},
	})
	if tools {
		b["tools"] = []any{f.some(object{"type": "function", "name": "f"}, object{"description": "does", "parameters": f.schema(), "strict": pick[any](f, false, nil)})}
		f.some(b, object{"tool_choice": pick[any](f, "auto", "none", "required", object{"type": "function", "name": "f"})})
	}
	input := []any{object{"role": "user", "content": pick[any](f, "Answer in JSON.", []any{object{"type": "input_text", "text": "JSON"}},
		[]any{object{"type": "input_text", "text": "JSON"}, object{"type": "input_image", "image_url": "data:image/png;base64," + png}})}}
	if f.IntN(2) == 0 {
		input = append(input, object{"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": []any{object{"type": "output_text", "text": "well", "annotations": []any{}}}},
			object{"role": "user", "content": "Go on, in JSON."})
	}
	b["input"] = input
	return b
}

func (f fields) gemini(tools bool) object {
	config := f.some(object{}, object{
		"temperature": f.number(0, 2), "topP": f.number(0.1, 1), "topK": 40, "maxOutputTokens": pick[any](f, 1000, "1000"), "stopSequences": []string{"1", "2", "3", "4", "5"}[:1+f.IntN(5)],
		"seed": 7, "candidateCount": 1, "presencePenalty": f.number(-2, 1.9), "frequencyPenalty": f.number(-2, 1.9), "responseModalities": []string{"TEXT"},
		"thinkingConfig": object{"includeThoughts": true, "thinkingBudget": pick(f, 0, 1024, -1)},
	})
	if f.IntN(3) == 0 {
		config["responseMimeType"] = "application/json"
		f.some(config, object{"responseSchema": object{"type": "OBJECT", "properties": object{"a": object{"type": "STRING"}}}})
	}
	b := f.some(object{"generationConfig": config}, object{
		"systemInstruction": object{"parts": []any{object{"text": "Be kind."}}},
		"safetySettings":    []any{object{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}},
	})
	if tools {
		function := f.some(object{"name": "f", "description": "does"}, object{pick(f, "parametersJsonSchema", "parameters"): object{"type": "object", "properties": object{"a": object{"type": "string"}}}})
		b["tools"] = []any{object{"functionDeclarations": []any{function}}}
		f.some(b, object{"toolConfig": object{"functionCallingConfig": object{"mode": pick(f, "AUTO", "ANY", "NONE")}}})
	}
	contents := []any{object{"role": "user", "parts": pick[any](f, []any{object{"text": "Answer in JSON."}},
		[]any{object{"text": "JSON"}, object{"inlineData": object{"mimeType": "image/png", "data": png}}})}}
	if f.IntN(2) == 0 {
		contents = append(contents, object{"role": "model", "parts": []any{object{"text": "well"}}}, object{"role": "user", "parts": []any{object{"text": "Go on, in JSON."}}})
	}
	b["contents"] = contents
	return b
}

// try sends a random request whole and streamed. It returns what is wrong: the provider refused it by its rules, or the
// answers differ.
func (app *application) try(s *caller, provider, model string, seed uint64) error {
	f := fields{rand.New(rand.NewPCG(seed, 5))}
	more := f.members(s.name)
	var said [2]string
	for i, streamed := range []bool{false, true} {
		path, body := s.write(&request{model: provider + "/" + model, turns: []turn{{text: "x"}}, streamed: streamed, includeUsage: streamed})
		body = encode(merged(body, more))
		r := app.send("POST", path, body, s.auth(app.token)...)
		for _, got := range app.emu.Requests() {
			if got.Key == app.secret && got.Status >= 400 {
				return fmt.Errorf("%d %s\n%s\nbecame %s", r.status, r.body, body, got.Body)
			}
		}
		if r.status >= 500 {
			return fmt.Errorf("%d %s: %s", r.status, r.body, body)
		}
		if r.status != 200 {
			said[i] = fmt.Sprint(r.status)
			continue // the gateway says what cannot be translated
		}
		got, err := s.read(r, streamed)
		if err != nil || got.failed != nil {
			return fmt.Errorf("%w %v: %s", err, got.failed, body)
		}
		calls := ""
		for _, c := range got.calls {
			calls += c.name + string(canonical(c.arguments))
		}
		said[i] = fmt.Sprintf("%q %q %s %s", got.text, got.reasoning, calls, got.finish)
	}
	if said[0] != said[1] {
		return fmt.Errorf("whole %s, streamed %s: %s", said[0], said[1], encode(more))
	}
	return nil
}

func canonical(text string) []byte {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return []byte(text)
	}
	return encode(v)
}

// Whatever fields a client sends, in any dialect to any provider: the provider's rules refuse none of the requests that
// the gateway sends, and a stream says what the whole answer says.
func TestRandomFields(t *testing.T) {
	w := newWorld(t)
	answered := 0
	for _, pr := range providers() {
		for _, model := range pr.models {
			for _, s := range callers() {
				if s.name == "gemini array" {
					continue
				}
				app := w.application(pr.id)
				for seed := range uint64(12) {
					if err := app.try(s, pr.id, model, seed); err != nil {
						t.Errorf("%s, %s, seed %d: %v", pr.id+"/"+model, s.name, seed, err)
						app = w.application(pr.id)
						continue
					}
					answered++
				}
			}
		}
	}
	t.Logf("%d requests", answered)
}

// FuzzFields looks for such requests by the seed.
func FuzzFields(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 6))
		pr := providers()[r.IntN(len(providers()))]
		model := pr.models[r.IntN(len(pr.models))]
		s := callers()[r.IntN(len(callers()))]
		if err := w.application(pr.id).try(s, pr.id, model, seed); err != nil {
			t.Errorf("%s, %s: %v", pr.id+"/"+model, s.name, err)
		}
	})
}
