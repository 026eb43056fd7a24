package parity

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// halves are the reader of whole answers and the reader of streams of a dialect.
type halves struct {
	server dialect.Server
	client dialect.Client
}

func bothHalves() map[string]halves {
	return map[string]halves{
		"openai": {new(openai.Server), openai.Client{}}, "responses": {new(responses.Server), responses.Client{}},
		"anthropic": {anthropic.New(), anthropic.Client{}}, "gemini": {gemini.NewServer("m", gemini.SSE), gemini.Client{}},
	}
}

// recordedStreams are the streams of the folder in RECORDINGS, with their dialects.
func recordedStreams(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, x := range dialecttest.Exchanges(t) {
		if strings.HasSuffix(name, ".sse.json") {
			all[name] = []byte(x.Response.Body)
		}
	}
	lines, _ := filepath.Glob(filepath.Join(dialecttest.Recordings(t), "vercel-ai", "*", "*.chunks.txt"))
	for _, name := range lines {
		data := bytes.TrimSpace(dialecttest.Read(t, name))
		stream := "data: " + strings.ReplaceAll(string(data), "\n", "\n\ndata: ") + "\n\n"
		if strings.Contains(stream, `"chat.completion.chunk"`) {
			stream += "data: [DONE]\n\n"
		}
		all[name] = []byte(stream)
	}
	return all
}

func dialectOf(stream []byte) string {
	for mark, name := range map[string]string{`"response.created"`: "responses", `message_start`: "anthropic", `"candidates"`: "gemini"} {
		if bytes.Contains(stream, []byte(mark)) {
			return name
		}
	}
	return "openai"
}

// In every dialect, a recorded stream reads the same as the whole answer made of it.
func TestRecordedStreamsAreWhole(t *testing.T) {
	served := dialect.Served{RequestID: "r", Provider: "p", Model: "m", Request: &chat.Request{StreamUsage: true}}
	read := 0
	for name, stream := range recordedStreams(t) {
		var events []chat.Event
		_, complete, _ := dialecttest.Collect(t, bothHalves()[dialectOf(stream)].client.NewStreamDecoder(), bytes.NewReader(stream), func(ev *chat.Event) { events = append(events, *ev) })
		if !complete {
			continue // cut short, or broken
		}
		read++
		for to, d := range bothHalves() {
			whole, err := d.client.DecodeResponse(d.server.EncodeResponse(dialecttest.Fold(events), served))
			if err != nil {
				t.Errorf("%s, %s: %v", filepath.Base(name), to, err)
				continue
			}
			var out []byte
			e := d.server.NewStreamEncoder(served)
			for i := range events {
				out = e.Encode(out, &events[i])
			}
			streamed, complete, failed := dialecttest.Collect(t, d.client.NewStreamDecoder(), bytes.NewReader(out), nil)
			if !complete || !reflect.DeepEqual(gist(whole), gist(streamed)) {
				t.Errorf("%s, %s: %v\nwhole  %q\nstream %q", filepath.Base(name), to, failed, gist(whole), gist(streamed))
			}
		}
	}
	if read < 80 {
		t.Errorf("only %d streams were read", read)
	}
}

// gist is the content of an answer, independent of how its texts are split and its JSON is spaced.
func gist(r *chat.Response) []string {
	usage, _ := json.Marshal(r.Usage)
	out := []string{string(usage)}
	for _, c := range r.Choices {
		answer := map[chat.PartKind]string{}
		var calls []string
		for _, p := range c.Message.Parts {
			answer[p.Kind] += p.Text
			if p.ToolCall == nil {
				continue
			}
			var args bytes.Buffer
			if json.Compact(&args, []byte(p.ToolCall.Arguments)) != nil {
				args.WriteString(p.ToolCall.Arguments)
			}
			calls = append(calls, p.ToolCall.ID, p.ToolCall.Name, args.String())
		}
		out = append(out, string(c.Finish), answer[chat.Text], answer[chat.Reason], answer[chat.Refusal])
		out = append(out, calls...)
	}
	return out
}
