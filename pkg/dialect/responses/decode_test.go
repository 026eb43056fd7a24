package responses_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

func TestDecodeWhole(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "whole/*.json") {
		data := dialecttest.Read(t, name)
		got, err := responses.Client{}.DecodeResponse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		dialecttest.Golden(t, strings.TrimSuffix(name, ".json")+".golden", dialecttest.Indented(t, got))
	}
}

// halves returns a stream's bytes in two pieces.
type halves struct {
	data []byte
	at   int
}

func (h *halves) Read(p []byte) (int, error) {
	n := copy(p, h.data[:h.at])
	if h.at == 0 {
		n = copy(p, h.data)
		h.at = len(h.data)
	}
	h.data, h.at = h.data[n:], h.at-n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestDecodeStream reads each stream cut at every byte.
func TestDecodeStream(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "stream/*.sse") {
		data := dialecttest.Read(t, name)
		whole := readStream(t, sse.NewReader(bytes.NewReader(data), 0))
		if whole.Err() != nil {
			t.Fatalf("%s: %v", name, whole.Err())
		}
		want := whole.Response()
		dialecttest.Golden(t, strings.TrimSuffix(name, ".sse")+".golden", dialecttest.Indented(t, want))
		for at := range len(data) {
			got := readStream(t, sse.NewReader(&halves{data, at}, 0))
			if !reflect.DeepEqual(got.Response(), want) {
				t.Fatalf("%s, cut at %d:\n%s", name, at, dialecttest.Indented(t, got.Response()))
			}
		}
	}
}

// TestStreamIsWhole: an answer is the same however much of it was streamed before its end.
func TestStreamIsWhole(t *testing.T) {
	for stream, whole := range map[string]string{"everything": "everything", "only-done": "everything", "only-completed": "everything", "not-done": "everything", "refusal": "refusal"} {
		data := dialecttest.Read(t, "testdata/whole/"+whole+".json")
		want, err := responses.Client{}.DecodeResponse(data)
		if err != nil {
			t.Fatal(err)
		}
		data = dialecttest.Read(t, "testdata/stream/"+stream+".sse")
		if got := readStream(t, sse.NewReader(bytes.NewReader(data), 0)).Response(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", stream, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
		}
	}
}

func TestDecodeFailures(t *testing.T) {
	const (
		broken = "the provider did not finish the answer"
		early  = "the provider's stream ended before the answer was complete"
		begun  = `{"type":"response.created","response":{"id":"r"}}` + "\n" + `{"type":"response.output_text.delta","delta":"a"}` + "\n"
	)
	for _, c := range []struct {
		whole, stream string // the one or the other; each line of a stream is the data of an event
		want          chat.Error
	}{
		{whole: `<html>`, want: chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON"}},
		{whole: `{}`, want: chat.Error{Class: chat.Transport, Message: "the provider's answer has no output"}},
		{whole: `{"detail":"busy"}`, want: chat.Error{Message: "busy"}},
		{whole: `{"error":{"message":"m","type":"t","code":"c","param":"p"}}`, want: chat.Error{Message: "m", Type: "t", Code: "c", Param: "p"}},
		{whole: `{"status":"failed","error":{"code":"server_error","message":"m"},"output":[]}`, want: chat.Error{Message: "m", Code: "server_error"}},
		{whole: `{"status":"failed","error":null,"output":[]}`, want: chat.Error{Message: broken}},
		{whole: `{"status":"cancelled","output":[]}`, want: chat.Error{Message: broken}},
		{stream: begun + `{`, want: chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		{stream: begun + `7`, want: chat.Error{Class: chat.Transport, Message: "the provider's stream is garbled"}},
		{stream: begun, want: chat.Error{Class: chat.Transport, Message: early}},
		{stream: begun + `[DONE]`, want: chat.Error{Class: chat.Transport, Message: early}},
		{stream: `{"type":"error","code":"c","message":"m","param":null}`, want: chat.Error{Message: "m", Code: "c"}},
		{stream: begun + `{"type":"error","error":{"type":"t","code":"c","message":"m","param":"p"}}`, want: chat.Error{Message: "m", Type: "t", Code: "c", Param: "p"}},
		{stream: begun + `{"type":"error"}`, want: chat.Error{Message: "the provider ended the answer with an error"}},
		{stream: `{"error":{"message":"m"}}`, want: chat.Error{Message: "m"}},
		{stream: begun + `{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"m"}}}`, want: chat.Error{Message: "m", Code: "rate_limit_exceeded"}},
		{stream: begun + `{"type":"response.failed","response":{}}`, want: chat.Error{Message: "the provider ended the answer with an error"}},
	} {
		var got *chat.Error
		if c.whole != "" {
			_, err := responses.Client{}.DecodeResponse([]byte(c.whole))
			if !errors.As(err, &got) {
				t.Errorf("%s: %v", c.whole, err)
				continue
			}
		} else {
			stream := "data: " + strings.ReplaceAll(c.stream, "\n", "\n\ndata: ")
			if got = readStream(t, sse.NewReader(strings.NewReader(stream), 0)).Err(); got == nil {
				t.Errorf("%s: no error", c.stream)
				continue
			}
		}
		cause := got.Cause
		if got.Cause = nil; *got != c.want || cause != nil && c.want.Class != chat.Transport {
			t.Errorf("%s%s:\n got %+v\nwant %+v", c.whole, c.stream, *got, c.want)
		}
	}
}

// FuzzDecode: for all input the decoders end, and a stream in other pieces gives the same.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"whole/*.json", "stream/*.sse"} {
		for _, name := range dialecttest.Inputs(f, pattern) {
			data := dialecttest.Read(f, name)
			f.Add(data, uint16(len(data)/2))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint16) {
		resp, err := responses.Client{}.DecodeResponse(data)
		if (resp == nil) == (err == nil) {
			t.Fatalf("%v %v", resp, err)
		}
		responses.Client{}.DecodeError(data)
		whole := readStream(t, sse.NewReader(bytes.NewReader(data), 0))
		if int(at) < len(data) {
			if cut := readStream(t, sse.NewReader(&halves{data, int(at)}, 0)); !reflect.DeepEqual(cut.Response(), whole.Response()) {
				t.Fatalf("\n%s\n%s", dialecttest.Indented(t, cut.Response()), dialecttest.Indented(t, whole.Response()))
			}
		}
	})
}
