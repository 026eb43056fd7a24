package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type object = map[string]any

// request is a request that belongs to no dialect.
type request struct {
	model        string
	system       string
	turns        []turn
	tools        []tool
	choice       string // auto, required, none; empty: not sent
	schema       string
	effort       string
	limit        int
	stop         string
	streamed     bool
	includeUsage bool // OpenAI's stream_options
}

type tool struct{ name, schema string }

// turn is a message of one side.
type turn struct {
	text    string
	image   string          // base64 of a PNG
	model   json.RawMessage // the model's turn as the caller keeps it; the other fields are then empty
	results []result
}

type result struct {
	id, name, text string
}

// answer holds what a caller reads in an answer.
type answer struct {
	text, reasoning, refusal string
	stopped                  string // the stop sequence that ended the answer, where the dialect has it
	calls                    []call
	finish                   string // in the dialect's spelling
	usage                    usage
	// kept is the turn as the SDK's types hold it; bare lacks everything that serves reasoning.
	kept, bare json.RawMessage
	failed     *failure // instead of, or after, an answer
	terminated bool     // the stream ended as the dialect ends a stream
}

type call struct {
	id, name, arguments string
}

// usage maps the counters of package store to numbers; a counter that the dialect lacks is absent.
type usage map[string]int64

func (u usage) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(u)) {
		fmt.Fprintf(&b, "%s=%d ", k, u[k])
	}
	return b.String()
}

// failure is an error as a caller sees it.
type failure struct {
	kind, code, message string
	details             string
}

// caller does what an SDK does: it writes requests and reads answers in one dialect.
type caller struct {
	name string
	// auth returns the headers that carry the token.
	auth func(token string) []string
	// write returns the path and the body of a request.
	write func(a *request) (path string, body []byte)
	whole func(body []byte) (answer, error)
	// stream reads a stream and joins its pieces.
	stream func(body []byte) (answer, error)
	// failed reads an error that came before an answer.
	failed func(body []byte) (failure, error)
	// finish translates the dialect's finish reason.
	finish func(s *answer) string
	base   string // of the SDK: the path that follows the host
}

func callers() []*caller {
	return []*caller{nativeCaller(), openAICaller(), responsesCaller(), anthropicCaller(), geminiCaller("gemini", "?alt=sse"), geminiCaller("gemini array", "")}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// exchange sends the request in the caller's dialect and reads the answer.
func (p *person) exchange(s *caller, a *request, header ...string) (answer, *reply, error) {
	p.t.Helper()
	path, body := s.write(a)
	r := p.send("POST", path, body, append(s.auth(p.token), header...)...)
	got, err := s.read(r, a.streamed)
	return got, r, err
}

func (s *caller) read(r *reply, streamed bool) (got answer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w in %d %s", err, r.status, r.body)
		}
	}()
	switch {
	case r.status != 200:
		f, err := s.failed(r.body)
		return answer{failed: &f}, err
	case streamed:
		return s.stream(r.body)
	}
	return s.whole(r.body)
}

// event is a server-sent event.
type event struct{ name, data string }

// eventsOf reads a stream of server-sent events as the SDKs do: comments are skipped.
func eventsOf(body []byte) ([]event, error) {
	var out []event
	for block := range strings.SplitSeq(string(body), "\n\n") {
		var e event
		hasData := false
		for line := range strings.SplitSeq(block, "\n") {
			name, value, ok := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case line == "" || name == "":
			case ok && name == "event":
				e.name = value
			case ok && name == "data" && !hasData:
				e.data, hasData = value, true
			default:
				return nil, fmt.Errorf("no line of an event: %q", line)
			}
		}
		if hasData {
			out = append(out, e)
		}
	}
	if !strings.HasSuffix(string(body), "\n\n") {
		return out, fmt.Errorf("the last event has no end")
	}
	return out, nil
}

func schemaOf(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}
