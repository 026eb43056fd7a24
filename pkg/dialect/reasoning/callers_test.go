package reasoning_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// A caller of each dialect returns an envelope, of any version, where the dialect had put it.
func TestDialectsReadTheEnvelopesOfTheirCallers(t *testing.T) {
	data, err := os.ReadFile("testdata/envelopes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]struct {
		server interface {
			DecodeRequest([]byte) (*chat.Request, dialect.Route, error)
		}
		request string
	}{
		"anthropic": {new(anthropic.Server), `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[
			{"type":"thinking","thinking":"t","signature":$},{"type":"tool_use","id":"call_1","name":"f","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"r"}]}]}`},
		"gemini": {gemini.NewServer("m", gemini.Whole), `{"contents":[{"role":"user","parts":[{"text":"q"}]},
			{"role":"model","parts":[{"text":"t","thought":true,"thoughtSignature":$}]},{"role":"user","parts":[{"text":"r"}]}]}`},
		"responses": {new(responses.Server), `{"model":"m","input":[{"role":"user","content":"q"},
			{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"t"}],"encrypted_content":$},
			{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":"r"}]}`},
	}
	for line := range bytes.Lines(data) {
		var v struct {
			Name, Text string
			Envelope   reasoning.Envelope
		}
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		for name, place := range places {
			if !strings.HasPrefix(v.Name, name) && !strings.HasPrefix(v.Name, "version 2") {
				continue
			}
			text, _ := json.Marshal(v.Text)
			req, _, err := place.server.DecodeRequest([]byte(strings.Replace(place.request, "$", string(text), 1)))
			if err != nil {
				t.Fatalf("%s: %s: %v", name, v.Name, err)
			}
			if v.Envelope.Call != "" && name != "gemini" { // Gemini has a place for them in the call
				if got := signatures(req); got != v.Envelope.State.Signature {
					t.Errorf("%s: %s: the call's signature is %q", name, v.Name, got)
				}
			} else if got := states(req); got != v.Envelope.State {
				t.Errorf("%s: %s: got %+v", name, v.Name, got)
			}
		}
	}
}

// states puts together the states of all reasoning in the request.
func states(req *chat.Request) (all chat.ReasoningState) {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.State != nil {
				all.Merge(p.State)
			}
		}
	}
	return all
}

// signatures puts together those of all calls in the request.
func signatures(req *chat.Request) (all string) {
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.ToolCall != nil {
				all += p.ToolCall.Signature
			}
		}
	}
	return all
}
