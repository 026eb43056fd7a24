package openai_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

func TestUsageFilter(t *testing.T) {
	var filter openai.UsageFilter
	for _, c := range []struct {
		in     string
		want   string
		action openai.Action
	}{
		{`[DONE]`, `[DONE]`, openai.Keep},
		{`{"choices":[{"delta":{"content":"x"}}]}`, `{"choices":[{"delta":{"content":"x"}}]}`, openai.Keep},
		{`{"choices":[{"delta":{"content":"the \"usage\" of"}}],"id":"usage"}`, `{"choices":[{"delta":{"content":"the \"usage\" of"}}],"id":"usage"}`, openai.Keep},
		{`{"choices":[{"delta":{"usage":1}}], "x_groq":{"usage":{}}}`, `{"choices":[{"delta":{"usage":1}}], "x_groq":{"usage":{}}}`, openai.Keep},
		{`{"usage":`, `{"usage":`, openai.Keep},
		{`"usage"`, `"usage"`, openai.Keep},
		{`{"id":"a" ,"choices": [ {"index":0} ], "usage": null }`, `{"id":"a" ,"choices": [ {"index":0} ]}`, openai.Replace},
		{`{"usage":{"total_tokens":3},"choices":[{"finish_reason":"stop"}]}`, `{"choices":[{"finish_reason":"stop"}]}`, openai.Replace},
		{`{"choices":[],"usage":null,"prompt_filter_results":[]}`, `{"choices":[],"prompt_filter_results":[]}`, openai.Replace},
		{`{"error":{"message":"m"},"choices":[],"usage":{}}`, `{"error":{"message":"m"},"choices":[]}`, openai.Replace},
		{`{"usage":{"x":1}}`, `{}`, openai.Replace},
		{`{"choices":[],"usage":{"total_tokens":3}}`, ``, openai.Drop},
	} {
		if got, action := filter.Chunk([]byte(c.in)); string(got) != c.want || action != c.action {
			t.Errorf("%s: got %s, %d", c.in, got, action)
		}
	}
}

// filtered returns the events of a stream, filtered.
func filtered(t testing.TB, stream []byte) []byte {
	t.Helper()
	var filter openai.UsageFilter
	var out []byte
	for _, line := range bytes.Split(stream, []byte("\n")) {
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		if data, action := filter.Chunk(data); action != openai.Drop {
			out = append(append(append(out, "data: "...), data...), "\n\n"...)
		}
	}
	return out
}

// The answer is the same but for its usage.
func TestUsageFilterStreams(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "stream/openai*.sse") {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, _, _ := collect(t, bytes.NewReader(body))
		got, complete, failed := collect(t, bytes.NewReader(filtered(t, body)))
		if !complete {
			t.Fatalf("%s: %v", name, failed)
		}
		if got.Usage != nil || name == "testdata/stream/openai.sse" && want.Usage == nil {
			t.Errorf("%s: usage %v", name, got.Usage)
		}
		if got.Usage = want.Usage; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s", name, dialecttest.Indented(t, got))
		}
	}
}

func FuzzUsageFilter(f *testing.F) {
	f.Add([]byte(`{"choices":[{"index":0}],"usage":null}`))
	f.Add([]byte(`{"choices":[],"usage":{}}`))
	f.Add([]byte(`{ "usage" : "usage", "usage":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var filter openai.UsageFilter
		out, action := filter.Chunk(data)
		var before, after map[string]json.RawMessage
		if json.Unmarshal(data, &before) != nil || before == nil {
			if action != openai.Keep && json.Valid(data) {
				t.Fatalf("%d: %s", action, data)
			}
			return
		}
		if action == openai.Drop {
			if before["usage"] == nil {
				t.Fatalf("dropped: %s", data)
			}
			return
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%s became %s: %v", data, out, err)
		}
		if delete(before, "usage"); len(after) != len(before) && !strings.Contains(string(data), `\u`) {
			t.Fatalf("%s became %s", data, out)
		}
	})
}

func BenchmarkUsageFilter(b *testing.B) {
	for name, chunk := range chunks {
		b.Run(name, func(b *testing.B) {
			var filter openai.UsageFilter
			data := []byte(chunk)
			b.ReportAllocs()
			for b.Loop() {
				filter.Chunk(data)
			}
		})
	}
}
