package parity

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A said is one message of a random conversation.
type said struct {
	role    string // user, assistant, system
	text    string
	calls   []madeCall
	results []madeResult
}

// Calls and results carry a number by which they are known in what was sent.
type madeCall struct {
	id string
	n  int
}

type madeResult struct {
	id     string
	n      int
	text   string
	failed bool
	form   int // how an empty or special content is written
}

// talk makes random conversations: as clients send them, with all that they get wrong.
type talk struct {
	*rand.Rand
	words, numbers int
	dialect        string
}

func (k *talk) word() string {
	k.words++
	return fmt.Sprintf("w%dw", k.words)
}

// id numbers calls in one of the ways of servers and programs.
func (k *talk) id(way, turn, i int) string {
	switch way {
	case 0:
		return fmt.Sprintf("call_%d_%d", turn, i)
	case 1:
		return fmt.Sprintf("call_%d", i) // anew in each turn
	case 2:
		return fmt.Sprintf("functions.f:%d", i)
	case 3:
		return fmt.Sprintf("%s_%d_%d", strings.Repeat("long", 18), turn, i)
	case 4:
		return fmt.Sprintf("toolu_é %d/%d", turn, i)
	}
	return "bash:0" // one id for all
}

func (k *talk) conversation() []said {
	var list []said
	way := k.IntN(6)
	rarely := func() bool { return k.IntN(6) == 0 }
	for turn := range 1 + k.IntN(4) {
		list = append(list, said{role: "user", text: k.word()})
		if rarely() && k.dialect != "gemini" {
			list = append(list, said{role: "system", text: k.word()})
		}
		for step := range k.IntN(3) {
			a := said{role: "assistant", text: k.word()}
			for i := range k.IntN(3) {
				k.numbers++
				a.calls = append(a.calls, madeCall{k.id(way, turn*10+step, i), k.numbers})
			}
			if len(a.calls) > 0 && k.IntN(2) == 0 || rarely() {
				a.text = ""
			}
			list = append(list, a)
			if results := k.results(a.calls, way); len(results) > 0 {
				list = append(list, said{role: "user", results: results})
			}
			if rarely() {
				list = append(list, said{role: "user", text: []string{k.word(), " "}[k.IntN(2)]})
			}
		}
	}
	if rarely() {
		list = append(list, said{role: "assistant", text: k.word()})
	} else if k.IntN(2) == 0 {
		list = append(list, said{role: "user", text: k.word()})
	}
	if rarely() && k.dialect != "gemini" {
		list = slices.Insert(list, 0, said{role: "system", text: k.word()})
	}
	return list
}

// results are those of the calls, some of them missing or in another order. Only ids tell whose they are.
func (k *talk) results(calls []madeCall, way int) []madeResult {
	var list []madeResult
	for _, c := range calls {
		r := madeResult{id: c.id, n: c.n, text: fmt.Sprintf("r%dr", c.n), failed: k.IntN(5) == 0, form: k.IntN(6)}
		if r.form < 3 {
			r.text = ""
		}
		list = append(list, r)
	}
	distinct := way == 0 || way == 3 || way == 4
	if k.IntN(8) == 0 && len(list) > 0 && distinct { // else nobody could tell which one it is
		list = list[:len(list)-1]
	}
	if way != 5 {
		k.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// bodies write the messages of a conversation in each dialect, as the members of a request.
func bodies(dialect string, list []said) object {
	switch dialect {
	case "anthropic":
		return object{"messages": anthropicTalk(list)}
	case "responses":
		return object{"input": responsesTalk(list)}
	case "gemini":
		return object{"contents": geminiTalk(list)}
	}
	return object{"messages": chatTalk(list, dialect == "native")}
}

func chatTalk(list []said, native bool) (out []any) {
	names := map[bool]string{false: "tool_call_id", true: "toolCallId"}
	calls := map[bool]string{false: "tool_calls", true: "toolCalls"}
	for _, s := range list {
		m := object{"role": s.role, "content": s.text}
		for _, c := range s.calls {
			have, _ := m[calls[native]].([]any)
			m[calls[native]] = append(have, object{"id": c.id, "type": "function", "function": object{"name": "f", "arguments": fmt.Sprintf(`{"n":%d}`, c.n)}})
		}
		for _, r := range s.results {
			t := object{"role": "tool", names[native]: r.id, "content": r.text}
			switch {
			case r.text != "":
			case r.form == 1:
				t["content"] = nil
			case r.form == 2:
				delete(t, "content")
			}
			out = append(out, t)
		}
		if s.results == nil {
			out = append(out, m)
		}
	}
	return out
}

func anthropicTalk(list []said) (out []any) {
	for _, s := range list {
		var blocks []any
		for _, r := range s.results {
			b := object{"type": "tool_result", "tool_use_id": r.id, "content": r.text, "is_error": r.failed}
			switch {
			case r.form == 1 && r.text == "":
				b["content"] = []any{}
			case r.form == 2 && r.text == "":
				delete(b, "content")
			case r.form == 4:
				b["content"] = []any{object{"type": "tool_reference", "tool_name": r.text}}
			case r.form == 5:
				b["content"] = []any{object{"type": "search_result", "source": "s", "title": "t", "content": []any{object{"type": "text", "text": r.text}}}}
			}
			blocks = append(blocks, b)
		}
		switch {
		case s.text == "" && (len(s.calls) > 0 || s.results != nil):
		case s.role == "user" && s.text != " " && len(s.text)%2 == 0:
			blocks = append(blocks, object{"type": "document", "title": "t", "source": object{"type": "text", "media_type": "text/plain", "data": s.text}})
		default:
			blocks = append(blocks, object{"type": "text", "text": s.text})
		}
		for _, c := range s.calls {
			blocks = append(blocks, object{"type": "tool_use", "id": c.id, "name": "f", "input": object{"n": c.n}})
		}
		out = append(out, object{"role": s.role, "content": blocks})
	}
	return out
}

func responsesTalk(list []said) (out []any) {
	for _, s := range list {
		if s.text != "" {
			out = append(out, object{"type": "message", "role": s.role, "content": s.text})
		}
		for _, c := range s.calls {
			out = append(out, object{"type": "function_call", "call_id": c.id, "name": "f", "arguments": fmt.Sprintf(`{"n":%d}`, c.n)})
		}
		for _, r := range s.results {
			o := object{"type": "function_call_output", "call_id": r.id, "output": r.text}
			if r.form == 1 && r.text == "" {
				o["output"] = []any{}
			} else if r.form == 4 {
				o["output"] = []any{object{"type": "input_text", "text": r.text}}
			}
			out = append(out, o)
		}
	}
	return out
}

func geminiTalk(list []said) (out []any) {
	for _, s := range list {
		var parts []any
		if s.text != "" || len(s.calls) == 0 && s.results == nil {
			parts = append(parts, object{"text": s.text})
		}
		for _, c := range s.calls {
			parts = append(parts, object{"functionCall": object{"id": c.id, "name": "f", "args": object{"n": c.n}}})
		}
		for _, r := range s.results {
			parts = append(parts, object{"functionResponse": object{"id": r.id, "name": "f", "response": object{"result": r.text}}})
		}
		out = append(out, object{"role": map[string]string{"user": "user", "assistant": "model"}[s.role], "parts": parts})
	}
	return out
}

// A link is a call or a result in what was sent, whatever the dialect.
type link struct {
	id, text string
	call     bool
}

// links finds calls and results, in their order.
func links(v any) (out []link) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			out = append(out, links(e)...)
		}
	case map[string]any:
		id := func(name string) string { s, _ := v[name].(string); return s }
		switch {
		case v["type"] == "tool_use":
			return []link{{id("id"), string(encode(v["input"])), true}}
		case v["type"] == "tool_result":
			return []link{{id("tool_use_id"), string(encode(v["content"])), false}}
		case v["type"] == "function_call":
			return []link{{id("call_id"), id("arguments"), true}}
		case v["type"] == "function_call_output":
			return []link{{id("call_id"), string(encode(v["output"])), false}}
		case v["type"] == "function" && v["id"] != nil:
			return []link{{id("id"), string(encode(v["function"])), true}}
		case v["role"] == "tool":
			return []link{{id("tool_call_id"), string(encode(v["content"])), false}}
		case v["functionCall"] != nil:
			f := v["functionCall"].(map[string]any)
			return []link{{fmt.Sprint(f["id"]), string(encode(f["args"])), true}}
		case v["functionResponse"] != nil:
			f := v["functionResponse"].(map[string]any)
			return []link{{fmt.Sprint(f["id"]), string(encode(f["response"])), false}}
		}
		for _, name := range []string{"messages", "input", "contents", "content", "tool_calls", "parts"} {
			out = append(out, links(v[name])...)
		}
	}
	return out
}

// mispaired returns what is wrong with the pairs: a result that does not stand by its call, or a call without one.
func mispaired(sent string, list []said, distinct bool) string {
	var v any
	if err := json.Unmarshal([]byte(sent), &v); err != nil {
		return err.Error()
	}
	open := map[string][]string{} // the calls that wait for a result, by id
	seen := map[string]bool{}
	for _, l := range links(v) {
		if l.call {
			if distinct && seen[l.id] {
				return "the id " + l.id + " comes twice"
			}
			seen[l.id] = true
			open[l.id] = append(open[l.id], l.text)
			continue
		}
		calls := open[l.id]
		if len(calls) == 0 {
			return "a result of no call: " + l.text
		}
		call := calls[0]
		open[l.id] = calls[1:]
		for _, s := range list {
			for _, r := range s.results {
				if r.text != "" && strings.Contains(l.text, r.text) && !strings.Contains(strings.ReplaceAll(call, `\`, "")+"}", fmt.Sprintf(`"n":%d}`, r.n)) {
					return r.text + " is the result of " + call
				}
			}
		}
	}
	for id, calls := range open {
		if distinct && len(calls) > 0 {
			return "no result of " + id
		}
	}
	return ""
}

// lenient are the providers that are not known to refuse anything in the order of a conversation: callers of the same
// dialect get there what they send.
func lenient(provider, model string) bool {
	return slices.Contains([]string{"groq", "together", "fireworks", "xai", "cerebras"}, provider) || provider == "openrouter" && !strings.HasPrefix(model, "mistralai/")
}

// Whatever conversation a client sends, in any dialect to any provider: it is answered, streamed as whole; each result
// stands by its call; nothing that was said is lost.
func TestRandomConversations(t *testing.T) {
	w := newWorld(t)
	count := 0
	for _, pr := range append(providers(), provided{"openrouter", []string{"mistralai/mistral-small-2603", "anthropic/claude-opus-4.6"}}) {
		app := w.application(pr.id)
		for _, model := range pr.models {
			for _, s := range callers() {
				if s.name == "gemini array" {
					continue
				}
				for seed := range uint64(14) {
					count++
					k := &talk{Rand: rand.New(rand.NewPCG(seed, uint64(len(model)))), dialect: s.name}
					list := k.conversation()
					if err := app.converse(s, pr.id, model, list); err != nil {
						t.Errorf("%s, %s, seed %d: %v", pr.id+"/"+model, s.name, seed, err)
					}
				}
			}
		}
	}
	t.Logf("%d conversations", count)
}

// FuzzConversations looks for such conversations by the seed.
func FuzzConversations(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 7))
		pr := providers()[r.IntN(len(providers()))]
		model := pr.models[r.IntN(len(pr.models))]
		s := callers()[r.IntN(len(callers())-1)]
		k := &talk{Rand: r, dialect: s.name}
		if err := w.application(pr.id).converse(s, pr.id, model, k.conversation()); err != nil {
			t.Errorf("%s, %s: %v", pr.id+"/"+model, s.name, err)
		}
	})
}

// received is how many requests the provider has got.
func (app *application) received() (n int64) {
	for _, r := range app.emu.Requests() {
		if r.Key == app.secret {
			n++
		}
	}
	return n
}

func (app *application) converse(s *caller, provider, model string, list []said) error {
	var texts [2]string
	for i, streamed := range []bool{false, true} {
		path, body := s.write(&request{model: provider + "/" + model, turns: []turn{{text: "x"}}, tools: []tool{{"f", nothing}}, choice: "auto", streamed: streamed})
		body = encode(merged(body, bodies(s.name, list)))
		r := app.send("POST", path, body, s.auth(app.token)...)
		got, err := s.read(r, streamed)
		if err != nil || got.failed != nil {
			app.requests = app.received()
			return fmt.Errorf("%d %s %v: %s", r.status, r.body, err, body)
		}
		texts[i] = got.text
		sent := app.sent()
		for _, m := range list {
			words := []string{m.text}
			for _, one := range m.results {
				words = append(words, one.text)
			}
			for _, word := range words {
				if word != " " && !strings.Contains(sent, word) {
					return fmt.Errorf("%s is lost: %s became %s", word, body, sent)
				}
			}
		}
		passed := s.name == "openai" && lenient(provider, model)
		if wrong := mispaired(sent, list, !passed); wrong != "" && !passed {
			return fmt.Errorf("%s: %s became %s", wrong, body, sent)
		}
	}
	if texts[0] != texts[1] {
		return fmt.Errorf("whole %q, streamed %q", texts[0], texts[1])
	}
	return nil
}
