package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// silent sends the head of a chat and a part of its body, and then nothing.
func (w *world) silent(bearer string, declared, sent int) *wire {
	c := w.dial()
	c.head("POST", "/api/chat", bearer, fmt.Sprintf("Content-Length: %d", declared))
	c.write(`{"messages":[{"role":"user","content":"` + strings.Repeat("x", sent))
	return c
}

// A user who keeps as many requests with providers, or bodies on their way, as the gateway lets them does not keep
// others out.
func TestOneUserCannotHoldTheGateway(t *testing.T) {
	w := newWorld(t, "UPSTREAM_REQUESTS=6", "MAX_BODY_BYTES=1MB", "BODY_BUDGET_BYTES=8MB")
	ann, bob := w.user("ann"), w.user("bob")
	ann.key("openai", apiKey)
	bob.key("openai", apiKey+"b")
	stalled := strings.Replace(hello, "gpt-4o-mini", "gpt-4o", 1)
	if stalled == hello {
		t.Fatal("the request has another model")
	}
	w.emu.Set(emulator.Match{Model: "gpt-4o"}, emulator.Behaviour{FirstByteMs: 60_000})

	t.Run("providers", func(t *testing.T) {
		w.t = t
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer leave()
		_, _, second := ann.token("another credential of the same user")
		for i := range 3 { // her share
			by := []client{ann.client, second}[i%2]
			wg.Go(func() {
				for ctx.Err() == nil { // the chats below may have had the slot
					req := by.request("POST", "/api/chat", strings.NewReader(stalled)).WithContext(ctx)
					if resp, err := (&http.Client{Transport: transport}).Do(req); err == nil {
						resp.Body.Close()
					}
				}
			})
		}
		w.eventually("her share is taken", func() bool {
			r := ann.chat(hello)
			return r.status == 429 && r.header.Get("Retry-After") != ""
		})
		ann.chat(hello).refused(429, "RATE_LIMIT_EXCEEDED", "with providers as one user may have")
		bob.chat(hello).want(200)
		leave()
		wg.Wait()
		w.eventually("what she held is free", func() bool { return ann.chat(hello).status == 200 })
	})
	t.Run("bodies", func(t *testing.T) {
		w.t = t
		var held []*wire
		for range 8 {
			held = append(held, w.silent(ann.session, 600<<10, 300<<10))
		}
		w.eventually("she holds her share", func() bool { return ann.chat(large(512<<10)).status == 503 })
		ann.chat(large(900<<10)).refused(503, "UNAVAILABLE", "as one user may have")
		bob.chat(hello).want(200)
		bob.chat(large(900 << 10)).want(200)
		w.anyone().login(bob.email, password).want(200)
		for _, c := range held {
			c.conn.Close()
		}
		w.eventually("what she held is free", func() bool { return ann.chat(large(900<<10)).status == 200 })
	})
}

// large is a chat of about n bytes.
func large(n int) string {
	return strings.Replace(hello, "echo: Grüße, Welt 🌍!", strings.Repeat("x", n), 1)
}

// The credentials of a large body are looked up before it is held.
func TestLargeBodiesNeedValidCredentials(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	id, token, holder := ann.token("to be revoked")
	_, alive, valid := ann.token("stays")
	holder.chat(hello).want(200) // its keys are cached
	valid.chat(large(1 << 20)).want(200)
	ann.delete("/api/tokens/" + id).want(204)
	w.silent(token, 30<<20, 70<<10).answer().refused(401, "UNAUTHORIZED", "revoked")
	c := w.silent(alive, 30<<20, 1<<20)
	c.conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := c.in.ReadByte(); err == nil {
		t.Error("a body of a valid token is answered before its end")
	}
	w.anyone().post("/api/auth/login", `{"email":"`+strings.Repeat("x", 9<<10)+`"}`).refused(413, "PAYLOAD_TOO_LARGE", "8 kB")
}

// The time of a body that stops is measured from its last byte, however fast it came before.
func TestFastBodiesThatStop(t *testing.T) {
	w := newWorld(t, "BODY_PROGRESS_TIMEOUT=400ms")
	ann := w.user("ann")
	begun := time.Now()
	w.silent(ann.session, 30<<20, 8<<20).answer().refused(408, "REQUEST_TIMEOUT", "in time")
	if d := time.Since(begun); d > 15*time.Second {
		t.Errorf("it is held for %v", d)
	}
	// One that goes on for longer than the timeout is read to its end.
	c := w.dial()
	text := large(200 << 10)
	c.head("POST", "/api/chat", ann.session, fmt.Sprintf("Content-Length: %d", len(text)))
	for piece := range 10 {
		c.write(text[piece*len(text)/10 : (piece+1)*len(text)/10])
		time.Sleep(100 * time.Millisecond)
	}
	c.answer().refused(400, "NO_ELIGIBLE_KEY", "")
}
