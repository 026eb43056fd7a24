package gateway_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// rotating returns processes that rotate among equal keys.
func (w *world) rotating(processes int) (all []*gateway.Gateway) {
	s := longTimeouts()
	s.Strategy = gateway.RoundRobin
	for range processes {
		all = append(all, w.newGateway(s))
	}
	return all
}

// talk is a conversation as a client keeps it.
type talk struct {
	w        *world
	messages []chat.Message
	stream   bool
	change   func(*gateway.Request)
}

func said(role chat.Role, text string) chat.Message {
	return chat.Message{Role: role, Parts: []chat.Part{{Kind: chat.Text, Text: text}}}
}

// ask sends the next turn and returns the key that answers.
func (k *talk) ask(g *gateway.Gateway, text string) store.ID {
	k.w.t.Helper()
	k.messages = append(k.messages, said(chat.User, text))
	request := k.w.request(model)
	request.Chat.Messages, request.Chat.Stream = k.messages, k.stream
	request.Header = http.Header{}
	if k.change != nil {
		k.change(&request)
	}
	c, err := g.Start(k.w.t.Context(), request)
	if err != nil {
		k.w.t.Fatal(err)
	}
	defer c.Close()
	answer := ""
	if k.stream {
		answer, _, _ = read(c)
	} else {
		answer = c.Response().Choices[0].Message.Parts[0].Text
	}
	k.messages = append(k.messages, said(chat.Assistant, answer))
	return c.KeyID()
}

// answerCount answers another text each time.
func answerCount() http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		n++
		if r.Header.Get("Accept") == eventStream {
			answerStream(fmt.Sprint("answer ", n))(w, r)
			return
		}
		answerText(fmt.Sprint("answer ", n))(w, r)
	}
}

func onBothEngines(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newWorldOn(t, openPostgres(t))) })
}

// 20 turns of a conversation stay with one key, over processes.
func TestConversationsStayWithTheirKey(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for range 3 {
			w.add(key{answer: answerCount()})
		}
		processes := w.rotating(4)
		talks := map[*talk]store.ID{}
		for i := range 6 {
			talks[&talk{w: w, stream: i%2 == 0, messages: []chat.Message{said(chat.System, "You are helpful.")}}] = store.ID{}
		}
		for turn := range 20 {
			n := turn
			for k, served := range talks {
				n++
				text := fmt.Sprint("turn ", turn)
				if turn == 0 {
					text = fmt.Sprint("Hello, I am ", n)
				}
				id := k.ask(processes[n%len(processes)], text)
				if turn > 0 && id != served {
					t.Fatalf("turn %d is served by another key", turn)
				}
				talks[k] = id
			}
		}
		keys := map[store.ID]int{}
		for _, id := range talks {
			keys[id]++
		}
		if len(keys) != 3 {
			t.Errorf("the conversations are spread over %d keys of 3: %v", len(keys), keys)
		}
	})
}

// A conversation whose first turn is repeated word for word elsewhere stays with its key.
func TestConversationsThatBeginAlike(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for range 3 {
			w.add(key{answer: func(w http.ResponseWriter, r *http.Request) { answerText("Hello! How can I help?")(w, r) }})
		}
		processes := w.rotating(4)
		first := &talk{w: w}
		kept := first.ask(processes[0], "Hello")
		var others []*talk
		for turn := range 19 {
			other := &talk{w: w}
			other.ask(processes[turn%4], "Hello")
			others = append(others, other)
			for _, k := range others[:min(3, len(others))] {
				k.ask(processes[(turn+1)%4], fmt.Sprint("something else, ", turn))
			}
			if first.ask(processes[(turn+2)%4], fmt.Sprint("turn ", turn)) != kept {
				t.Fatalf("turn %d is served by another key", turn+2)
			}
		}
	})
}

// What names a conversation keeps it with its key from its first request on, even without the turns before.
func TestNamedConversations(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*gateway.Request)
		kept   bool
	}{
		"prompt_cache_key": {func(r *gateway.Request) { r.Chat.CacheKey = "k" }, true},
		"X-Session-Id":     {func(r *gateway.Request) { r.Header.Set("X-Session-Id", "s") }, true},
		"session_id":       {func(r *gateway.Request) { r.Header["Session_id"] = []string{"s"} }, true},
		"Claude Code":      {func(r *gateway.Request) { r.Chat.User = "user_abc_account_def_session_ghi" }, true},
		"Claude Code, as JSON": {func(r *gateway.Request) {
			r.Chat.User = `{"device_id":"d","account_uuid":"a","session_id":"s"}`
		}, true},
		"a user alone":            {func(r *gateway.Request) { r.Chat.User = "ann" }, false},
		"an account alone":        {func(r *gateway.Request) { r.Chat.User = `{"device_id":"d","account_uuid":"a"}` }, false},
		"nothing":                 {func(*gateway.Request) {}, false},
		"a name that is too long": {func(r *gateway.Request) { r.Chat.CacheKey = string(make([]byte, 1000)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for range 3 {
				w.add(key{answer: answerCount()})
			}
			processes := w.rotating(2)
			keys := map[store.ID]bool{}
			for n := range 6 {
				k := &talk{w: w, change: tt.change}
				keys[k.ask(processes[n%2], fmt.Sprint("question ", n))] = true
			}
			if want := map[bool]int{true: 1, false: 3}[tt.kept]; len(keys) != want {
				t.Errorf("%d keys, want %d", len(keys), want)
			}
		})
	}
}

// Single requests are spread evenly, whatever conversations go on beside them.
func TestConversationsTakeNoTurns(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.add(key{answer: answerCount()})
	}
	processes := w.rotating(4)
	long := &talk{w: w}
	counts := map[store.ID]int{}
	counts[long.ask(processes[0], "Hello")]++
	for n := range 999 {
		single := &talk{w: w}
		counts[single.ask(processes[n%4], fmt.Sprint("single ", n))]++
		long.ask(processes[(n+1)%4], "go on")
	}
	for id, n := range counts {
		if n != 200 {
			t.Errorf("key %s served %d of 1,000 single requests, want 200", id, n)
		}
	}
}

// A conversation whose key cannot serve moves, and stays where it went.
func TestConversationMovesWithItsKeyGone(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.add(key{answer: answerCount(), limit: 1000})
	}
	processes := w.rotating(2)
	k := &talk{w: w}
	first := k.ask(processes[0], "Hello")
	if k.ask(processes[1], "more") != first {
		t.Fatal("the second turn is served by another key")
	}
	w.run(`update key_days set used = 1000 where key_id = $1`, first)
	moved := k.ask(processes[0], "more")
	if moved == first {
		t.Fatal("served by a key that is spent")
	}
	for n := range 6 {
		if k.ask(processes[n%2], "more") != moved {
			t.Fatal("the conversation does not stay where it went")
		}
	}
	// Nothing is kept for longer than a day, or for a user without several equal keys.
	w.wait(25 * time.Hour)
	n, err := store.PurgeConversations(t.Context(), w.db, w.clock.Load(), 100)
	if err != nil || n == 0 || w.int("select count(*) from conversations") != 0 {
		t.Errorf("%d purged, %v", n, err)
	}
	alone := newWorld(t)
	alone.add(key{answer: answerCount()})
	one := &talk{w: alone, change: func(r *gateway.Request) { r.Chat.CacheKey = "k" }}
	one.ask(alone.rotating(1)[0], "Hello")
	if n := alone.int("select count(*) from conversations"); n != 0 {
		t.Errorf("%d conversations of a user with one key", n)
	}
}
