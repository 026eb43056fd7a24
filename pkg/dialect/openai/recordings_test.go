package openai_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

func recordings(t *testing.T) map[string]dialecttest.Exchange {
	t.Helper()
	all := recorded(t, "/chat/completions")
	if len(all) < 50 {
		t.Fatalf("only %d recordings", len(all))
	}
	return all
}

// recorded returns the exchanges of the path.
func recorded(t *testing.T, path string) map[string]dialecttest.Exchange {
	t.Helper()
	all := dialecttest.Exchanges(t, "openai", "groq", "mistral", "deepseek", "openrouter", "together", "fireworks")
	maps.DeleteFunc(all, func(_ string, x dialecttest.Exchange) bool { return !strings.HasSuffix(x.Request.URL, path) })
	return all
}

// A summary is an answer as a naive reader finds it.
type summary struct {
	id, model, text, reasoning, finish string
	calls                              []string // id, name and arguments of each
	details                            []string // signatures and data
	input, output, cached, thought     float64
	usage                              bool
}

type object = map[string]any

func str(v any) string { s, _ := v.(string); return s }

func obj(v any) object { o, _ := v.(object); return o }

func list(v any) []any { l, _ := v.([]any); return l }

func num(v any) float64 { n, _ := v.(float64); return n }

// naive reads the objects of an answer: one for a whole answer, many for a stream.
func naive(chunks []object, key string) summary {
	var s summary
	calls := map[float64]*[3]string{}
	for i, c := range chunks {
		if i == 0 {
			s.id, s.model = str(c["id"]), str(c["model"])
		}
		for _, v := range list(c["choices"]) {
			ch := obj(v)
			m := obj(ch[key])
			s.text += str(m["content"])
			for _, p := range list(m["content"]) {
				s.text += str(obj(p)["text"])
				for _, q := range list(obj(p)["thinking"]) {
					s.reasoning += str(obj(q)["text"])
				}
			}
			s.reasoning += str(m["reasoning"]) + str(m["reasoning_content"])
			for _, d := range list(m["reasoning_details"]) {
				if x := str(obj(d)["signature"]) + str(obj(d)["data"]); x != "" {
					s.details = append(s.details, x)
				}
			}
			for n, v := range list(m["tool_calls"]) {
				call := obj(v)
				at := float64(n)
				if index, ok := call["index"]; ok {
					at = num(index)
				}
				if calls[at] == nil {
					calls[at] = new([3]string)
				}
				f := obj(call["function"])
				calls[at][0] += str(call["id"])
				calls[at][1] += str(f["name"])
				calls[at][2] += str(f["arguments"])
			}
			if f := str(ch["finish_reason"]); f != "" {
				s.finish = f
			}
		}
		usage := obj(c["usage"])
		if usage == nil {
			usage = obj(obj(c["x_groq"])["usage"])
		}
		if usage != nil {
			s.usage = true
			s.input, s.output = num(usage["prompt_tokens"]), num(usage["completion_tokens"])
			s.cached = max(num(obj(usage["prompt_tokens_details"])["cached_tokens"]), num(usage["cached_tokens"]))
			s.thought = num(obj(usage["completion_tokens_details"])["reasoning_tokens"])
		}
	}
	var order []float64
	for at := range calls {
		order = append(order, at)
	}
	sort.Float64s(order)
	for _, at := range order {
		c := calls[at]
		if c[2] == "" {
			c[2] = "{}"
		}
		s.calls = append(s.calls, strings.Join(c[:], "|"))
	}
	if s.finish == "eos" {
		s.finish = "stop"
	}
	return s
}

// summaryOf returns the summary of a decoded answer.
func summaryOf(r *chat.Response) summary {
	s := summary{id: r.ID, model: r.Model}
	for _, c := range r.Choices {
		s.finish = string(c.Finish)
		for _, p := range c.Message.Parts {
			switch p.Kind {
			case chat.Text:
				s.text += p.Text
			case chat.Reason:
				s.reasoning += p.Text
				if p.State != nil && p.State.Signature+p.State.Encrypted+p.State.Redacted != "" {
					s.details = append(s.details, p.State.Signature+p.State.Encrypted+p.State.Redacted)
				}
			case chat.Call:
				s.calls = append(s.calls, p.ToolCall.ID+"|"+p.ToolCall.Name+"|"+p.ToolCall.Arguments)
			}
		}
	}
	if u := r.Usage; u != nil {
		s.usage = true
		s.input, s.output, s.cached, s.thought = float64(u.Input), float64(u.Output), float64(u.Cached), float64(u.Reasoning)
	}
	return s
}

func compare(t *testing.T, name string, got, want summary) {
	t.Helper()
	g, w := strings.Join(append(got.calls, got.details...), "\n"), strings.Join(append(want.calls, want.details...), "\n")
	if g != w {
		t.Errorf("%s: calls and signatures\n got %s\nwant %s", name, g, w)
	}
	got.calls, want.calls, got.details, want.details = nil, nil, nil, nil
	a, b := dialecttest.Indented(t, []any{got.id, got.model, got.text, got.reasoning, got.finish, got.input, got.output, got.cached, got.thought, got.usage}),
		dialecttest.Indented(t, []any{want.id, want.model, want.text, want.reasoning, want.finish, want.input, want.output, want.cached, want.thought, want.usage})
	if !bytes.Equal(a, b) {
		t.Errorf("%s:\n got %s\nwant %s", name, a, b)
	}
}

func object1(t *testing.T, name string, data []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return o
}

func TestRecordings(t *testing.T) {
	counts := map[string]int{}
	for name, x := range recordings(t) {
		body := []byte(x.Response.Body)
		switch {
		case x.Response.Status >= 400:
			counts["errors"]++
			e := openai.Client{}.DecodeError(body)
			o := object1(t, name, body)
			want := str(obj(o["error"])["message"]) + str(o["detail"])
			if want == "" || !strings.HasPrefix(e.Message, want) {
				t.Errorf("%s: message %q, want %q", name, e.Message, want)
			}
			if code, ok := obj(o["error"])["code"].(string); ok && e.Code != code {
				t.Errorf("%s: code %q, want %q", name, e.Code, code)
			}
		case strings.Contains(name, ".sse."):
			counts["streams"]++
			var chunks []object
			for _, line := range strings.Split(x.Response.Body, "\n") {
				if data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok && data != "[DONE]" {
					chunks = append(chunks, object1(t, name, []byte(data)))
				}
			}
			resp, complete, failed := collect(t, bytes.NewReader(body))
			if !complete || failed != nil {
				t.Errorf("%s: complete %v, error %v", name, complete, failed)
				continue
			}
			compare(t, name, summaryOf(resp), naive(chunks, "delta"))
		default:
			counts["whole"]++
			resp, err := openai.Client{}.DecodeResponse(body)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			compare(t, name, summaryOf(resp), naive([]object{object1(t, name, body)}, "message"))
		}
	}
	if counts["errors"] < 4 || counts["streams"] < 20 || counts["whole"] < 50 {
		t.Errorf("too few recordings: %v", counts)
	}
}

// TestRecordedChunks reads vercel-ai/<package>/*: whole answers, and streams as one chunk a line.
func TestRecordedChunks(t *testing.T) {
	root := dialecttest.Recordings(t)
	n := 0
	for _, pkg := range []string{"mistral", "groq", "deepseek", "openai-compatible"} {
		names, _ := filepath.Glob(filepath.Join(root, "vercel-ai", pkg, "*"))
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			n++
			if strings.HasSuffix(name, ".json") {
				resp, err := openai.Client{}.DecodeResponse(data)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				want := naive([]object{object1(t, name, data)}, "message")
				got := summaryOf(resp)
				if got.output > want.output && got.output == want.output+want.thought {
					want.output = got.output // xAI counts reasoning beside completion_tokens
				}
				compare(t, name, got, want)
				continue
			}
			var stream strings.Builder
			var chunks []object
			for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
				chunks = append(chunks, object1(t, name, []byte(line)))
				stream.WriteString("data: " + line + "\n\n")
			}
			resp, complete, failed := collect(t, strings.NewReader(stream.String()+"data: [DONE]\n\n"))
			if !complete {
				t.Errorf("%s: %v", name, failed)
				continue
			}
			got, want := summaryOf(resp), naive(chunks, "delta")
			if got.output > want.output && got.output == want.output+want.thought {
				want.output = got.output
			}
			compare(t, name, got, want)
		}
	}
	if n < 8 {
		t.Errorf("only %d files", n)
	}
}

// Requests of SDKs keep their meaning when they are read and written again.
func TestRecordedRequests(t *testing.T) {
	n := 0
	for name, x := range recordings(t) {
		body := x.Request.Body
		if body == nil {
			continue
		}
		n++
		req, _, err := new(openai.Server).DecodeRequest(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sent := object1(t, name, body)
		if req.Model != str(sent["model"]) || req.Stream != (sent["stream"] == true) || len(req.Messages) != len(list(sent["messages"])) || len(req.Tools) != len(list(sent["tools"])) {
			t.Errorf("%s: %s", name, dialecttest.Indented(t, req))
		}
		rules := everythingKept()
		rules.AsksStreamUsage, rules.Files = false, openai.FileObjectOrURL
		if req.StreamUsage {
			rules.AsksStreamUsage = true
		}
		enc, err := openai.Client{Rules: rules}.EncodeRequest(req)
		if err != nil {
			if !strings.Contains(string(body), `"video_url"`) && !strings.Contains(string(body), `"openrouter:`) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		again, _, err := new(openai.Server).DecodeRequest(enc.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if twice, err := (openai.Client{Rules: rules}).EncodeRequest(again); err != nil || !bytes.Equal(twice.Body, enc.Body) {
			t.Errorf("%s:\n once %s\ntwice %s", name, enc.Body, twice.Body)
		}
	}
	if n < 80 {
		t.Errorf("only %d requests", n)
	}
}

// Requests that were sent to a provider pass through to it, most of them unchanged.
func TestRecordedPassthrough(t *testing.T) {
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	untouched, edited, not := 0, 0, 0
	for name, x := range recordings(t) {
		id, _, _ := strings.Cut(name, "/")
		body := x.Request.Body
		if body == nil {
			continue
		}
		req, _, err := new(openai.Server).DecodeRequest(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		enc, ok := table.ByID(id).Client.(openai.Client).PassthroughRequest(body, req, nil)
		switch {
		case !ok:
			not++
		case bytes.Equal(enc.Body, body):
			untouched++
		default:
			edited++
			if got, _, err := new(openai.Server).DecodeRequest(enc.Body); err != nil || got.Model != req.Model || len(enc.Warnings) > 0 {
				t.Errorf("%s: %v, %q: %s", name, err, enc.Warnings, enc.Body)
			}
		}
	}
	if untouched < 80 || edited < 5 || not > 5 {
		t.Errorf("%d untouched, %d edited, %d did not pass", untouched, edited, not)
	}
}

// An answer that the server half writes, whole or streamed, reads the same as the provider's.
func TestRecordedAnswers(t *testing.T) {
	n := 0
	for name, x := range recordings(t) {
		if x.Response.Status >= 400 {
			continue
		}
		want, _, failed := (*chat.Response)(nil), false, (*chat.Error)(nil)
		if strings.Contains(name, ".sse.") {
			want, _, failed = collect(t, strings.NewReader(x.Response.Body))
		} else if got, err := (openai.Client{}).DecodeResponse([]byte(x.Response.Body)); err == nil {
			want = got
		}
		if want == nil || failed != nil {
			t.Errorf("%s: %v", name, failed)
			continue
		}
		n++
		whole, err := openai.Client{}.DecodeResponse(new(openai.Server).EncodeResponse(want, served))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		streamed, complete, _ := collect(t, bytes.NewReader(written(chat.Events(want))))
		if !complete {
			t.Errorf("%s: a stream without an end", name)
		}
		if x, y := dialecttest.Indented(t, indexed(streamed)), dialecttest.Indented(t, indexed(want)); !bytes.Equal(x, y) {
			t.Errorf("%s, streamed:\n got %s\nwant %s", name, x, y)
		}
		for _, c := range want.Choices { // a whole message does not tell when its reasoning was summary
			slices.SortStableFunc(c.Message.Parts, func(p, q chat.Part) int {
				return cmp.Compare(min(p.Kind^chat.Reason, 1), min(q.Kind^chat.Reason, 1))
			})
		}
		if x, y := dialecttest.Indented(t, indexed(whole)), dialecttest.Indented(t, indexed(want)); !bytes.Equal(x, y) {
			t.Errorf("%s, whole:\n got %s\nwant %s", name, x, y)
		}
	}
	if n < 90 {
		t.Errorf("only %d answers", n)
	}
}

// indexed numbers the blocks of reasoning in ascending order, as the server half does.
func indexed(r *chat.Response) *chat.Response {
	for _, c := range r.Choices {
		next := 0
		for _, p := range c.Message.Parts {
			if p.Kind == chat.Reason && p.State != nil {
				p.State.Index = max(p.State.Index, next)
				next = p.State.Index + 1
			}
		}
	}
	return r
}

// The text that R1 wrote between tags becomes reasoning.
func TestRecordedThoughts(t *testing.T) {
	n := 0
	for name, x := range recordings(t) {
		if !strings.HasPrefix(name, "together/") || !strings.Contains(x.Response.Body, "<think>") {
			continue
		}
		n++
		resp, err := openai.Client{}.DecodeResponse([]byte(x.Response.Body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := resp.Choices[0].Message.Parts[0].Text
		thought, answer, _ := strings.Cut(strings.TrimPrefix(text, "<think>"), "</think>")
		got := summaryOf(new(body.ThinkSplitter).SplitAnswer(resp))
		if got.reasoning != strings.TrimSpace(thought) || got.text != strings.TrimSpace(answer) || got.reasoning == "" {
			t.Errorf("%s: %q and %q of %q", name, got.reasoning, got.text, text)
		}
	}
	if n < 3 {
		t.Errorf("only %d recordings", n)
	}
}
