package openai_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// collect reads a stream to its end and assembles the answer, see [dialecttest.Collect].
func collect(t testing.TB, src io.Reader) (resp *chat.Response, complete bool, failed *chat.Error) {
	t.Helper()
	return dialecttest.Collect(t, openai.Client{}.NewStreamDecoder(), src, nil)
}

func TestDecodeWhole(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "whole/*.json") {
		body := dialecttest.Read(t, name)
		resp, err := openai.Client{}.DecodeResponse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, resp))
	}
}

func TestDecodeStream(t *testing.T) { dialecttest.Collector(collect).Streams(t) }

// The state of reasoning comes with the first piece, not with each.
func TestDecodeStreamSaysStateOnce(t *testing.T) {
	piece := []byte(`{"choices":[{"index":0,"delta":{"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a","format":"f","index":0}]}}]}`)
	d := openai.Client{}.NewStreamDecoder()
	events := d.Decode(nil, "", piece)
	if last := events[len(events)-1]; last.Kind != chat.EventReason || last.State == nil || last.State.Format != "f" {
		t.Errorf("%+v", last)
	}
	if events = d.Decode(nil, "", piece); len(events) != 1 || events[0].State != nil || events[0].Text != "a" {
		t.Errorf("%+v", events)
	}
	// After text, what follows is reasoning of its own and says its state again.
	d.Decode(nil, "", []byte(`{"choices":[{"index":0,"delta":{"content":"b"}}]}`))
	if events = d.Decode(nil, "", piece); len(events) != 1 || events[0].State == nil {
		t.Errorf("%+v", events)
	}
}

// An item of reasoning with a summary and encrypted content is one block. Encrypted content of
// Anthropic's is a redacted block.
func TestDecodeDetails(t *testing.T) {
	resp, err := openai.Client{}.DecodeResponse([]byte(`{"choices":[{"message":{"content":"x","reasoning_details":[
		{"type":"reasoning.summary","summary":"a","format":"openai-responses-v1","id":"rs_1","index":0},
		{"type":"reasoning.encrypted","data":"e","format":"openai-responses-v1","id":"rs_1","index":0},
		{"type":"reasoning.encrypted","data":"f","format":"openai-responses-v1","id":"rs_2","index":1},
		{"type":"reasoning.encrypted","data":"r","format":"anthropic-claude-v1","index":2},
		{"type":"reasoning.text","text":"bare","index":0}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []chat.Part{
		{Kind: chat.Reason, Text: "a", State: &chat.ReasoningState{ID: "rs_1", Encrypted: "e", Format: "openai-responses-v1", Summary: true}},
		{Kind: chat.Reason, State: &chat.ReasoningState{ID: "rs_2", Encrypted: "f", Format: "openai-responses-v1", Index: 1}},
		{Kind: chat.Reason, State: &chat.ReasoningState{Redacted: "r", Format: "anthropic-claude-v1", Index: 2}},
		{Kind: chat.Reason, Text: "bare"}, {Kind: chat.Text, Text: "x"},
	}
	if got := resp.Choices[0].Message.Parts; !reflect.DeepEqual(got, want) {
		t.Errorf("%s", dialecttest.Indented(t, got))
	}
}

// A stream that is cut before its finish reason is no answer. A stream that only lacks its terminator is one.
func TestDecodeStreamCut(t *testing.T) {
	body := dialecttest.Read(t, "testdata/stream/openrouter.sse")
	reason := bytes.Index(body, []byte(`"finish_reason":"`))
	ends := reason + bytes.IndexByte(body[reason:], '\n')
	done := bytes.Index(body, []byte("data: [DONE]"))
	for i := range ends {
		_, complete, failed := collect(t, bytes.NewReader(body[:i]))
		if complete || failed == nil || failed.Class != chat.Transport {
			t.Fatalf("cut at %d: complete %v, error %v", i, complete, failed)
		}
	}
	whole, _, _ := collect(t, bytes.NewReader(body))
	got, complete, failed := collect(t, bytes.NewReader(body[:done]))
	if !complete || failed != nil || !reflect.DeepEqual(got, whole) {
		t.Errorf("without the terminator: complete %v, error %v\n got %s\nwant %s", complete, failed, dialecttest.Indented(t, got), dialecttest.Indented(t, whole))
	}
}

func TestDecodeStreamFailures(t *testing.T) {
	start := `data: {"id":"a","choices":[{"index":0,"delta":{"content":"x"}}]}` + "\n\n"
	for name, c := range map[string]struct {
		in   string
		want chat.Error
	}{
		"error object":    {start + `data: {"error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}`, chat.Error{Status: 502, Code: "502", Message: "Provider disconnected"}},
		"error event":     {start + "event: error\ndata: " + `{"error":{"message":"m","type":"t","code":"tool_use_failed","status_code":400}}`, chat.Error{Status: 400, Code: "tool_use_failed", Type: "t", Message: "m"}},
		"bare error":      {start + "event: error\ndata: " + `{"message":"m"}`, chat.Error{Message: "m"}},
		"error in choice": {start + `data: {"choices":[{"index":0,"error":{"code":"500","message":"m"}}]}`, chat.Error{Status: 500, Code: "500", Message: "m"}},
		"object error":    {`data: {"object":"error","message":"m","code":"1"}`, chat.Error{Code: "1", Message: "m"}},
		"finish error":    {start + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}`, chat.Error{Class: chat.Transport, Code: "error", Message: "the provider ended the answer with an error"}},
		"no resources":    {start + `data: {"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}`, chat.Error{Class: chat.Overloaded, Code: "insufficient_system_resource", Message: "the provider ran out of resources"}},
		"garbage":         {start + "data: <html>", chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		"half a chunk":    {start + `data: {"choices":[{"ind`, chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		"no object":       {start + "data: 7", chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		"nothing":         {"", chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}},
		"no reason":       {start + `data: {"choices":[{"index":1,"delta":{"content":"y"},"finish_reason":"stop"}]}` + "\n\n", chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}},
		"no choices":      {"data: {\"id\":\"a\"}\n\ndata: [DONE]\n\n", chat.Error{Class: chat.Transport, Message: "the provider's answer has no choices"}},
	} {
		_, complete, failed := collect(t, strings.NewReader(c.in))
		if complete || failed == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		failed.Cause = nil
		if *failed != c.want {
			t.Errorf("%s: got %+v, want %+v", name, *failed, c.want)
		}
	}
}

func TestDecodeWholeFailures(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want chat.Error
	}{
		"error":            {` {"error":{"code":429,"message":"slow"}}`, chat.Error{Status: 429, Code: "429", Message: "slow"}},
		"and choices":      {`{"error":{"code":"x","message":"m"},"choices":[{"message":{"content":"y"}}]}`, chat.Error{Code: "x", Message: "m"}},
		"mistral":          {`{"object":"error","message":"m","type":"t","code":"1"}`, chat.Error{Code: "1", Type: "t", Message: "m"}},
		"detail":           {`{"detail":"d"}`, chat.Error{Message: "d"}},
		"choice":           {`{"choices":[{"error":{"message":"m"},"message":{}}]}`, chat.Error{Message: "m"}},
		"no choices":       {`{"id":"x"}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has no choices"}},
		"empty choices":    {`{"choices":[]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has no choices"}},
		"resources":        {`{"choices":[{"finish_reason":"insufficient_system_resource","message":{}}]}`, chat.Error{Class: chat.Overloaded, Code: "insufficient_system_resource", Message: "the provider ran out of resources"}},
		"not JSON":         {`upstream connect error`, chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON"}},
		"empty":            {"\n\n", chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON"}},
		"cut":              {`{"choices":[{"message":{"content":"x"`, chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON"}},
		"null is no error": {`{"error":null}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has no choices"}},
	} {
		_, err := openai.Client{}.DecodeResponse([]byte(c.in))
		var failed *chat.Error
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		failed.Cause = nil
		if *failed != c.want {
			t.Errorf("%s: got %+v, want %+v", name, *failed, c.want)
		}
	}
}

// An empty error is no error, in whole answers, chunks, choices and lists of vectors.
func TestEmptyErrors(t *testing.T) {
	for _, nothing := range []string{`{}`, `""`, `false`, `null`, `[]`, `0`, `{"message":"","code":null,"details":[]}`} {
		for _, in := range []string{
			`{"error":` + nothing + `,"choices":[{"message":{"content":"y"},"delta":{"content":"y"}}]}`,
			`{"choices":[{"error":` + nothing + `,"message":{"content":"y"},"delta":{"content":"y"}}]}`,
		} {
			resp, err := openai.Client{}.DecodeResponse([]byte(in))
			if err != nil || resp.Choices[0].Message.Parts[0].Text != "y" {
				t.Errorf("%s: %v", in, err)
			}
			resp, complete, failed := collect(t, strings.NewReader("data: "+in+"\n\ndata: [DONE]\n\n"))
			if !complete || resp.Choices[0].Message.Parts[0].Text != "y" {
				t.Errorf("%s: %v", in, failed)
			}
		}
		if _, err := (openai.Client{}).DecodeEmbedding([]byte(`{"error":`+nothing+`,"data":[{"embedding":[1]}]}`), 1); err != nil {
			t.Errorf("%s: %v", nothing, err)
		}
		// The words are looked for elsewhere.
		if failed := (openai.Client{}).DecodeError([]byte(`{"error":` + nothing + `,"message":"m"}`)); failed.Message != "m" {
			t.Errorf("%s: %+v", nothing, failed)
		}
	}
	for _, something := range []string{`true`, `"m"`, `{"code":1}`, `7`, `[{"message":"m"}]`} {
		if _, err := (openai.Client{}).DecodeResponse([]byte(`{"error":` + something + `,"choices":[{"message":{"content":"y"}}]}`)); err == nil {
			t.Errorf("%s is an error", something)
		}
	}
}

func TestDecodeError(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "error/*.json") {
		body := dialecttest.Read(t, name)
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, openai.Client{}.DecodeError(body)))
	}
	long := openai.Client{}.DecodeError([]byte(`{"error":{"message":"` + strings.Repeat("é", 5000) + `"}}`))
	if n := len(long.Message); n < 4000 || n > 4200 {
		t.Errorf("a message of %d bytes", n)
	}
}

func TestCost(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "0.00004025": 40250, "9.78e-05": 97800, "1": 1e9, "12.5": 12_500_000_000, "1e2": 100e9, "1.5E+1": 15e9,
		"0.0000000004": 0, "0.0000000005": 1, "0.00000000149999": 1, "0.0123456789": 12_345_679, "1e-10": 0, "5e-10": 1, "1e-400": 0,
		"0.1": 1e8, "0.3": 3e8, "9223372036.854775807": 9223372036854775807, `"0.25"`: 25e7, "0.0e5": 0, "0e999": 0,
	} {
		resp, err := openai.Client{}.DecodeResponse([]byte(`{"choices":[{}],"usage":{"cost":` + in + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if !resp.Usage.HasCost || resp.Usage.CostNanos != want {
			t.Errorf("%s: %+v, want %d", in, resp.Usage, want)
		}
	}
	for _, in := range []string{"-1", "9223372036.854775808", "1e999", "null", "true", `"x"`, `""`, `"1.2.3"`, `"."`, `"1e99999999999"`} {
		resp, err := openai.Client{}.DecodeResponse([]byte(`{"choices":[{}],"usage":{"cost":` + in + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Usage.HasCost {
			t.Errorf("%s became %d", in, resp.Usage.CostNanos)
		}
	}
}

// An answer that is cut into a delta for every part reads the same as the whole, as chat.Events and
// chat.Assembler promise.
func TestWholeEqualsStream(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "whole/*.json") {
		body, _ := os.ReadFile(name)
		whole, err := openai.Client{}.DecodeResponse(body)
		if err != nil {
			t.Fatal(err)
		}
		chunk := bytes.Replace(bytes.ReplaceAll(bytes.TrimSpace(body), []byte(`"message":{`), []byte(`"delta":{`)), []byte("\n"), nil, -1)
		streamed, complete, failed := collect(t, strings.NewReader("data: "+string(chunk)+"\n\ndata: [DONE]\n\n"))
		if !complete || failed != nil {
			t.Fatalf("%s: %v", name, failed)
		}
		if !reflect.DeepEqual(whole, streamed) && !strings.Contains(name, "odd") { // which has calls that only a whole answer tells apart
			t.Errorf("%s:\nwhole  %s\nstream %s", name, dialecttest.Indented(t, whole), dialecttest.Indented(t, streamed))
		}
	}
}

func FuzzStream(f *testing.F) {
	dialecttest.Collector(collect).Fuzz(f, func(t *testing.T, resp *chat.Response) {
		for _, c := range resp.Choices {
			if c.Finish == "" {
				t.Fatal("a choice without a finish reason")
			}
			for _, p := range c.Message.Parts {
				if p.Kind == chat.Call && (p.ToolCall.ID == "" || !p.ToolCall.Custom && strings.TrimSpace(p.ToolCall.Arguments) == "") {
					t.Fatalf("a call without id or arguments: %+v", p.ToolCall)
				}
			}
		}
	}, "event: error\ndata: {}\n\n")
}

func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"whole/*.json", "error/*.json"} {
		for _, name := range dialecttest.Inputs(f, pattern) {
			body := dialecttest.Read(f, name)
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		resp, err := openai.Client{}.DecodeResponse(body)
		if (resp == nil) == (err == nil) {
			t.Fatal("neither an answer nor an error, or both")
		}
		if resp != nil {
			if u := resp.Usage; u != nil && (u.Cached+u.CacheWrite > u.Input || u.Reasoning > u.Output || u.Input < 0 || u.CostNanos < 0) {
				t.Fatalf("impossible usage %+v", u)
			}
			again := chat.Assembler{}
			for _, ev := range chat.Events(resp) {
				again.Add(&ev)
			}
			if len(again.Response().Choices) != len(resp.Choices) {
				t.Fatal("choices are lost between Events and Assembler")
			}
		}
		if len(openai.Client{}.DecodeError(body).Message) > 5000 {
			t.Fatal("a message without end")
		}
	})
}
