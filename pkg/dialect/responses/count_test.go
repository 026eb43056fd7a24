package responses_test

import (
	"encoding/json"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

func TestEncodeCount(t *testing.T) {
	enc, err := responses.Client{}.EncodeCount(everything())
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(enc.Body, &members); err != nil || enc.Path != "/responses/input_tokens" {
		t.Fatalf("%v %s", err, enc.Path)
	}
	// Those of TokenCountsBody; it has no others.
	for _, name := range []string{"model", "input", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning"} {
		if _, ok := members[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(members, name)
	}
	if len(members) > 0 {
		t.Errorf("too much: %s", enc.Body)
	}
	for in, want := range map[string]int64{`{"object":"response.input_tokens","input_tokens":43}`: 43, `{"input_tokens":0}`: 0,
		`{"input_tokens":-1}`: -1, `{"input_tokens":"43"}`: -1, `{}`: -1, `<html>`: -1, `{"error":{"message":"m"},"input_tokens":3}`: -1} {
		n, err := responses.Client{}.DecodeCount([]byte(in))
		if (err == nil) != (want >= 0) || err == nil && n != want {
			t.Errorf("%s: %d, %v", in, n, err)
		}
	}
}
