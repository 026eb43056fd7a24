package gemini_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// collect reads a stream to its end and folds it, see [dialecttest.Collect]. The start comes first, and once.
func collect(t testing.TB, src io.Reader) (resp *chat.Response, complete bool, failed *chat.Error) {
	t.Helper()
	n := 0
	return dialecttest.Collect(t, gemini.Client{}.NewStreamDecoder(), src, func(e *chat.Event) {
		if first := n == 0; first != (e.Kind == chat.EventStart) && e.Kind != chat.EventError {
			t.Fatalf("event %d is of kind %d", n, e.Kind)
		}
		n++
	})
}

func TestDecodeWhole(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "whole/*.json") {
		body := dialecttest.Read(t, name)
		resp, err := gemini.Client{}.DecodeResponse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, resp))

		// One event of a stream with the same content gives the same.
		line := bytes.ReplaceAll(body, []byte("\n"), nil)
		streamed, complete, failed := collect(t, strings.NewReader("data: "+string(line)))
		if !complete || failed != nil || !reflect.DeepEqual(resp, streamed) {
			t.Errorf("%s: %v\nwhole  %s\nstream %s", name, failed, dialecttest.Indented(t, resp), dialecttest.Indented(t, streamed))
		}
	}
}

func TestDecodeStream(t *testing.T) { dialecttest.Collector(collect).Streams(t) }

// A stream that ends before the chunk with the finish reason fails.
func TestDecodeStreamCut(t *testing.T) {
	body := dialecttest.Read(t, "testdata/stream/thinking.sse")
	end := bytes.LastIndex(bytes.TrimSpace(body), []byte("\n")) // before the last chunk
	for i := range end {
		_, complete, failed := collect(t, bytes.NewReader(body[:i]))
		if complete || failed == nil || failed.Class != chat.Transport {
			t.Fatalf("cut at %d: complete %v, error %v", i, complete, failed)
		}
	}
}

// The state of a thought comes with its first piece, the answer's signature in an event of its own.
func TestDecodeStreamSaysStateOnce(t *testing.T) {
	d := gemini.Client{}.NewStreamDecoder()
	piece := []byte(`{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]}}]}`)
	events := d.Decode(nil, "", piece)
	if last := events[len(events)-1]; last.Kind != chat.EventReason || last.State == nil || *last.State != (chat.ReasoningState{Format: gemini.Format, Summary: true}) {
		t.Errorf("%+v", last)
	}
	if events = d.Decode(nil, "", piece); len(events) != 1 || events[0].State != nil || events[0].Text != "a" {
		t.Errorf("%+v", events)
	}
	events = d.Decode(nil, "", []byte(`{"candidates":[{"content":{"parts":[{"text":"b","thoughtSignature":"c2ln"}]}}]}`))
	if len(events) != 2 || events[1].Text != "" || *events[1].State != (chat.ReasoningState{Format: gemini.Format, Signature: "c2ln"}) {
		t.Errorf("%+v", events)
	}
	if events = d.Decode(nil, "", piece); len(events) != 1 || events[0].State == nil {
		t.Errorf("%+v", events)
	}
}

const begun = `{"candidates":[{"content":{"parts":[{"text":"x"}]},"index":0}],"responseId":"a"}`

// failures are failed answers and the errors that they give.
func failures() map[string]struct {
	in   string
	want chat.Error
} {
	type row = struct {
		in   string
		want chat.Error
	}
	finish := func(reason string) string {
		return `{"candidates":[{"content":{},"finishReason":"` + reason + `","finishMessage":"secret words","index":0}]}`
	}
	return map[string]row{
		"error":                {`{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}`, chat.Error{Status: 503, Code: "503", Type: "UNAVAILABLE", Message: "m"}},
		"error in array":       {`[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]`, chat.Error{Status: 429, Code: "429", Type: "RESOURCE_EXHAUSTED", Message: "m"}},
		"malformed call":       {finish("MALFORMED_FUNCTION_CALL"), chat.Error{Class: chat.BadToolCall, Code: "MALFORMED_FUNCTION_CALL", Message: "the provider ended the answer with MALFORMED_FUNCTION_CALL"}},
		"unexpected call":      {finish("UNEXPECTED_TOOL_CALL"), chat.Error{Class: chat.BadToolCall, Code: "UNEXPECTED_TOOL_CALL", Message: "the provider ended the answer with UNEXPECTED_TOOL_CALL"}},
		"no signature":         {finish("MISSING_THOUGHT_SIGNATURE"), chat.Error{Class: chat.BadRequest, Code: "MISSING_THOUGHT_SIGNATURE", Message: "the provider ended the answer with MISSING_THOUGHT_SIGNATURE"}},
		"malformed":            {finish("MALFORMED_RESPONSE"), chat.Error{Class: chat.Transport, Code: "MALFORMED_RESPONSE", Message: "the provider ended the answer with MALFORMED_RESPONSE"}},
		"pieces of nothing":    {`{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a piece of all":       {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a piece of no path":   {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"a","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a piece of no name":   {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$..a","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a piece that is open": {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$['a","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a piece far off":      {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a[1]","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a piece below none":   {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a[-1]","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"a deep piece":         {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a","boolValue":true}]}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}},
		"no candidates":        {`{"responseId":"a"}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has no candidates"}},
		"no object":            {`7`, chat.Error{Class: chat.Transport, Message: "the provider's answer is garbled"}},
	}
}

func TestDecodeFailures(t *testing.T) {
	for name, c := range failures() {
		_, err := gemini.Client{}.DecodeResponse([]byte(c.in))
		_, complete, failed := collect(t, strings.NewReader("data: "+c.in+"\n\n"))
		var whole *chat.Error
		if !errors.As(err, &whole) || complete || failed == nil {
			t.Errorf("%s: %v, %v", name, err, failed)
			continue
		}
		if *whole != c.want || *failed != c.want {
			t.Errorf("%s: got %+v and %+v, want %+v", name, *whole, *failed, c.want)
		}
	}
	for in, want := range map[string]string{"": "not JSON", "\n\n": "not JSON", "upstream connect error": "not JSON", begun[:20]: "not JSON", "[]": "no candidates", `{"error":null}`: "no candidates"} {
		if _, err := (gemini.Client{}).DecodeResponse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", in, err)
		}
	}
	for in, want := range map[string]string{
		"": "no candidates", "data: " + begun + "\n\n": "before the answer was complete", "data: " + begun + "\n\ndata: <html>": "garbled", "data: " + begun + "\n\ndata: " + begun[:20]: "garbled",
	} {
		if _, complete, failed := collect(t, strings.NewReader(in)); complete || failed.Class != chat.Transport || !strings.Contains(failed.Message, want) {
			t.Errorf("%q: %v", in, failed)
		}
	}
}

func TestDecodeError(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "error/*.json") {
		dialecttest.Golden(t, strings.TrimSuffix(name, "json")+"golden", dialecttest.Indented(t, gemini.Client{}.DecodeError(dialecttest.Read(t, name))))
	}
	long := gemini.Client{}.DecodeError([]byte(`{"error":{"message":"` + strings.Repeat("é", 5000) + `"}}`))
	if n := len(long.Message); n < 4000 || n > 4200 {
		t.Errorf("a message of %d bytes", n)
	}
}

func TestUsage(t *testing.T) {
	for in, want := range map[string]chat.Usage{
		`{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}`:                                                                                                                     {Input: 10, Output: 5},
		`{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":3,"totalTokenCount":18}`:                                                                                              {Input: 10, Output: 8, Reasoning: 3},
		`{"promptTokenCount":10,"thoughtsTokenCount":3,"totalTokenCount":13}`:                                                                                                                       {Input: 10, Output: 3, Reasoning: 3},
		`{"promptTokenCount":10,"thoughtsTokenCount":3,"totalTokenCount":20}`:                                                                                                                       {Input: 10, Output: 10, Reasoning: 3},
		`{"promptTokenCount":10,"toolUsePromptTokenCount":4,"cachedContentTokenCount":8,"candidatesTokenCount":1}`:                                                                                  {Input: 14, Cached: 8, Output: 1},
		`{"promptTokenCount":10,"responseTokenCount":5,"responseTokensDetails":[{"modality":"AUDIO","tokenCount":5}]}`:                                                                              {Input: 10, Output: 5, OutputAudio: 5},
		`{"promptTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":6},{"modality":"TEXT","tokenCount":4}],"toolUsePromptTokensDetails":[{"modality":"AUDIO","tokenCount":1}]}`: {Input: 10, InputAudio: 7},
		`{"promptTokenCount":-1,"cachedContentTokenCount":5}`:                                                                                                                                       {},
	} {
		resp, err := gemini.Client{}.DecodeResponse([]byte(`{"candidates":[{}],"usageMetadata":` + in + `}`))
		if err != nil {
			t.Fatal(err)
		}
		got := chat.Usage{}
		if resp.Usage != nil {
			got = *resp.Usage
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", in, got, want)
		}
	}
}

// The cost of a web search does not follow from the tokens: usage is estimated, wherever the search is reported.
func TestUsageBesideSearch(t *testing.T) {
	const counted = `"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}`
	const ground = `"groundingMetadata":{"webSearchQueries":["x"]}`
	for in, want := range map[string]bool{
		`{"candidates":[{"finishReason":"STOP"}],` + counted + `}`:                                                                  false,
		`{"candidates":[{"finishReason":"STOP","groundingMetadata":{}}],` + counted + `}`:                                           false,
		`{"candidates":[{"finishReason":"STOP",` + ground + `}],` + counted + `}`:                                                   true,
		`{"candidates":[{` + ground + `}],` + counted + "}\n\ndata: " + `{"candidates":[{"finishReason":"STOP"}],` + counted + `}`:  true,
		`{"candidates":[{}],` + counted + "}\n\ndata: " + `{"candidates":[{"finishReason":"STOP",` + ground + `}],` + counted + `}`: true,
		`{"candidates":[{}],` + counted + "}\n\ndata: " + `{"candidates":[{"finishReason":"STOP",` + ground + `}]}`:                 true,
	} {
		resp, complete, failed := collect(t, strings.NewReader("data: "+in+"\n\n"))
		if !complete || resp.Usage == nil || *resp.Usage != (chat.Usage{Input: 3, Output: 1, Estimated: want}) {
			t.Errorf("%s: %v %+v", in, failed, resp.Usage)
		}
	}
}

func FuzzStream(f *testing.F) {
	dialecttest.Collector(collect).Fuzz(f, plausible, "data: [{}]\n\n")
}

// plausible checks what every answer must be.
func plausible(t *testing.T, resp *chat.Response) {
	t.Helper()
	for _, c := range resp.Choices {
		if c.Finish == "" {
			t.Fatal("a choice without a finish reason")
		}
		for _, p := range c.Message.Parts {
			if p.Kind == chat.Call && (p.ToolCall.ID == "" || !strings.HasPrefix(p.ToolCall.Arguments, "{")) {
				t.Fatalf("a call without id or arguments: %+v", p.ToolCall)
			}
		}
	}
	if u := resp.Usage; u != nil && (u.Cached > u.Input || u.InputAudio > u.Input || u.Reasoning > u.Output || u.OutputAudio > u.Output || u.Input < 0) {
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
		resp, err := gemini.Client{}.DecodeResponse(body)
		if (resp == nil) == (err == nil) {
			t.Fatal("neither an answer nor an error, or both")
		}
		if resp != nil {
			plausible(t, resp)
		}
		if len(gemini.Client{}.DecodeError(body).Message) > 5000 {
			t.Fatal("a message without end")
		}
	})
}
