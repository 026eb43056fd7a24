package gateway_test

import (
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// ways are in what a provider can fail, by its name in the output of a test.
var ways = map[string]http.HandlerFunc{
	"rejected":     answerError(401, `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}`),
	"deactivated":  answerError(401, `{"error":{"message":"Your account has been deactivated","type":"invalid_request_error","code":"account_deactivated"}}`),
	"forbidden":    answerError(403, `{"error":{"message":"You are not allowed to use this model","type":"invalid_request_error","code":"model_not_allowed"}}`),
	"no money":     answerError(429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`),
	"limited":      answerError(429, `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "20"),
	"for a month":  answerError(429, `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After", "2592000"),
	"broken":       answerError(500, `{"error":{"message":"The server had an error","type":"server_error"}}`),
	"overloaded":   answerError(503, `{"error":{"message":"The engine is overloaded","type":"server_error"}}`),
	"a page":       answerError(502, "<html><body>Bad Gateway</body></html>", "Content-Type", "text/html"),
	"a firewall":   answerError(403, "<html><body>Blocked</body></html>", "Content-Type", "text/html"),
	"no model":     answerError(404, `{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}`),
	"empty":        answerError(200, ""),
	"half":         answerStream("cut"),
	"disconnected": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
}

// Whatever fails, in whatever order: no request makes more calls than it may, no more than one of them is abandoned, and
// no key is unusable six hours after its provider works again.
func TestKeysRecoverFromEverything(t *testing.T) {
	names := []string{"fine", "silent"}
	for name := range ways {
		names = append(names, name)
	}
	seeds := uint64(8)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			const keys, attempts = 5, 4
			w := newWorld(t)
			s := longTimeouts()
			s.FirstEvent, s.ReasoningFirstEvent, s.IdleTimeout, s.MaxAttempts = 100*time.Millisecond, 100*time.Millisecond, 250*time.Millisecond, attempts
			processes := []*gateway.Gateway{w.newGateway(s), w.newGateway(s)}
			rng := rand.New(rand.NewPCG(seed, 7))
			var calls, silent atomic.Int64
			var modes [keys]atomic.Pointer[string]
			ids := make([]store.ID, keys)
			for i := range keys {
				ids[i] = w.add(key{priority: i + 1, answer: func(rw http.ResponseWriter, r *http.Request) {
					calls.Add(1)
					switch mode := *modes[i].Load(); mode {
					case "silent":
						silent.Add(1)
						answerSilence(eventStream, ": wait\n\n")(rw, r)
					case "fine":
						if r.Header.Get("Accept") == eventStream {
							answerStream("fine")(rw, r)
						} else {
							answerText("fine")(rw, r)
						}
					default:
						ways[mode](rw, r)
					}
				}})
			}
			ask := func(n int, stream bool, route dialect.Route) error {
				calls.Store(0)
				silent.Store(0)
				request := w.request(model)
				request.Chat.Stream, request.Route = stream, route
				c, err := processes[n%2].Start(t.Context(), request)
				if err == nil {
					if stream {
						read(c)
					}
					c.Close()
				}
				if calls.Load() > attempts || silent.Load() > 2 {
					t.Errorf("seed %d: a request made %d calls, %d of silent providers", seed, calls.Load(), silent.Load())
				}
				return err
			}
			for n := range 40 {
				for i := range keys {
					modes[i].Store(&names[rng.IntN(len(names))])
				}
				ask(n, rng.IntN(2) == 0, dialect.Route{})
				w.wait([]time.Duration{0, time.Second, time.Minute, time.Hour, 9 * time.Hour}[rng.IntN(5)])
			}
			fine := "fine"
			last := make([]string, keys)
			for i := range keys {
				last[i] = *modes[i].Load()
				modes[i].Store(&fine)
			}
			w.wait(6*time.Hour + time.Second)
			for i := range keys {
				// A model that was unknown is asked for again, too.
				var err error
				for range 5 { // on a slow machine even a provider that works may be taken for a silent one
					if err = ask(i, false, dialect.Route{Priorities: []int64{int64(i + 1)}}); err == nil {
						break
					}
					w.wait(5 * time.Second)
				}
				if err != nil {
					t.Errorf("seed %d: six hours after it failed (%s) and works again, key %d gives %v", seed, last[i], i, err)
				}
			}
		})
	}
}
