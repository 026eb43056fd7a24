package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// told is the maximum of output tokens that a provider was told; -1: none.
func told(body []byte) int64 {
	var in struct {
		A *int64 `json:"max_tokens"`
		B *int64 `json:"max_completion_tokens"`
		C *int64 `json:"max_output_tokens"`
		D struct {
			N *int64 `json:"maxOutputTokens"`
		} `json:"generationConfig"`
		E struct {
			N *int64 `json:"max_output_tokens"`
		} `json:"generation_config"`
	}
	json.Unmarshal(body, &in)
	for _, n := range []*int64{in.A, in.B, in.C, in.D.N, in.E.N} {
		if n != nil {
			return *n
		}
	}
	return -1
}

// A provider that uses all that it is told it may, and counts as many tokens of input as it can, never passes a strict limit.
func TestStrictLimitsArePassedByNobody(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			var tokens, nanos, served atomic.Int64
			answer := func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				var in struct {
					N int64 `json:"n"`
				}
				json.Unmarshal(body, &in)
				input, output := int64(10), told(body)*max(1, in.N)
				if rand.IntN(4) == 0 {
					output = rand.Int64N(output + 1)
				}
				fault := rand.IntN(30)
				if served.Load() == 0 {
					fault = 2 // a single answer that breaks off may cost all that the limits leave
				}
				switch fault {
				case 0:
					http.Error(rw, `{"error":{"message":"boom","type":"server_error"}}`, http.StatusInternalServerError)
					return
				case 1: // it charges for an answer that breaks off
					tokens.Add(input + output)
					nanos.Add(input*150 + output*600)
					rw.Header().Set("Content-Length", "500")
					io.WriteString(rw, `{"id":"x","choices":[`)
					return
				}
				tokens.Add(input + output)
				nanos.Add(input*150 + output*600)
				served.Add(1)
				fmt.Fprintf(rw, `{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant",
"content":"a"},"finish_reason":"length"}],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`, input, output, input+output)
			}
			w.add(key{answer: answer})
			w.add(key{answer: answer, priority: 1})
			byTokens := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 60_000, Strict: true})
			byCost := w.limit(store.Limit{Metric: store.MetricCost, Amount: 20_000_000, Strict: true, Subject: store.LimitUser})
			w.limit(store.Limit{Metric: store.MetricTokens, Amount: 1 << 40, Subject: store.LimitUser}) // an estimate beside them
			var wg sync.WaitGroup
			for range 12 {
				wg.Go(func() {
					for range 12 {
						request := w.request(model)
						request.ID = store.NewID(w.clock.Load())
						if rand.IntN(3) > 0 {
							most, n := 1+rand.Int64N(3000), 1+rand.Int64N(3)
							request.Chat.MaxTokens, request.Chat.N = &most, &n
						}
						w.do(request)
					}
				})
			}
			wg.Wait()
			a, b := w.status(byTokens), w.status(byCost)
			if tokens.Load() > byTokens.Amount || nanos.Load() > byCost.Amount {
				t.Errorf("%d tokens of %d, %d nano-dollars of %d", tokens.Load(), byTokens.Amount, nanos.Load(), byCost.Amount)
			}
			if a.Used < tokens.Load() || b.Used < nanos.Load() || a.Used > byTokens.Amount || b.Used > byCost.Amount || a.Held+b.Held != 0 {
				t.Errorf("counted %+v and %+v; spent %d tokens, %d nano-dollars", a, b, tokens.Load(), nanos.Load())
			}
			if served.Load() == 0 {
				t.Errorf("%d served", served.Load())
			}
			if n := w.int(`select count(*) from holds`); n != 0 {
				t.Errorf("%d holds are left", n)
			}
		})
	}
}

// The maximum that a provider is told is what the limit leaves, in every dialect, passed through and translated.
func TestStrictLimitLowersTheMaximum(t *testing.T) {
	bodies := map[dialect.Name]string{
		openai.Name:    `{"model":"%s","messages":[{"role":"user","content":"Hi"}]%s}`,
		responses.Name: `{"model":"%s","input":"Hi"%s}`,
		anthropic.Name: `{"model":"%s","max_tokens":9000,"messages":[{"role":"user","content":"Hi"}]%s}`,
		gemini.Name:    `{"model":"%s","contents":[{"role":"user","parts":[{"text":"Hi"}]}]%s}`,
	}
	more := map[dialect.Name][]string{
		openai.Name:    {``, `,"max_tokens":9000`, `,"max_completion_tokens":9000`, `,"max_tokens":null`, `,"max_tokens":70,"max_completion_tokens":9000`},
		responses.Name: {``, `,"max_output_tokens":9000`},
		anthropic.Name: {``, `,"thinking":{"type":"enabled","budget_tokens":1024}`},
		gemini.Name:    {``, `,"generationConfig":{}`, `,"generationConfig":{"maxOutputTokens":9000}`, `,"generation_config":{"max_output_tokens":9000,"temperature":1}`},
	}
	decode := map[dialect.Name]func([]byte) (*chat.Request, dialect.Route, error){
		openai.Name: new(openai.Server).DecodeRequest, responses.Name: new(responses.Server).DecodeRequest,
		anthropic.Name: new(anthropic.Server).DecodeRequest, gemini.Name: gemini.Server{}.DecodeRequest,
	}
	for providerID, model := range map[string]string{"openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-3.5-flash",
		"openrouter": "openai/gpt-4o-mini", "mistral": "mistral-small-2603"} {
		w := newWorld(t)
		var sent []byte
		w.add(key{provider: providerID, models: `["*"]`, answer: func(rw http.ResponseWriter, r *http.Request) {
			sent, _ = io.ReadAll(r.Body)
			http.Error(rw, `{"error":{"message":"no","type":"invalid_request_error","code":400}}`, http.StatusBadRequest)
		}})
		l := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 3000, Strict: true})
		for name, text := range bodies {
			for _, rest := range more[name] {
				body := fmt.Sprintf(text, model, rest)
				req, route, err := decode[name]([]byte(body))
				if err != nil {
					t.Fatalf("%s: %v", body, err)
				}
				req.Model = model
				request := w.request(model)
				request.ID, request.Chat, request.Route, request.Dialect, request.Body = store.NewID(w.clock.Load()), req, route, name, []byte(body)
				sent = nil
				_, err = w.do(request)
				if f := fault.From(err); f.Code == fault.RateLimit {
					t.Errorf("%s to %s: %s", body, providerID, f.Message) // its own hold is not in the way
				}
				if most := told(sent); most < 64 || most > 2990 {
					t.Errorf("%s to %s: told %d, error %v: %s", body, providerID, most, err, sent)
				}
			}
		}
		w.wantStatus(l, store.LimitStatus{}) // all failed
	}
}

// A remainder that does not pay for a useful answer is a refusal.
func TestStrictLimitRefusesASmallRemainder(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	request := w.request(model)
	w.limit(store.Limit{Metric: store.MetricTokens, Amount: 150, Strict: true, Span: store.SpanTotal})
	most := int64(4096)
	request.Chat.MaxTokens = &most
	_, err := w.do(request)
	d := details(t, err)
	if d["amount"] != 150.0 || d["used"] != 0.0 {
		t.Errorf("%v", d)
	}
	if f := wantCode(t, err, fault.RateLimit); !strings.Contains(f.Message, "this request alone may need") {
		t.Error(f.Message)
	}
	most = 16
	if c, err := w.do(request); err != nil {
		t.Error(err)
	} else if len(c.Warnings()) > 0 {
		t.Errorf("%q", c.Warnings())
	}

	w = newWorld(t)
	w.add(key{})
	w.limit(store.Limit{Metric: store.MetricTokens, Amount: 2000, Strict: true})
	request, budget := w.request(model), int64(2500)
	most = 4096
	request.Chat.MaxTokens, request.Chat.Reasoning = &most, &chat.Reasoning{Budget: &budget}
	_, err = w.do(request)
	details(t, err)
	request.Chat.Reasoning = nil
	c, err := w.do(request)
	if err != nil || len(c.Warnings()) != 1 {
		t.Errorf("%v", err)
	}
}

// What has no bound is refused, and named.
func TestStrictLimitNamesWhatHasNoBound(t *testing.T) {
	w := newWorld(t)
	w.add(key{models: `["*"]`})
	w.add(key{provider: "openrouter", models: `["*"]`})
	byTokens := w.limit(store.Limit{Metric: store.MetricTokens, Amount: 1e9, Strict: true, Models: []string{"my-*"}})
	_, err := w.do(w.request("my-own-model"))
	if f := wantCode(t, err, fault.Validation); !strings.Contains(f.Message, "set max_tokens") {
		t.Error(f.Message)
	}
	if err := store.DeleteLimit(t.Context(), w.db.DB, byTokens); err != nil {
		t.Fatal(err)
	}
	w.limit(store.Limit{Metric: store.MetricCost, Amount: 1e12, Strict: true})
	part := func(p chat.Part) func(*chat.Request) {
		return func(r *chat.Request) { r.Messages[0].Parts = append(r.Messages[0].Parts, p) }
	}
	for want, change := range map[string]func(*chat.Request){
		`"browse"`: func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "browse", Hosted: &chat.HostedTool{Kind: chat.WebSearch}}}
		},
		"a file by its URL":            part(chat.Part{Kind: chat.File, Media: &chat.Media{URL: "https://example.com/a.pdf"}}),
		"a file that the provider":     part(chat.Part{Kind: chat.File, Media: &chat.Media{FileID: "file-1"}}),
		"a video":                      part(chat.Part{Kind: chat.File, Media: &chat.Media{Data: "AAAA", MIMEType: "video/mp4"}}),
		"only the caller's API":        part(chat.Part{Kind: chat.Unrendered, Raw: []byte(`{"type":"x"}`)}),
		"the field web_search_options": func(r *chat.Request) { r.Foreign = []chat.Foreign{{Name: "web_search_options"}} },
		`the service tier "express"`:   func(r *chat.Request) { r.ServiceTier = "express" },
		"MODEL_PRICES":                 func(r *chat.Request) { r.Model, r.MaxTokens = "my-own-model", new(int64(100)) },
		"the cost of openrouter/":      func(r *chat.Request) { r.Model = "openrouter/openai/gpt-4o-mini" },
	} {
		request := w.request(model)
		change(request.Chat)
		_, err := w.do(request)
		if f := wantCode(t, err, fault.Validation); !strings.Contains(f.Message, want) {
			t.Errorf("%q does not name %q", f.Message, want)
		}
	}
	if _, err := w.do(w.request(model)); err != nil {
		t.Error(err)
	}
	image := w.request(model)
	part(chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://example.com/a.png"}})(image.Chat)
	image.Chat.ServiceTier, image.Chat.Foreign = "priority", []chat.Foreign{{Name: "prompt_cache_key"}}
	if _, err := w.do(image); err != nil {
		t.Error(err)
	}
}
