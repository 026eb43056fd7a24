// Package emulator answers as the providers do, on loopback: for the demo, and for tests that need a provider and each
// of its failures. It is written from the providers' documentation and recorded answers, independent of the gateway's
// encoders, and refuses what they refuse.
//
// Each provider is served below its own path: what api.groq.com serves at /openai/v1/chat/completions is at
// /groq/openai/v1/chat/completions. [BaseURL] returns the base URL for the gateway. It serves chat completions,
// OpenAI's Responses, Anthropic's Messages, Google's generateContent, embeddings, token counts and lists of models.
//
// The answer depends on the request only. The last user message may hold a command; without one the answer is a
// greeting:
//
//	echo: TEXT     answers TEXT, and describes the message's images and files
//	words: N       answers N words
//	think: TEXT    reasons with TEXT, if the request enables reasoning, and then answers
//	redact         reasons with encrypted text only (Anthropic)
//	refuse         refuses, in the wire format's field for refusals or as text
//	refuse midway  begins an answer that a filter cuts short
//	call           calls the first tool, if tools are offered; "call all" calls every one
//	noarg          calls a tool without arguments
//
// A tool_choice that requires a call gets one as well. The answer to tools' results repeats them, and
// describes errors and images. Tokens are words.
//
// Reasoning state (signatures, encrypted content) is valid only unchanged, and where the provider binds it to a
// conversation or an account, only there. Keys that differ only after their last dash belong to one account.
//
// Faults are set with [Emulator.Set], with POST /_emulator/behaviours from another process, or with the API key: a key
// that holds "-fault-NAME" always meets that fault (see [Fault]).
package emulator

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Emulator is an http.Handler that emulates all providers. It is safe for concurrent use.
type Emulator struct {
	now       func() time.Time
	providers map[string]*profile

	mu      sync.Mutex
	scripts []*script
	seen    []Recorded
	counts  map[Count]int64
	serial  int64
	cached  map[string]bool // prefixes of prompts
	stored  map[string]bool // accounts and the items that OpenAI stores for them
}

// New returns an Emulator.
func New() *Emulator {
	e := &Emulator{now: time.Now, providers: map[string]*profile{}, counts: map[Count]int64{},
		cached: map[string]bool{}, stored: map[string]bool{}}
	for _, p := range profiles() {
		e.providers[p.id] = p
	}
	return e
}

// BaseURL is the base URL of a provider that lives at the origin, such as http://127.0.0.1:4000.
// It is empty for a provider that is not emulated.
func BaseURL(origin, provider string) string {
	p := profileOf(provider)
	if p == nil {
		return ""
	}
	return origin + "/" + p.id + p.base
}

// Providers returns the ids of the emulated providers.
func Providers() []string {
	var ids []string
	for _, p := range profiles() {
		ids = append(ids, p.id)
	}
	return ids
}

// Models returns some models of an emulated provider.
func Models(provider string) []string {
	if p := profileOf(provider); p != nil {
		return slices.Clone(p.ids)
	}
	return nil
}

// Start serves e on a free port of the loopback until stop is called.
func Start(e *Emulator) (origin string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(l)
	return "http://" + l.Addr().String(), func() { srv.Close() }, nil
}

// ServeHTTP answers one request.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_emulator/") {
		e.control(w, r)
		return
	}
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	p := e.providers[id]
	if p == nil {
		http.NotFound(w, r)
		return
	}
	path, ok := strings.CutPrefix("/"+rest, p.base)
	if !ok {
		http.NotFound(w, r)
		return
	}
	x := &exchange{e: e, p: p, w: w, r: r, began: e.now()}
	x.serve(path)
}
