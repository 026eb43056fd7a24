package dialecttest

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// Collect reads a stream to its end and folds it. It reports whether EventEnd came, and fails the test if the events
// come in an order that package chat forbids. order, which may be nil, receives each event too.
func Collect(t testing.TB, d dialect.StreamDecoder, src io.Reader, order func(*chat.Event)) (
	resp *chat.Response, complete bool, failed *chat.Error) {
	t.Helper()
	r := sse.NewReader(src, 0)
	var all chat.Assembler
	var events []chat.Event
	over := false
	for !over {
		name, data, err := r.Next()
		events = events[:0]
		if err != nil {
			events = d.Close(events)
		} else {
			events = d.Decode(events, name, data)
		}
		for i := range events {
			if over {
				t.Fatalf("an event of kind %d after the end", events[i].Kind)
			}
			if order != nil {
				order(&events[i])
			}
			over = events[i].Kind == chat.EventEnd || events[i].Kind == chat.EventError
			all.Add(&events[i])
		}
		if err != nil && !over {
			t.Fatal("Close gave no end")
		}
	}
	return all.Response(), all.Ended(), all.Err()
}

// A Collector reads a stream of its dialect, see [Collect].
type Collector func(t testing.TB, src io.Reader) (resp *chat.Response, complete bool, failed *chat.Error)

// Streams compares the answers of testdata/stream/*.sse with their golden files. The answer is the same for a stream
// split at every byte, with either line end.
func (collect Collector) Streams(t *testing.T) {
	for _, name := range Inputs(t, "stream/*.sse") {
		body := Read(t, name)
		resp, complete, failed := collect(t, bytes.NewReader(body))
		if !complete || failed != nil {
			t.Errorf("%s: complete %v, error %v", name, complete, failed)
			continue
		}
		Golden(t, strings.TrimSuffix(name, "sse")+"golden", Indented(t, resp))

		crlf := bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))
		for form, in := range map[string][]byte{"LF": body, "CRLF": crlf} {
			for i := range in {
				got, complete, failed := collect(t, split(in, i))
				if !complete || failed != nil || !reflect.DeepEqual(got, resp) {
					t.Fatalf("%s, %s, split at %d: %v %v", name, form, i, got, failed)
				}
			}
		}
	}
}

// Fuzz reads streams of any bytes, split anywhere: each ends in an answer or an error, never both, and the split changes
// neither. Every complete answer is passed to check.
func (collect Collector) Fuzz(f *testing.F, check func(*testing.T, *chat.Response), more ...string) {
	for _, name := range Inputs(f, "stream/*.sse") {
		body := Read(f, name)
		f.Add(body, uint16(len(body)/2))
	}
	for _, m := range more {
		f.Add([]byte(m), uint16(3))
	}
	f.Fuzz(func(t *testing.T, body []byte, at uint16) {
		whole, complete, failed := collect(t, bytes.NewReader(body))
		if complete == (failed != nil) {
			t.Fatalf("complete %v, error %v", complete, failed)
		}
		again, complete2, failed2 := collect(t, split(body, int(at)%(len(body)+1)))
		if complete != complete2 || (failed == nil) != (failed2 == nil) || !reflect.DeepEqual(whole, again) {
			t.Fatal("a split changes the answer")
		}
		if complete {
			check(t, whole)
		}
	})
}

func split(body []byte, at int) io.Reader {
	return io.MultiReader(bytes.NewReader(body[:at]), bytes.NewReader(body[at:]))
}
