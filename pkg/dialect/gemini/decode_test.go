package gemini_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// collect reads a stream to its end and folds it. Complete says whether EventEnd came; it
// fails the test if the events come in an order that package chat forbids.
func collect(t testing.TB, src io.Reader) (resp *chat.Response, complete bool, failed *chat.Error) {
	t.Helper()
	d := gemini.Client{}.NewStreamDecoder()
	r := sse.NewReader(src, 0)
	var all chat.Assembler
	var events []chat.Event
	over, n := false, 0
	for !over {
		name, data, err := r.Next()
		events = events[:0]
		if err != nil {
			events = d.Close(events)
		} else {
			events = d.Decode(events, name, data)
		}
		for i := range events {
			kind := events[i].Kind
			if over {
				t.Fatalf("an event of kind %d after the end", kind)
			}
			if first := n == 0; first != (kind == chat.EventStart) && kind != chat.EventError {
				t.Fatalf("event %d is of kind %d", n, kind)
			}
			n++
			over = kind == chat.EventEnd || kind == chat.EventError
			all.Add(&events[i])
		}
		if err != nil && !over {
			t.Fatal("Close gave no end")
		}
	}
	return all.Response(), all.Ended(), all.Err()
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestDecodeWhole(t *testing.T) {
	for _, name := range inputs(t, "whole/*.json") {
		body := read(t, name)
		resp, err := gemini.Client{}.DecodeResponse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden(t, strings.TrimSuffix(name, "json")+"golden", indented(t, resp))

		// The same in one event of a stream is the same.
		line := bytes.ReplaceAll(body, []byte("\n"), nil)
		streamed, complete, failed := collect(t, strings.NewReader("data: "+string(line)))
		if !complete || failed != nil || !reflect.DeepEqual(resp, streamed) {
			t.Errorf("%s: %v\nwhole  %s\nstream %s", name, failed, indented(t, resp), indented(t, streamed))
		}
	}
}

func TestDecodeStream(t *testing.T) {
	for _, name := range inputs(t, "stream/*.sse") {
		body := read(t, name)
		resp, complete, failed := collect(t, bytes.NewReader(body))
		if !complete || failed != nil {
			t.Errorf("%s: complete %v, error %v", name, complete, failed)
			continue
		}
		golden(t, strings.TrimSuffix(name, "sse")+"golden", indented(t, resp))

		crlf := bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))
		for form, in := range map[string][]byte{"LF": body, "CRLF": crlf} {
			for i := range in {
				got, complete, failed := collect(t, io.MultiReader(bytes.NewReader(in[:i]), bytes.NewReader(in[i:])))
				if !complete || failed != nil || !reflect.DeepEqual(got, resp) {
					t.Fatalf("%s, %s, split at %d: %v %v", name, form, i, got, failed)
				}
			}
		}
	}
}

// A stream that is cut before the chunk with the finish reason is no answer.
func TestDecodeStreamCut(t *testing.T) {
	body := read(t, "testdata/stream/thinking.sse")
	end := bytes.LastIndex(bytes.TrimSpace(body), []byte("\n")) // before the last chunk
	for i := range end {
		_, complete, failed := collect(t, bytes.NewReader(body[:i]))
		if complete || failed == nil || failed.Class != chat.Transport {
			t.Fatalf("cut at %d: complete %v, error %v", i, complete, failed)
		}
	}
}

// The state of a thought comes with its first piece, and the answer's signature apart.
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

// failures are answers that are none, by what they give.
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
		"error":           {`{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}`, chat.Error{Status: 503, Code: "503", Type: "UNAVAILABLE", Message: "m"}},
		"error in array":  {`[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]`, chat.Error{Status: 429, Code: "429", Type: "RESOURCE_EXHAUSTED", Message: "m"}},
		"malformed call":  {finish("MALFORMED_FUNCTION_CALL"), chat.Error{Class: chat.BadToolCall, Code: "MALFORMED_FUNCTION_CALL", Message: "the provider ended the answer with MALFORMED_FUNCTION_CALL"}},
		"unexpected call": {finish("UNEXPECTED_TOOL_CALL"), chat.Error{Class: chat.BadToolCall, Code: "UNEXPECTED_TOOL_CALL", Message: "the provider ended the answer with UNEXPECTED_TOOL_CALL"}},
		"no signature":    {finish("MISSING_THOUGHT_SIGNATURE"), chat.Error{Class: chat.BadRequest, Code: "MISSING_THOUGHT_SIGNATURE", Message: "the provider ended the answer with MISSING_THOUGHT_SIGNATURE"}},
		"malformed":       {finish("MALFORMED_RESPONSE"), chat.Error{Class: chat.Transport, Code: "MALFORMED_RESPONSE", Message: "the provider ended the answer with MALFORMED_RESPONSE"}},
		"pieces":          {`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]},"finishReason":"STOP"}]}`, chat.Error{Class: chat.Transport, Message: "the provider sends a call's arguments in pieces, which was not asked for"}},
		"no candidates":   {`{"responseId":"a"}`, chat.Error{Class: chat.Transport, Message: "the provider's answer has no candidates"}},
		"no object":       {`7`, chat.Error{Class: chat.Transport, Message: "the provider's answer is garbled"}},
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
	for _, name := range inputs(t, "error/*.json") {
		golden(t, strings.TrimSuffix(name, "json")+"golden", indented(t, gemini.Client{}.DecodeError(read(t, name))))
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

func FuzzStream(f *testing.F) {
	for _, name := range inputs(f, "stream/*.sse") {
		body := read(f, name)
		f.Add(body, uint16(len(body)/2))
	}
	f.Add([]byte("data: [{}]\n\n"), uint16(3))
	f.Fuzz(func(t *testing.T, body []byte, at uint16) {
		whole, complete, failed := collect(t, bytes.NewReader(body))
		if complete == (failed != nil) {
			t.Fatalf("complete %v, error %v", complete, failed)
		}
		i := int(at) % (len(body) + 1)
		split, complete2, failed2 := collect(t, io.MultiReader(bytes.NewReader(body[:i]), bytes.NewReader(body[i:])))
		if complete != complete2 || (failed == nil) != (failed2 == nil) || !reflect.DeepEqual(whole, split) {
			t.Fatal("a split changes the answer")
		}
		if complete {
			plausible(t, whole)
		}
	})
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
		for _, name := range inputs(f, pattern) {
			f.Add(read(f, name))
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
