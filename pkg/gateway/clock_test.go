package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// longTimeouts returns settings under which nothing ends a test but what it sets.
func longTimeouts() gateway.Settings {
	return gateway.Settings{Timeout: time.Minute, FirstEvent: time.Minute, ReasoningFirstEvent: time.Minute, IdleTimeout: time.Minute}
}

// answerSilence sends the text at once, flushed, then says nothing until the gateway leaves.
func answerSilence(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, text)
			http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

const (
	eventStream = "text/event-stream"
	roleChunk   = `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
)

// What a silent provider may send without a sign of life.
var silences = map[string]http.HandlerFunc{
	"no headers":     answerSilence("", ""),
	"headers alone":  answerSilence(eventStream, ""),
	"comments":       answerSilence(eventStream, ": OPENROUTER PROCESSING\n\n: still\n\n"),
	"blank lines":    answerSilence(eventStream, "\n\n\r\n \n"),
	"ping":           answerSilence(eventStream, "event: ping\ndata: {\"type\": \"ping\"}\n\n"),
	"unnamed ping":   answerSilence(eventStream, "data: {\"type\":\"ping\"}\n\n"),
	"keepalive":      answerSilence(eventStream, "event: keepalive\ndata: {\"type\":\"keepalive\",\"sequence_number\":1}\n\n"),
	"empty event":    answerSilence(eventStream, "data: {}\n\ndata:\n\n"),
	"half an event":  answerSilence(eventStream, "data: {\"id\":\"c1\",\"obj"),
	"spaces (whole)": answerSilence("application/json", "\n\n  \n"),
}

func TestSilentProviderIsAbandonedOnce(t *testing.T) {
	for name, silence := range silences {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := longTimeouts()
			s.FirstEvent, s.ReasoningFirstEvent = 100*time.Millisecond, 100*time.Millisecond
			w.g = w.newGateway(s)
			silent := w.add(key{answer: silence, priority: 1})
			stream := !strings.HasSuffix(name, "(whole)")
			second := answerStream("fine")
			if !stream {
				second = answerText("fine")
			}
			fine := w.add(key{answer: second, priority: 2})
			request := w.request(model)
			request.Chat.Stream = stream
			c, err := w.g.Start(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			text := "fine"
			if stream {
				text, _, _ = read(c)
			}
			c.Close()
			if text != "fine" || c.KeyID() != fine {
				t.Errorf("%q, key %s", text, c.KeyID())
			}
			// The provider may bill what we left: its reservation is kept.
			if w.used(silent) != 1 || w.used(fine) != 1 {
				t.Errorf("%d and %d reservations are used", w.used(silent), w.used(fine))
			}
			if n := w.int("select count(*) from cooldowns where class = 'timeout'"); n != 1 {
				t.Errorf("%d cooldowns after a timeout", n)
			}
		})
	}
}

// The second attempt has all the time that is left, and is the last if it is silent, too.
func TestOneAttemptIsAbandoned(t *testing.T) {
	w := newWorld(t)
	s := longTimeouts()
	s.FirstEvent, s.IdleTimeout = 50*time.Millisecond, 300*time.Millisecond
	w.g = w.newGateway(s)
	for n := range 3 {
		w.add(key{answer: silences["comments"], priority: n})
	}
	_, err := w.do(w.askStream())
	f := fault.From(err)
	if f.Code != fault.Provider || f.Details.(map[string]any)["class"] != chat.Timeout {
		t.Errorf("error %+v", f)
	}
	if w.callsOf(1) != 1 || w.callsOf(2) != 1 || w.callsOf(3) != 0 {
		t.Errorf("calls %d %d %d", w.callsOf(1), w.callsOf(2), w.callsOf(3))
	}
	if n := w.int("select coalesce(sum(used), 0) from key_days"); n != 2 {
		t.Errorf("%d reservations are used", n)
	}
}

// After a sign of life nothing but the idle timeout ends an attempt.
func TestSignOfLifeStopsTheClock(t *testing.T) {
	late := func(first string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", eventStream)
			io.WriteString(w, first)
			http.NewResponseController(w).Flush()
			time.Sleep(900 * time.Millisecond)
			answerStream("late")(w, r)
		}
	}
	w := newWorld(t)
	s := longTimeouts()
	s.FirstEvent = 400 * time.Millisecond
	w.g = w.newGateway(s)
	first := w.add(key{answer: late(roleChunk), priority: 1})
	w.add(key{answer: answerStream("other"), priority: 2})
	c, err := w.g.Start(t.Context(), w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, _, _ := read(c); text != "late" || c.KeyID() != first {
		t.Errorf("%q, key %s", text, c.KeyID())
	}
}

// A model that reasons, an effort that is asked for, and a whole answer have the second clock, and each clock has half of
// the time that is left.
func TestWhichClock(t *testing.T) {
	slowly := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(200 * time.Millisecond)
			answer(w, r)
		}
	}
	for name, tt := range map[string]struct {
		model      string
		whole      bool
		effort     bool
		settings   func(*gateway.Settings)
		abandonsIt bool
	}{
		"a model that answers at once": {model: model, abandonsIt: true},
		"a model that reasons":         {model: "o4-mini"},
		"an effort":                    {model: model, effort: true},
		"a whole answer":               {model: model, whole: true},
		"half of the deadline": {model: "o4-mini", abandonsIt: true,
			settings: func(s *gateway.Settings) { s.Timeout = 300 * time.Millisecond }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := longTimeouts()
			s.FirstEvent = 50 * time.Millisecond
			if tt.settings != nil {
				tt.settings(&s)
			}
			w.g = w.newGateway(s)
			answer := answerStream("fine")
			if tt.whole {
				answer = answerText("fine")
			}
			first := w.add(key{answer: slowly(answer), priority: 1})
			w.add(key{answer: answer, priority: 2})
			request := w.request(tt.model)
			request.Chat.Stream = !tt.whole
			if tt.effort {
				request.Chat.Reasoning = &chat.Reasoning{Effort: "high"}
			}
			c, err := w.g.Start(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if abandoned := c.KeyID() != first; abandoned != tt.abandonsIt {
				t.Errorf("abandoned: %v", abandoned)
			}
		})
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	limited := answerError(429, `{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}`)
	for name, most := range map[string]int{"default": 0, "set": 3} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := longTimeouts()
			s.MaxAttempts = most
			w.g = w.newGateway(s)
			for n := range 15 {
				w.add(key{answer: limited, priority: n})
			}
			_, err := w.do(w.request(model))
			if f := fault.From(err); f.Code != fault.RateLimit {
				t.Errorf("error %+v", f)
			}
			calls := 0
			for n := range 15 {
				calls += w.callsOf(n + 1)
			}
			if want := map[int]int{0: 10, 3: 3}[most]; calls != want {
				t.Errorf("%d calls, want %d", calls, want)
			}
			if n := w.int("select coalesce(sum(used), 0) from key_days"); n != 0 {
				t.Errorf("%d reservations are used", n)
			}
		})
	}
}

// A stream whose client has its status already still fails over, and an error is told in the stream.
func TestPendingStream(t *testing.T) {
	late := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(300 * time.Millisecond)
			answer(w, r)
		}
	}
	broken := answerError(500, `{"error":{"message":"The server had an error","type":"server_error"}}`)
	for name, tt := range map[string]struct {
		first, second http.HandlerFunc
		text          string
		key           int
		outcome       store.Outcome
	}{
		"the first answers":   {late(answerStream("one")), answerStream("two"), "one", 0, store.Answered},
		"the second answers":  {late(broken), answerStream("two"), "two", 1, store.Answered},
		"neither answers":     {late(broken), answerError(400, `{"error":{"message":"no","type":"invalid_request_error"}}`), "", -1, store.Broken},
		"the client leaves":   {late(late(late(late(late(broken))))), answerStream("two"), "", -1, store.CallerLeft},
		"it breaks off later": {late(answerStream("one", "cut")), answerStream("two"), "one", 0, store.Broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := longTimeouts()
			s.HeartbeatAfter = 50 * time.Millisecond
			w.g = w.newGateway(s)
			ids := []store.ID{w.add(key{answer: tt.first, priority: 1}), w.add(key{answer: tt.second, priority: 2})}
			begun := time.Now()
			c, err := w.g.Start(t.Context(), w.askStream())
			if err != nil || !c.Pending() || time.Since(begun) > 250*time.Millisecond {
				t.Fatalf("not pending in time: %v, %v", time.Since(begun), err)
			}
			if tt.outcome == store.CallerLeft {
				c.Cancel()
				c.Close()
			} else {
				err := c.Wait()
				if (err == nil) != (tt.key >= 0) {
					t.Fatalf("error %v", err)
				}
				if err == nil {
					if text, _, _ := read(c); text != tt.text || c.KeyID() != ids[tt.key] {
						t.Errorf("%q, key %s", text, c.KeyID())
					}
				}
				c.Close()
			}
			if outcome, status, _ := w.row(); outcome != tt.outcome || status != 200 {
				t.Errorf("the row says %d, status %d", outcome, status)
			}
		})
	}
}
