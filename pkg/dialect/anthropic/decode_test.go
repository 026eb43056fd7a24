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

// Usage has what the totals leave out, and is marked where the cost does not follow from the counts.
func TestUsageBeyondTheTotals(t *testing.T) {
	for name, c := range map[string]struct {
		usage string
		want  chat.Usage
	}{
		"messages": {`{"input_tokens":30,"output_tokens":5,"iterations":[{"type":"message","input_tokens":10,"output_tokens":2},{"type":"message","input_tokens":20,"output_tokens":3}]}`,
			chat.Usage{Input: 30, Output: 5}},
		"none": {`{"input_tokens":30,"output_tokens":5,"iterations":null,"server_tool_use":{"web_search_requests":0,"web_fetch_requests":2}}`, chat.Usage{Input: 30, Output: 5}},
		// The example of the documentation.
		"long compaction": {`{"input_tokens":23000,"output_tokens":1000,"iterations":[{"type":"compaction","input_tokens":180000,"output_tokens":3500},{"type":"message","input_tokens":23000,"output_tokens":1000}]}`,
			chat.Usage{Input: 203000, Output: 4500, Estimated: true}},
		"compaction": {`{"input_tokens":3000,"cache_read_input_tokens":5,"output_tokens":1000,"iterations":[{"type":"compaction","input_tokens":80000,"cache_read_input_tokens":7,
			"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":3500}]}`,
			chat.Usage{Input: 83042, Cached: 12, CacheWrite: 10, CacheWrite1h: 20, Output: 4500}},
		"advisor": {`{"input_tokens":10,"output_tokens":2,"iterations":[{"type":"message","input_tokens":10,"output_tokens":2},{"type":"advisor_message","model":"claude-opus-5","input_tokens":100,"output_tokens":20}]}`,
			chat.Usage{Input: 110, Output: 22, Estimated: true}},
		"fallback": {`{"input_tokens":412,"output_tokens":264,"iterations":[{"type":"message","input_tokens":408,"output_tokens":0},{"type":"fallback_message","input_tokens":412,"output_tokens":264}]}`,
			chat.Usage{Input: 412, Output: 264, Estimated: true}},
		"web search":     {`{"input_tokens":30,"output_tokens":5,"server_tool_use":{"web_search_requests":1,"web_fetch_requests":0}}`, chat.Usage{Input: 30, Output: 5, WebSearches: 1}},
		"code execution": {`{"input_tokens":30,"output_tokens":5,"server_tool_use":{"code_execution_requests":1}}`, chat.Usage{Input: 30, Output: 5, Estimated: true}},
		"fast":           {`{"input_tokens":30,"output_tokens":5,"speed":"fast","service_tier":"standard"}`, chat.Usage{Input: 30, Output: 5, Tier: "fast"}},
		"standard speed": {`{"input_tokens":30,"output_tokens":5,"speed":"standard","inference_geo":"not_available"}`, chat.Usage{Input: 30, Output: 5}},
		"in the US":      {`{"input_tokens":30,"output_tokens":5,"inference_geo":"us"}`, chat.Usage{Input: 30, Output: 5, Percent: 110}},
		"elsewhere":      {`{"input_tokens":30,"output_tokens":5,"inference_geo":"moon"}`, chat.Usage{Input: 30, Output: 5, Estimated: true}},
		"unknown":        {`{"input_tokens":30,"output_tokens":5,"hologram_tokens":1}`, chat.Usage{Input: 30, Output: 5, Estimated: true}},
		"nothing new":    {`{"input_tokens":30,"output_tokens":5,"hologram_tokens":0,"more":null,"output_tokens_details":{"thinking_tokens":0}}`, chat.Usage{Input: 30, Output: 5}},
	} {
		resp, err := anthropic.Client{}.DecodeResponse([]byte(`{"content":[],"usage":` + c.usage + `}`))
		if err != nil || *resp.Usage != c.want {
			t.Errorf("%s: %+v, want %+v, %v", name, resp.Usage, c.want, err)
		}
		usage := strings.ReplaceAll(c.usage, "\n", "")
		streamed, _, _ := collect(t, strings.NewReader(`data: {"type":"message_start","message":{"usage":{"input_tokens":7,"output_tokens":1}}}`+"\n\n"+
			`data: {"type":"message_delta","usage":`+usage+"}\n\n"+`data: {"type":"message_delta","usage":`+usage+"}\n\n"+`data: {"type":"message_stop"}`+"\n\n"))
		if *streamed.Usage != c.want {
			t.Errorf("%s, streamed: %+v, want %+v", name, streamed.Usage, c.want)
		}
	}
}
