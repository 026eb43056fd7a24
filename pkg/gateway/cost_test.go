package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// scripted answers with the whole body or, to a request for a stream, with the events; NAME in them stands for
// the model that answers.
type scripted struct {
	provider string
	dialect  dialect.Name
	body     string // what a client of the dialect sends; MODEL and STREAM stand for what it asks for
	whole    string
	events   []string
}

// Each answer counts 1000 tokens of input and 100 of output.
var scripts = []scripted{
	{
		"openai", openai.Name, `{"model":"MODEL","stream":STREAM,"messages":[{"role":"user","content":"Say hello."}]}`,
		`{"id":"c","object":"chat.completion","created":1,"model":"NAME","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}`,
		[]string{
			`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"NAME","choices":[{"index":0,"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}`,
			`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"NAME","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
			`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"NAME","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}`,
			`data: [DONE]`,
		},
	},
	{
		"openai", responses.Name, `{"model":"MODEL","stream":STREAM,"input":"Say hello."}`,
		`{"id":"r","object":"response","created_at":1,"model":"NAME","status":"completed","output":[{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hello","annotations":[]}]}],"usage":{"input_tokens":1000,"output_tokens":100}}`,
		[]string{
			"event: response.created\ndata: " + `{"type":"response.created","response":{"id":"r","object":"response","created_at":1,"model":"NAME","status":"in_progress","output":[]}}`,
			"event: response.output_item.added\ndata: " + `{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"m","role":"assistant","content":[]}}`,
			"event: response.output_text.delta\ndata: " + `{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"hello"}`,
			"event: response.completed\ndata: " + `{"type":"response.completed","response":{"id":"r","object":"response","created_at":1,"model":"NAME","status":"completed","output":[{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"hello"}]}],"usage":{"input_tokens":1000,"output_tokens":100}}}`,
		},
	},
	{
		"anthropic", anthropic.Name, `{"model":"MODEL","stream":STREAM,"max_tokens":100,"messages":[{"role":"user","content":"Say hello."}]}`,
		`{"id":"m","type":"message","role":"assistant","model":"NAME","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","usage":{"input_tokens":1000,"output_tokens":100}}`,
		[]string{
			"event: message_start\ndata: " + `{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"NAME","content":[],"usage":{"input_tokens":1000,"output_tokens":1}}}`,
			"event: content_block_start\ndata: " + `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
			"event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}`,
			"event: content_block_stop\ndata: " + `{"type":"content_block_stop","index":0}`,
			"event: message_delta\ndata: " + `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":100}}`,
			"event: message_stop\ndata: " + `{"type":"message_stop"}`,
		},
	},
	{
		"gemini", gemini.Name, `{"contents":[{"role":"user","parts":[{"text":"Say hello."}]}]}`,
		`{"candidates":[{"content":{"role":"model","parts":[{"text":"hello"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":100,"totalTokenCount":1100},"modelVersion":"NAME"}`,
		[]string{
			`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"hel"}]},"index":0}],"usageMetadata":{"promptTokenCount":1000,"totalTokenCount":1000},"modelVersion":"NAME"}`,
			`data: {"candidates":[{"content":{"role":"model","parts":[{"text":"lo"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":100,"totalTokenCount":1100},"modelVersion":"NAME"}`,
		},
	},
}

// answer plays the provider.
func (s *scripted) answer(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "event-stream") && !strings.Contains(r.URL.Path, "stream") {
			io.WriteString(w, strings.ReplaceAll(s.whole, "NAME", name))
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, ev := range s.events {
			fmt.Fprintf(w, "%s\n\n", strings.ReplaceAll(ev, "NAME", name))
		}
	}
}

// cost sends a request through the gateway, in the provider's own dialect (passthrough) or translated, and
// returns what its row says.
func (w *world) cost(s *scripted, model string, stream, passthrough bool) (provider, logged string, nanos int64) {
	w.t.Helper()
	request := w.request(model)
	request.ID, request.Chat.Stream = store.NewID(w.clock.Load()), stream
	if passthrough {
		request.Dialect = s.dialect
		request.Body = []byte(strings.NewReplacer("MODEL", model, "STREAM", fmt.Sprint(stream)).Replace(s.body))
	}
	c, err := w.g.Start(w.t.Context(), request)
	if err != nil {
		w.t.Fatal(err)
	}
	if stream {
		if _, last, _ := read(c); last.Kind != chat.EventEnd {
			w.t.Fatalf("the stream ended with %+v", last)
		}
	}
	c.Close()
	err = w.db.DB.Run(w.t.Context(), store.Stmt{SQL: `select provider, model, coalesce(cost, -1) from requests where id = $1`, Args: []any{request.ID},
		Each: func(r store.Row) error { return r.Scan(&provider, &logged, &nanos) }})
	if err != nil {
		w.t.Fatal(err)
	}
	return provider, logged, nanos
}

// Every dialect's answer names the model that gave it, whole and streamed: its price counts, and the row
// keeps the model that was asked for.
func TestCostIsThatOfTheModelThatAnswered(t *testing.T) {
	november, december := time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		dialect         dialect.Name
		asked, answered string
		at              time.Time
		input, output   int64 // nano-dollars a token
	}{
		{openai.Name, "gpt-4o-mini", "gpt-4o-mini-2024-07-18", november, 150, 600},
		{openai.Name, "gpt-4o", "gpt-4o-2024-05-13", november, 5_000, 15_000},
		{openai.Name, "gpt-4o", "gpt-6-luna", november, 100, 500},
		{openai.Name, "gpt-4o", "unheard-of", november, 2_500, 10_000},
		{responses.Name, "gpt-5.3-codex", "gpt-5.3-codex", november, 1_750, 14_000},
		{responses.Name, "gpt-5.3-codex", "gpt-5.6-sol", november, 4_000, 20_000},
		{anthropic.Name, "claude-opus-5-5", "claude-opus-5-5", november, 4_000, 20_000},
		{anthropic.Name, "claude-opus-5-5", "claude-sonnet-5-5", november, 2_000, 10_000},
		{gemini.Name, "gemini-2.5-pro", "gemini-2.5-pro", november, 1_250, 10_000},
		{gemini.Name, "gemini-2.5-pro", "gemini-2.5-pro", december, 750, 3_750},
		{gemini.Name, "gemini-2.5-pro", "gemini-3.8-flash", december, 750, 3_750},
		{gemini.Name, "gemini-2.5-flash", "gemini-3.5-flash-lite", december, 300, 2_500},
		{gemini.Name, "gemini-2.5-flash", "", december, 300, 2_500},
		{gemini.Name, "gemini-4-argon", "gemini-4-argon", november, 2_000, 10_000},
		{gemini.Name, "gemini-4-argon", "gemini-4-argon", december, 4_000, 20_000},
	} {
		for _, s := range scripts {
			if s.dialect != tt.dialect {
				continue
			}
			w := newWorld(t)
			w.clock.Store(tt.at.UnixMilli())
			w.add(key{provider: s.provider, answer: s.answer(tt.answered)})
			for _, how := range []struct{ stream, passthrough bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
				ran, logged, nanos := w.cost(&s, tt.asked, how.stream, how.passthrough)
				if want := 1000*tt.input + 100*tt.output; nanos != want || ran != s.provider || logged != tt.asked {
					t.Errorf("%s, %s answered by %q on %s, %+v: %s %s cost %d, want %d",
						s.dialect, tt.asked, tt.answered, tt.at.Format(time.DateOnly), how, ran, logged, nanos, want)
				}
			}
		}
	}
}

// A Claude model that refuses may be replaced by another in the middle of a stream, whose start names the first.
// The totals are those of the model that took over, also where the stream breaks off.
func TestCostOfAFallbackInsideAStream(t *testing.T) {
	start := "event: message_start\ndata: " + `{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-fable-5","content":[],"usage":{"input_tokens":1000,"output_tokens":1}}}`
	fallback := "event: content_block_start\ndata: " + `{"type":"content_block_start","index":0,"content_block":{"type":"fallback","from":{"model":"claude-fable-5"},"to":{"model":"claude-opus-4-8"}}}`
	text := "event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"hello"}}`
	end := "event: message_delta\ndata: " + `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":1000,"output_tokens":100}}` +
		"\n\nevent: message_stop\ndata: " + `{"type":"message_stop"}`
	for name, tt := range map[string]struct {
		events []string
		nanos  int64
	}{
		"complete": {[]string{start, fallback, text, end}, 1000*5_000 + 100*25_000},
		"broken":   {[]string{start, fallback, text}, 1000*5_000 + 2*25_000},
		"none":     {[]string{start, text, end}, 1000*10_000 + 100*50_000},
	} {
		w := newWorld(t)
		w.add(key{provider: "anthropic", answer: (&scripted{events: tt.events}).answer("")})
		request := w.request("claude-fable-5")
		request.Chat.Stream = true
		c, err := w.g.Start(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		read(c)
		c.Close()
		if nanos := w.int(`select cost from requests`); nanos != tt.nanos {
			t.Errorf("%s: %d, want %d", name, nanos, tt.nanos)
		}
	}
}

// The answer to a request for embeddings names its model, too.
func TestCostOfEmbeddings(t *testing.T) {
	for answered, nanos := range map[string]int64{"text-embedding-3-small": 20, "text-embedding-3-large": 130, "unheard-of": 20} {
		w := newWorld(t)
		w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(rw, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":%q,"usage":{"prompt_tokens":1000,"total_tokens":1000}}`, answered)
		}})
		request := w.request("text-embedding-3-small")
		request.Chat = &chat.Request{Model: request.Chat.Model}
		request.Embedding = &chat.EmbeddingRequest{Model: request.Chat.Model, Inputs: []chat.EmbeddingInput{{Text: "hello"}}}
		if _, err := w.do(request); err != nil {
			t.Fatal(err)
		}
		if got := w.int(`select cost from requests`); got != 1000*nanos {
			t.Errorf("%s: %d, want %d", answered, got, 1000*nanos)
		}
	}
}

// With a key of the account's own at the provider behind OpenRouter, the cost is OpenRouter's fee and what that provider
// takes, whole and streamed, passed through and translated.
func TestCostWithAnOwnKeyBehindOpenRouter(t *testing.T) {
	usage := `"usage":{"prompt_tokens":1000,"completion_tokens":100,"cost":0.00180398,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0360795}}`
	s := scripts[0]
	s.provider = "openrouter"
	s.whole = strings.Replace(s.whole, `"usage":{"prompt_tokens":1000,"completion_tokens":100}`, usage, 1)
	s.events = slices.Clone(s.events)
	s.events[2] = strings.Replace(s.events[2], `"usage":{"prompt_tokens":1000,"completion_tokens":100}`, usage, 1)
	w := newWorld(t)
	w.add(key{provider: s.provider, answer: s.answer("anthropic/claude-sonnet-4.5")})
	for _, how := range []struct{ stream, passthrough bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		if _, _, nanos := w.cost(&s, "anthropic/claude-sonnet-4.5", how.stream, how.passthrough); nanos != 37_883_480 {
			t.Errorf("%+v: %d", how, nanos)
		}
	}
	if n := w.int(`select count(*) from requests where flags & ` + fmt.Sprint(store.FlagEstimated) + ` > 0`); n != 0 {
		t.Errorf("%d of the costs are estimates", n)
	}
}
