// Package emulator answers as the providers do, on loopback: for the demo, and for tests
// that need a provider and every way in which one can fail. It is written from the
// providers' documentation and recorded answers, not from the gateway's own encoders, and is
// as strict as they are about what they refuse.
//
// Every provider lives below its own path: what api.groq.com serves at
// /openai/v1/chat/completions is at /groq/openai/v1/chat/completions here; [BaseURL] is the base to
// give the gateway. Served are chat completions, OpenAI's Responses,
// Anthropic's Messages, Google's generateContent, embeddings, counts of tokens, and lists of models.
//
// The answer follows from the request alone. The last user message may ask for more than a greeting:
//
//	echo: TEXT     answers TEXT; images and files in the message are told after it
//	words: N       answers N words
//	think: TEXT    reasons so, if the request lets it reason, and then answers
//	redact         reasons so that the reasoning may not be read (Anthropic)
//	refuse         refuses, in the wire format's own form, else in plain text
//	refuse midway  begins to answer, and is stopped by a filter
//	call           calls the first tool, if tools are offered; "call all" calls every one
//	noarg          calls a tool without arguments
//
// A tool_choice that demands a call gets one as well. What tools gave comes back in the
// answer, errors and images told as such. Tokens are words.
//
// Reasoning state (signatures, encrypted content) is taken back only as it was made, and
// where the provider binds it to a conversation or an account, only there; keys that differ
// after their last dash alone are of one account.
//
// Faults are set with [Emulator.Set], with
// POST /_emulator/behaviours from another process, or by a person with curl through the API key: a key that holds
// "-fault-NAME" always meets that fault (see [Fault]).
package emulator

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Emulator is an http.Handler that plays all providers. It is safe for concurrent use.
type Emulator struct {
	now       func() time.Time
	providers map[string]*profile

	mu      sync.Mutex
	scripts []*script
	seen    []Recorded
	counts  map[Count]int64
	serial  int64
	cached  map[string]bool // prefixes of prompts
	stored  map[string]bool // accounts and items that OpenAI keeps for them
}

// New returns an Emulator.
func New() *Emulator {
	e := &Emulator{now: time.Now, providers: map[string]*profile{}, counts: map[Count]int64{}, cached: map[string]bool{}, stored: map[string]bool{}}
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

// Providers are the ids of the providers that are emulated.
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
