package anthropic_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

// collect reads a stream to its end and folds it, see [dialecttest.Collect]. After the finish comes the end.
func collect(t testing.TB, src io.Reader) (resp *chat.Response, complete bool, failed *chat.Error) {
	t.Helper()
	finished := false
	return dialecttest.Collect(t, anthropic.Client{}.NewStreamDecoder(), src, func(e *chat.Event) {
		if finished && e.Kind != chat.EventEnd {
			t.Fatalf("an event of kind %d after the finish", e.Kind)
		}
		finished = e.Kind == chat.EventFinish
	})
}

func TestDecodeWhole(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "whole/*.json") {
		body := dialecttest.Read(t, name)
		resp, err := anthropic.Client{}.DecodeResponse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, resp))
	}
}

func TestDecodeStream(t *testing.T) { dialecttest.Collector(collect).Streams(t) }

// The same answer, whole and streamed, is the same.
func TestWholeEqualsStream(t *testing.T) {
	whole, err := anthropic.Client{}.DecodeResponse(dialecttest.Read(t, "testdata/whole/rich.json"))
	if err != nil {
		t.Fatal(err)
	}
	streamed, _, _ := collect(t, bytes.NewReader(dialecttest.Read(t, "testdata/stream/rich.sse")))
	streamed.ID, streamed.Model = whole.ID, whole.Model
	if !reflect.DeepEqual(whole, streamed) {
		t.Errorf("whole  %s\nstream %s", dialecttest.Indented(t, whole), dialecttest.Indented(t, streamed))
	}
}

// A stream that is cut anywhere before its last event is no answer, but what it has used so far is known.
func TestDecodeStreamCut(t *testing.T) {
	body := dialecttest.Read(t, "testdata/stream/rich.sse")
	end := bytes.LastIndex(body, []byte(`"message_stop"}`)) + len(`"message_stop"}`)
	for i := range end {
		resp, complete, failed := collect(t, bytes.NewReader(body[:i]))
		if complete || failed == nil || failed.Class != chat.Transport {
			t.Fatalf("cut at %d: complete %v, error %v", i, complete, failed)
		}
		if len(resp.Choices) > 0 && (resp.Usage == nil || resp.Usage.Input != 630) {
			t.Fatalf("cut at %d: usage %+v", i, resp.Usage)
		}
	}
}

func TestDecodeStreamFailures(t *testing.T) {
	start := `data: {"type":"message_start","message":{"id":"m"}}` + "\n\n"
	said := start + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}` + "\n\n"
	for name, c := range map[string]struct {
		in   string
		want chat.Error
	}{
		"error event":      {said + "event: error\ndata: " + `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"}`, chat.Error{Type: "overloaded_error", Message: "Overloaded"}},
		"error unnamed":    {`data: {"type":"error","error":{"type":"api_error","message":"m"}}`, chat.Error{Type: "api_error", Message: "m"}},
		"error of a proxy": {start + `data: {"error":{"message":"m","code":502}}`, chat.Error{Status: 502, Code: "502", Message: "m"}},
		"error named":      {start + "event: error\ndata: {\"message\":\"m\"}", chat.Error{Message: "m"}},
		"second answer":    {said + start, chat.Error{Class: chat.Transport, Message: "the provider's stream began a second answer"}},
		"garbage":          {said + "data: <html>", chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		"half an event":    {said + `data: {"type":"mess`, chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		"no object":        {said + "data: 7", chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		"nothing":          {"", chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}},
		"no start":         {`data: {"type":"message_stop"}`, chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}},
		"no stop":          {said + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}`, chat.Error{Class: chat.Transport, Message: "the provider's stream ended before the answer was complete"}},
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
	for in, want := range map[string]chat.Error{
		`{"type":"error","error":{"type":"overloaded_error","message":"m"}}`: {Type: "overloaded_error", Message: "m"},
		`{"error":"m","content":[]}`:                                         {Message: "m"},
		`{"id":"x"}`:                                                         {Class: chat.Transport, Message: "the provider's answer has no content"},
		`upstream connect error`:                                             {Class: chat.Transport, Message: "the provider's answer is not JSON"},
		``:                                                                   {Class: chat.Transport, Message: "the provider's answer is not JSON"},
		`{"content":[{"type":"text",`:                                        {Class: chat.Transport, Message: "the provider's answer is not JSON"},
	} {
		_, err := anthropic.Client{}.DecodeResponse([]byte(in))
		var failed *chat.Error
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v", in, err)
			continue
		}
		failed.Cause = nil
		if *failed != want {
			t.Errorf("%s: got %+v, want %+v", in, *failed, want)
		}
	}
}

func TestDecodeFinish(t *testing.T) {
	for reason, want := range map[string]chat.FinishReason{
		"end_turn": chat.FinishStop, "stop_sequence": chat.FinishStop, "pause_turn": chat.FinishStop, "tool_use": chat.FinishToolCalls, "unheard_of": chat.FinishStop,
		"max_tokens": chat.FinishLength, "model_context_window_exceeded": chat.FinishLength, "refusal": chat.FinishContentFilter, "": chat.FinishStop,
	} {
		resp, err := anthropic.Client{}.DecodeResponse([]byte(`{"content":[{"type":"text","text":"x"}],"stop_reason":"` + reason + `"}`))
		if err != nil || resp.Choices[0].Finish != want {
			t.Errorf("%s: %v %v", reason, resp, err)
		}
	}
}

func TestDecodeError(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "error/*.json") {
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, anthropic.Client{}.DecodeError(dialecttest.Read(t, name))))
	}
	long := anthropic.Client{}.DecodeError([]byte(`{"error":{"message":"` + strings.Repeat("é", 5000) + `"}}`))
	if n := len(long.Message); n < 4000 || n > 4200 {
		t.Errorf("a message of %d bytes", n)
	}
}

func FuzzStream(f *testing.F) {
	dialecttest.Collector(collect).Fuzz(f, checkAnswer, "event: error\ndata: {}\n\n")
}

func checkAnswer(t *testing.T, resp *chat.Response) {
	t.Helper()
	for _, c := range resp.Choices {
		if c.Finish == "" {
			t.Fatal("a choice without a finish reason")
		}
		for _, p := range c.Message.Parts {
			if p.Kind == chat.Call && (p.ToolCall.ID == "" || strings.TrimSpace(p.ToolCall.Arguments) == "") {
				t.Fatalf("a call without id or arguments: %+v", p.ToolCall)
			}
		}
	}
	if u := resp.Usage; u != nil && (u.Cached+u.CacheWrite+u.CacheWrite1h > u.Input || u.Reasoning > u.Output || u.Input < 0 || u.CacheWrite < 0) {
		t.Fatalf("impossible usage %+v", u)
	}
}

func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"whole/*.json", "error/*.json"} {
		for _, name := range dialecttest.Inputs(f, pattern) {
			f.Add(dialecttest.Read(f, name))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		resp, err := anthropic.Client{}.DecodeResponse(body)
		if (resp == nil) == (err == nil) {
			t.Fatal("neither an answer nor an error, or both")
		}
		if resp != nil {
			checkAnswer(t, resp)
		}
		if (anthropic.Client{}).DecodeError(body) == nil {
			t.Fatal("no error")
		}
	})
}
