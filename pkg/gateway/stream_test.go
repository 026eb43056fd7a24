package gateway_test

import (
	"context"
	"fmt"
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

func (w *world) askStream() gateway.Request {
	request := w.request(model)
	request.Chat.Stream = true
	return request
}

// read reads a stream to its end.
func read(c *gateway.Call) (text string, last chat.Event, usage *chat.Usage) {
	for {
		events := c.Next(nil)
		if len(events) == 0 {
			return text, last, usage
		}
		for _, ev := range events {
			if ev.Kind == chat.EventText {
				text += ev.Text
			}
			if ev.Kind == chat.EventUsage {
				usage = ev.Usage
			}
			last = ev
		}
	}
}

// row is the only request's outcome, status and output tokens.
func (w *world) row() (outcome store.Outcome, status, output int64) {
	w.t.Helper()
	if n := w.int(`select count(*) from requests`); n != 1 {
		w.t.Fatalf("%d rows, want 1", n)
	}
	return store.Outcome(w.int(`select outcome from requests`)), w.int(`select status from requests`), w.int(`select output from requests`)
}

func TestStreamIsSettledBeforeItsEnd(t *testing.T) {
	w := newWorld(t)
	id := w.add(key{answer: answerStream("Hel", "lo")})
	c, err := w.g.Start(t.Context(), w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var text string
	for ended := false; !ended; {
		for _, ev := range c.Next(nil) {
			text += ev.Text
			ended = ended || ev.Kind == chat.EventEnd
		}
		if n := w.int(`select count(*) from requests`); (n == 1) != ended {
			t.Errorf("%d rows, while the end was given out: %v", n, ended)
		}
	}
	if outcome, status, output := w.row(); outcome != store.Answered || status != 200 || output != 5 {
		t.Errorf("at the end the row says %d, %d, %d", outcome, status, output)
	}
	if text != "Hello" || w.used(id) != 1 {
		t.Errorf("%q, %d reservations used", text, w.used(id))
	}
}

func TestStreamFailsOverUntilItsFirstSubstantiveEvent(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"error status":        answerError(503, `{}`),
		"cut after the start": answerStream("cut"),
		"error event": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n")
		},
		"error in JSON": answerError(200, "\n\n {\"error\":{\"message\":\"overloaded\",\"code\":503}}"),
		"empty":         answerError(200, ""),
		"garbage":       answerError(200, "data: {]\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			bad := w.add(key{answer: answer})
			good := w.add(key{answer: answerStream("fine")})
			c, err := w.g.Start(t.Context(), w.askStream())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if text, last, _ := read(c); text != "fine" || last.Kind != chat.EventEnd || c.KeyID() != good {
				t.Errorf("%q, ended by %d, key %s", text, last.Kind, c.KeyID())
			}
			if w.used(bad) != 0 || w.used(good) != 1 {
				t.Errorf("reservations used: %d and %d, want 0 and 1", w.used(bad), w.used(good))
			}
		})
	}
}

func TestStreamThatBreaksLaterIsNotTriedElsewhere(t *testing.T) {
	w := newWorld(t)
	bad := w.add(key{answer: answerStream("Hel", "cut")})
	w.add(key{answer: answerStream("other")})
	c, err := w.g.Start(t.Context(), w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text, last, _ := read(c)
	if text != "Hel" || last.Kind != chat.EventError {
		t.Fatalf("%q, ended by %d", text, last.Kind)
	}
	if f := c.Fault(); f.Code != fault.Provider || f.Details.(map[string]any)["class"] != chat.Transport {
		t.Errorf("%+v", f)
	}
	if outcome, status, output := w.row(); outcome != store.Broken || status != 200 || output != 1 {
		t.Errorf("the row says %d, %d, %d", outcome, status, output)
	}
	if w.used(bad) != 1 || w.callsOf(2) != 0 {
		t.Errorf("%d reservations used, %d calls of the other key", w.used(bad), w.callsOf(2))
	}
}

func TestClientLeavingIsSettledAndCancelsTheProvider(t *testing.T) {
	w := newWorld(t)
	left := make(chan struct{})
	id := w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		answerStream("Hello", "wait")(rw, r)
		close(left)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	c, err := w.g.Start(ctx, w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	c.Next(nil)
	cancel()
	c.Close()
	select {
	case <-left:
	case <-time.After(time.Minute):
		t.Fatal("the provider was not told")
	}
	if outcome, _, output := w.row(); outcome != store.CallerLeft || output != 2 {
		t.Errorf("the row says %d and %d tokens", outcome, output)
	}
	if w.int(`select flags & 7 from requests`) != store.FlagStreamed|store.FlagEstimated {
		t.Error("the estimate is not marked")
	}
	if w.used(id) != 1 {
		t.Errorf("%d reservations used, want 1", w.used(id))
	}
}

// Who leaves while the database is asked has left: that is no fault of the gateway's.
func TestClientLeavingDuringALookup(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.g.Start(ctx, w.request(model)) // the table is loaded first
	wantCode(t, err, fault.Cancelled)
}

func TestClientLeavingBeforeTheAnswerKeepsTheReservation(t *testing.T) {
	for _, stream := range []bool{true, false} {
		t.Run(fmt.Sprint(stream), func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			id := w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			}})
			request := w.request(model)
			request.Chat.Stream = stream
			_, err := w.g.Start(ctx, request)
			wantCode(t, err, fault.Cancelled)
			if outcome, status, _ := w.row(); outcome != store.CallerLeft || status != 499 {
				t.Errorf("the row says %d, %d", outcome, status)
			}
			if w.used(id) != 1 {
				t.Errorf("%d reservations used, want 1: the request was sent", w.used(id))
			}
		})
	}
}

func TestDeadlineEndsAStream(t *testing.T) {
	w := newWorld(t)
	w.g = w.newGateway(gateway.Settings{Timeout: 300 * time.Millisecond, FirstEvent: time.Minute})
	w.add(key{answer: answerStream("Hel", "wait")})
	c, err := w.g.Start(t.Context(), w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text, last, _ := read(c)
	if f := c.Fault(); text != "Hel" || last.Kind != chat.EventError || f.Details.(map[string]any)["class"] != chat.Timeout {
		t.Errorf("%q, ended by %d, %+v", text, last.Kind, f)
	}
	if outcome, _, _ := w.row(); outcome != store.DeadlinePassed {
		t.Errorf("the row says %d", outcome)
	}
}

func TestProviderThatDoesNotStreamIsStreamedAllTheSame(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: answerText("hello")})
	c, err := w.g.Start(t.Context(), w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, last, usage := read(c); text != "hello" || last.Kind != chat.EventEnd || usage == nil || usage.Input != 10 {
		t.Errorf("%q, %d, %+v", text, last.Kind, usage)
	}
}

func TestMissingUsageIsEstimatedAndMarked(t *testing.T) {
	w := newWorld(t)
	w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"twelve bytes\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}})
	c, err := w.g.Start(t.Context(), w.askStream())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _, usage := read(c)
	if usage == nil || !usage.Estimated || usage.Output != 3 || usage.Input != 3 {
		t.Errorf("%+v", usage)
	}
	if _, _, output := w.row(); output != 3 {
		t.Errorf("%d output tokens kept", output)
	}
}

func TestDatabaseThatIsGoneIsNoInternalError(t *testing.T) {
	w := newWorld(t)
	w.add(key{})
	w.db.DB.Close()
	_, err := w.do(w.request(model))
	f := wantCode(t, err, fault.Unavailable)
	if f.RetryAfter == 0 || strings.Contains(f.Message, "sql") {
		t.Errorf("%+v", f)
	}
}
