package anthropic_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

func exchanges(t *testing.T) map[string]dialecttest.Exchange {
	t.Helper()
	all := dialecttest.Exchanges(t, "anthropic")
	if len(all) < 30 {
		t.Fatalf("only %d recordings", len(all))
	}
	return all
}

type object = map[string]any

func str(v any) string { s, _ := v.(string); return s }

func obj(v any) object { o, _ := v.(object); return o }

func list(v any) []any { l, _ := v.([]any); return l }

func num(v any) float64 { n, _ := v.(float64); return n }

func object1(t *testing.T, name string, data []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return o
}

// message puts the events of a stream together, as the SDKs do it.
func message(events []object) object {
	var m object
	inputs := map[float64]string{}
	for _, ev := range events {
		blocks := list(m["content"])
		at := num(ev["index"])
		switch str(ev["type"]) {
		case "message_start":
			m = obj(ev["message"])
			m["content"] = []any{}
		case "content_block_start":
			m["content"] = append(blocks, ev["content_block"])
			if b := obj(ev["content_block"]); str(b["type"]) == "fallback" { // a whole answer names the model that took over
				m["model"] = obj(b["to"])["model"]
			}
		case "content_block_delta":
			b, d := obj(blocks[int(at)]), obj(ev["delta"])
			switch str(d["type"]) {
			case "text_delta":
				b["text"] = str(b["text"]) + str(d["text"])
			case "thinking_delta":
				b["thinking"] = str(b["thinking"]) + str(d["thinking"])
			case "signature_delta":
				b["signature"] = d["signature"]
			case "citations_delta":
				b["citations"] = append(list(b["citations"]), d["citation"])
			case "input_json_delta":
				inputs[at] += str(d["partial_json"])
			}
		case "content_block_stop":
			if inputs[at] != "" {
				var input any
				json.Unmarshal([]byte(inputs[at]), &input)
				obj(blocks[int(at)])["input"] = input
			}
		case "message_delta":
			for key, v := range obj(ev["delta"]) {
				m[key] = v
			}
			for key, v := range obj(ev["usage"]) {
				if v != nil {
					obj(m["usage"])[key] = v
				}
			}
		}
	}
	return m
}

// said1 is what an answer says: the Anthropic form, and the canonical one, reduced to the same.
type said1 struct {
	ID, Model, Text, Thinking, Finish, Stop string
	Calls, States                           []string
	Input, Output, Cached, Written, Hour    float64
}

func naive(m object) said1 {
	usage := obj(m["usage"])
	s := said1{ID: str(m["id"]), Model: str(m["model"]), Stop: str(m["stop_sequence"]),
		Output: num(usage["output_tokens"]), Cached: num(usage["cache_read_input_tokens"]), Hour: num(obj(usage["cache_creation"])["ephemeral_1h_input_tokens"])}
	s.Written = num(usage["cache_creation_input_tokens"]) - s.Hour
	s.Input = num(usage["input_tokens"]) + s.Cached + s.Written + s.Hour
	s.Finish = map[string]string{"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls", "refusal": "content_filter"}[str(m["stop_reason"])]
	for _, b := range list(m["content"]) {
		b := obj(b)
		switch str(b["type"]) {
		case "text":
			s.Text += str(b["text"])
		case "thinking":
			s.Thinking += str(b["thinking"])
			s.States = append(s.States, str(b["signature"]))
		case "redacted_thinking":
			s.States = append(s.States, str(b["data"]))
		case "tool_use":
			input, _ := json.Marshal(b["input"])
			s.Calls = append(s.Calls, str(b["id"])+" "+str(b["name"])+" "+string(input))
		}
	}
	return s
}

func canonical(t *testing.T, r *chat.Response) said1 {
	t.Helper()
	c := r.Choices[0]
	s := said1{ID: r.ID, Model: r.Model, Finish: string(c.Finish), Stop: c.StopSequence}
	if u := r.Usage; u != nil {
		s.Input, s.Output, s.Cached, s.Written, s.Hour = float64(u.Input), float64(u.Output), float64(u.Cached), float64(u.CacheWrite), float64(u.CacheWrite1h)
	}
	for _, p := range c.Message.Parts {
		switch p.Kind {
		case chat.Text:
			s.Text += p.Text
		case chat.Reason:
			s.Thinking += p.Text
			if p.State != nil {
				s.States = append(s.States, p.State.Signature+p.State.Redacted)
			}
		case chat.Call:
			var input any
			if err := json.Unmarshal([]byte(p.ToolCall.Arguments), &input); err != nil {
				t.Errorf("arguments %q", p.ToolCall.Arguments)
			}
			args, _ := json.Marshal(input)
			s.Calls = append(s.Calls, p.ToolCall.ID+" "+p.ToolCall.Name+" "+string(args))
		}
	}
	return s
}

func same(t *testing.T, name string, got, want said1) {
	t.Helper()
	if g, w := dialecttest.Indented(t, got), dialecttest.Indented(t, want); !bytes.Equal(g, w) {
		t.Errorf("%s:\n got %s\nwant %s", name, g, w)
	}
}

func TestRecordings(t *testing.T) {
	counts := map[string]int{}
	for name, x := range exchanges(t) {
		body := []byte(x.Response.Body)
		switch {
		case x.Response.Status >= 400:
			counts["errors"]++
			e, want := anthropic.Client{}.DecodeError(body), obj(object1(t, name, body)["error"])
			if e.Type != str(want["type"]) || e.Message != str(want["message"]) || e.Type == "" {
				t.Errorf("%s: %+v", name, e)
			}
		case strings.Contains(x.Request.URL, "count_tokens"):
			counts["counted"]++
		case strings.Contains(name, ".sse."):
			counts["streams"]++
			var events []object
			for _, line := range strings.Split(x.Response.Body, "\n") {
				if data, ok := strings.CutPrefix(line, "data: "); ok {
					events = append(events, object1(t, name, []byte(data)))
				}
			}
			resp, complete, failed := collect(t, bytes.NewReader(body))
			if !complete || failed != nil {
				t.Errorf("%s: complete %v, error %v", name, complete, failed)
				continue
			}
			same(t, name, canonical(t, resp), naive(message(events)))
		default:
			counts["whole"]++
			resp, err := anthropic.Client{}.DecodeResponse(body)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			same(t, name, canonical(t, resp), naive(object1(t, name, body)))
		}
	}
	if counts["errors"] < 3 || counts["streams"] < 10 || counts["whole"] < 15 || counts["counted"] < 2 {
		t.Errorf("too few recordings: %v", counts)
	}
}

// TestRecordedPair is a question that was asked twice, once for a stream: the answers are the same.
func TestRecordedPair(t *testing.T) {
	var pair [2]*chat.Response
	for name, x := range exchanges(t) {
		switch {
		case !strings.Contains(name, "reports_consistent_token_counts"):
		case strings.Contains(name, ".sse."):
			pair[0], _, _ = collect(t, strings.NewReader(x.Response.Body))
		default:
			pair[1], _ = anthropic.Client{}.DecodeResponse([]byte(x.Response.Body))
		}
	}
	if pair[0] == nil || pair[1] == nil {
		t.Fatal("the pair is not there")
	}
	pair[0].ID = pair[1].ID
	if streamed, whole := dialecttest.Indented(t, pair[0]), dialecttest.Indented(t, pair[1]); !bytes.Equal(streamed, whole) {
		t.Errorf("stream %s\nwhole %s", streamed, whole)
	}
}

// TestRecordedChunks reads vercel-ai/anthropic/*: whole answers, and streams as one event a line.
func TestRecordedChunks(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(dialecttest.Recordings(t), "vercel-ai", "anthropic", "*"))
	if len(names) < 15 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		data := dialecttest.Read(t, name)
		if strings.HasSuffix(name, ".json") {
			resp, err := anthropic.Client{}.DecodeResponse(data)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			same(t, name, canonical(t, resp), naive(object1(t, name, data)))
			continue
		}
		var stream strings.Builder
		var events []object
		for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			events = append(events, object1(t, name, []byte(line)))
			stream.WriteString("event: x\ndata: " + line + "\n\n")
			if str(events[len(events)-1]["type"]) == "message_stop" {
				break // one file holds the next answer as well
			}
		}
		resp, complete, failed := collect(t, strings.NewReader(stream.String()))
		if strings.Contains(name, "spliced") {
			if complete || failed == nil || failed.Class != chat.Transport {
				t.Errorf("%s: two answers in one are %+v, %v", name, resp, failed)
			}
			continue
		}
		if !complete {
			t.Errorf("%s: %v", name, failed)
			continue
		}
		same(t, name, canonical(t, resp), naive(message(events)))
	}
}

// TestRecordedRequests reads what real clients sent and writes it again: a second reading finds the same.
func TestRecordedRequests(t *testing.T) {
	n := 0
	for name, x := range exchanges(t) {
		decode := server().DecodeRequest
		if strings.Contains(x.Request.URL, "count_tokens") {
			decode = server().DecodeCount
		}
		req, _, err := decode(x.Request.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		enc, err := encode(t, req, &anthropic.Rules{CacheMarks: true, Models: []anthropic.ModelRules{{Match: always, Thinking: anthropic.ThinkingBudget}}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, _, err := server().DecodeCount(enc.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if req.MaxTokens == nil {
			again.MaxTokens = nil
		}
		if req.Reasoning != nil && req.Reasoning.Budget != nil && again.Reasoning != nil {
			again.Reasoning.Summary = req.Reasoning.Summary
			if *again.Reasoning.Budget <= *req.Reasoning.Budget { // it has to fit max_tokens
				again.Reasoning.Budget = req.Reasoning.Budget
			}
		}
		for _, tools := range [][]chat.Tool{req.Tools, again.Tools} {
			for i := range tools {
				tools[i].Parameters = meaning(t, tools[i].Parameters)
			}
		}
		req.Foreign = slices.DeleteFunc(req.Foreign, func(f chat.Foreign) bool { return strings.Contains(f.Name, "[]") })
		merged, back := turnsOf(req), turnsOf(again)
		req.Messages, again.Messages = nil, nil
		if a, b := dialecttest.Indented(t, []any{again, back}), dialecttest.Indented(t, []any{req, merged}); !bytes.Equal(a, b) {
			t.Errorf("%s:\n got %s\nwant %s", name, a, b)
		}
		n++
	}
	if n < 40 {
		t.Errorf("only %d requests", n)
	}
}

// turnsOf are the messages with neighbours of the same role put together, as the API does it.
// meaning returns a JSON schema with its members in order of their names, without a list of required ones that has none.
func meaning(t *testing.T, schema json.RawMessage) json.RawMessage {
	if len(schema) == 0 {
		return schema
	}
	var members map[string]any
	if err := json.Unmarshal(schema, &members); err != nil {
		t.Fatal(err)
	}
	if list, ok := members["required"].([]any); ok && len(list) == 0 {
		delete(members, "required")
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func turnsOf(req *chat.Request) []chat.Message {
	var out []chat.Message
	for _, m := range req.Messages {
		if n := len(out); n > 0 && out[n-1].Role == m.Role {
			out[n-1].Parts = append(out[n-1].Parts, m.Parts...)
		} else {
			out = append(out, m)
		}
	}
	return out
}

// TestRecordedPassthrough lets what real clients sent through: no byte changes, or it is said why.
func TestRecordedPassthrough(t *testing.T) {
	passed := 0
	for name, x := range exchanges(t) {
		req, _, err := server().DecodeCount(x.Request.Body)
		if err != nil {
			t.Fatal(err)
		}
		enc, ok := anthropic.Client{Rules: &anthropic.Rules{Models: []anthropic.ModelRules{{Match: always, Thinking: anthropic.ThinkingBudget}}}}.PassthroughRequest(x.Request.Body, req, nil)
		if ok && (!bytes.Equal(enc.Body, x.Request.Body) || len(enc.Warnings) > 0) {
			t.Errorf("%s: %q %s", name, enc.Warnings, enc.Body)
		}
		if ok {
			passed++
		}
	}
	if passed < 45 {
		t.Errorf("only %d pass", passed)
	}
}
