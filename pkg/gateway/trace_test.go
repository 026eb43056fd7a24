package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// traceOf returns the trace of a request as the API shows it.
func (w *world) traceOf(id store.ID) *gateway.Trace {
	w.t.Helper()
	r, text, err := store.RequestByID(w.t.Context(), w.db.DB, w.user, id)
	if err != nil {
		w.t.Fatal(err)
	}
	trace, err := gateway.ReadTrace(&r, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return trace
}

// slowly lets the world's clock go on before the handler answers.
func (w *world) slowly(ms int64, answer http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w.clock.Add(ms)
		answer(rw, r)
	}
}

func TestTraceOfEveryRequest(t *testing.T) {
	w := newWorld(t)
	good := w.add(key{answer: w.slowly(70, answerText("hello")), models: `["gpt-*"]`})
	request := w.request(model)
	w.db.runs.Store(0)
	w.mustServe(request, good)
	if n := w.db.runs.Load(); n != 3 {
		t.Errorf("%d trips, want 3: load, reserve, settle", n)
	}
	trace := w.traceOf(request.ID)
	if trace == nil || trace.Strategy != gateway.ExhaustFirst || len(trace.Attempts) != 1 || len(trace.Skipped) != 0 {
		t.Fatalf("%+v", trace)
	}
	a := trace.Attempts[0]
	if a.KeyID != good || a.Provider != "openai" || a.Model != model || a.Outcome != "answered" || a.Class != "" || a.Status != 200 ||
		a.StartMs == nil || *a.StartMs != 0 || a.Ms != 70 || a.FirstByteMs == nil || *a.FirstByteMs != 70 {
		t.Errorf("%+v", a)
	}
	if n := w.int(`select count(*) from request_traces`); n != 0 {
		t.Errorf("%d rows beside the request's own", n)
	}
}

func TestTraceOfFailover(t *testing.T) {
	w := newWorld(t)
	bad := w.add(key{answer: w.slowly(30, answerError(500, `{"error":{"message":"oops"}}`)), priority: 1})
	good := w.add(key{answer: w.slowly(50, answerText("hello")), priority: 2})
	request := w.request(model)
	request.Route.Strategy = string(gateway.RoundRobin)
	w.mustServe(request, good)
	trace := w.traceOf(request.ID)
	if trace == nil || len(trace.Attempts) != 2 || trace.Strategy != gateway.RoundRobin {
		t.Fatalf("%+v", trace)
	}
	first, last := trace.Attempts[0], trace.Attempts[1]
	if first.KeyID != bad || first.Outcome != "failed" || first.Class == "" || first.Status != 500 || *first.StartMs != 0 || first.Ms != 30 || !first.Released {
		t.Errorf("the failed attempt: %+v", first)
	}
	if last.KeyID != good || last.Outcome != "answered" || *last.StartMs != 30 || last.Ms != 50 || *last.FirstByteMs != 50 {
		t.Errorf("the last: %+v", last)
	}
	// What was stored beside the row has expired: half a trace would be wrong.
	w.run(`delete from request_traces`)
	if trace := w.traceOf(request.ID); trace != nil {
		t.Errorf("an expired trace: %+v", trace)
	}
}

func TestTraceOfBrokenStream(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: w.slowly(40, answerStream("hel", "cut"))})
	request := w.request(model)
	request.Chat.Stream = true
	c, err := w.g.Start(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	for last := chat.EventKind(0); last != chat.EventError; {
		events := c.Next(nil)
		last = events[len(events)-1].Kind
	}
	c.Close()
	trace := w.traceOf(request.ID)
	if trace == nil || len(trace.Attempts) != 1 {
		t.Fatalf("%+v", trace)
	}
	if a := trace.Attempts[0]; a.Outcome != "broken" || a.Class != chat.Transport || *a.StartMs != 0 || a.FirstByteMs == nil || *a.FirstByteMs != 40 {
		t.Errorf("%+v", a)
	}
}

func TestTraceModes(t *testing.T) {
	const requests = 400
	for mode, want := range map[gateway.TraceMode]struct {
		least, most int // of the answered requests
		failed      bool
	}{
		gateway.TraceAll:     {requests, requests, true},
		gateway.TraceSampled: {40, 160, true}, // 100 are expected, with a standard deviation of 8.7
		gateway.TraceFailed:  {0, 0, true},
		gateway.TraceOff:     {0, 0, false},
	} {
		w := newWorld(t)
		good := w.add(key{})
		// A skipped key is told of, too.
		w.alias("best", "gpt-unknown-9", model)
		w.g = w.newGateway(gateway.Settings{Timeout: time.Minute, Trace: mode, TraceSamplePercent: 25})
		kept := 0
		for i := range requests {
			name := model
			if i%2 == 0 {
				name = "best"
			}
			request := w.request(name)
			w.mustServe(request, good)
			if w.traceOf(request.ID) != nil {
				kept++
			}
		}
		if kept < want.least || kept > want.most {
			t.Errorf("%s keeps %d of %d traces", mode, kept, requests)
		}
		request := w.request("mistral/none")
		if _, err := w.do(request); err == nil {
			t.Fatal("it was served")
		}
		if trace := w.traceOf(request.ID); (trace != nil) != want.failed {
			t.Errorf("%s: the trace of a refused request is %+v", mode, trace)
		}
	}
}
