package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type object = map[string]any

// ask is a request, in no dialect.
type ask struct {
	model      string
	system     string
	turns      []turn
	tools      []tool
	choice     string // auto, required, none; empty: unsaid
	schema     string
	effort     string
	limit      int
	stop       string
	streamed   bool
	usageAsked bool // OpenAI's stream_options
}

type tool struct{ name, schema string }

// turn is what one side says.
type turn struct {
	text    string
	image   string          // base64 of a PNG
	model   json.RawMessage // what the model said, as its caller keeps it; the rest is then empty
	results []result
}

type result struct {
	id, name, text string
}

// said is what a caller understands of an answer.
type said struct {
	text, reasoning, refusal string
	stopped                  string // the stop sequence that was met, where the dialect tells it
	calls                    []call
	finish                   string // in the dialect's word
	usage                    usage
	// kept is the turn as an SDK's type of it has it, bare without all that serves reasoning.
	kept, bare json.RawMessage
	failed     *failure // instead of, or after, an answer
	terminated bool     // a stream has come to the end that the dialect has
}

type call struct {
	id, name, arguments string
}

// usage are numbers by the words of package store; what the dialect does not tell is absent.
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

// speaker is an SDK: it writes requests and reads answers in one dialect.
type speaker struct {
	name string
	// auth are the headers that carry the token.
	auth func(token string) []string
	// write makes the path and the body.
	write func(a *ask) (path string, body []byte)
	whole func(body []byte) (said, error)
	// stream puts the pieces together.
	stream func(body []byte) (said, error)
	// failed reads an error that came before an answer.
	failed func(body []byte) (failure, error)
	// finish translates the dialect's word.
	finish func(s *said) string
	base   string // of the SDK: what follows the host
}

func speakers() []*speaker {
	return []*speaker{nativeSpeaker(), openAISpeaker(), responsesSpeaker(), anthropicSpeaker(), geminiSpeaker("gemini", "?alt=sse"), geminiSpeaker("gemini array", "")}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// ask sends a in the speaker's dialect and reads what comes.
func (p *person) ask(s *speaker, a *ask, header ...string) (said, *reply, error) {
	p.t.Helper()
	path, body := s.write(a)
	r := p.send("POST", path, body, append(s.auth(p.token), header...)...)
	got, err := s.read(r, a.streamed)
	return got, r, err
}

func (s *speaker) read(r *reply, streamed bool) (got said, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w in %d %s", err, r.status, r.body)
		}
	}()
	switch {
	case r.status != 200:
		f, err := s.failed(r.body)
		return said{failed: &f}, err
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
		said := false
		for line := range strings.SplitSeq(block, "\n") {
			name, value, ok := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case line == "" || name == "":
			case ok && name == "event":
				e.name = value
			case ok && name == "data" && !said:
				e.data, said = value, true
			default:
				return nil, fmt.Errorf("no line of an event: %q", line)
			}
		}
		if said {
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
