package body_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

func TestHalves(t *testing.T) {
	for _, c := range []struct{ events, want []string }{
		{[]string{`{"delta":"a\ud83d"}`, `{"delta":"\ude00b"}`}, []string{`{"delta":"a"}`, `{"delta":"\ud83d\ude00b"}`}},
		{[]string{`{"delta":{"text":"\uD83D"}, "x":"\ud83d"}`, `{"type":"ping"}`, `{"delta":{"text":"\uDE00"}, "x":"\ude01"}`},
			[]string{`{"delta":{"text":""}, "x":""}`, `{"type":"ping"}`, `{"delta":{"text":"\uD83D\uDE00"}, "x":"\ud83d\ude01"}`}},
		{[]string{`{"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}`, `{"choices":[{"index":1,"delta":{"content":"x"}}]}`, `{"choices":[{"index":0,"delta":{"content":"\ude00"}}]}`},
			[]string{`{"choices":[{"index":0,"delta":{"content":""}}]}`, `{"choices":[{"index":1,"delta":{"content":"x"}}]}`, `{"choices":[{"index":0,"delta":{"content":"\ud83d\ude00"}}]}`}},
		{[]string{`{"a":"\ud83d"}`, `{"a":""}`, `{"a":"b"}`}, []string{`{"a":""}`, `{"a":""}`, `{"a":"\ud83db"}`}}, // it has no other half
		{[]string{`{"a":"\ud83d\ude00"}`, `{"a":"\\ud83d"}`, `{"a":"\\\\ud83d"}`, `{"a":"\ude00"}`, `{"a":"\ude00\ud83d"}`, `{"a":"\ude00"}`},
			[]string{`{"a":"\ud83d\ude00"}`, `{"a":"\\ud83d"}`, `{"a":"\\\\ud83d"}`, `{"a":"\ude00"}`, `{"a":"\ude00"}`, `{"a":"\ud83d\ude00"}`}},
		{[]string{`{"a":"\\\ud83d"}`, `{"a":"\ude00"}`}, []string{`{"a":"\\"}`, `{"a":"\ud83d\ude00"}`}},
		{[]string{`{"a":"\ud83d`, `"\`, `[DONE]`, `{"index":`}, []string{`{"a":"`, `"\`, `[DONE]`, `{"index":`}},
	} {
		var h body.Halves
		for i, ev := range c.events {
			if got := string(h.Join([]byte(ev))); got != c.want[i] {
				t.Errorf("%q, event %d: %s, want %s", c.events, i, got, c.want[i])
			}
		}
	}
}
