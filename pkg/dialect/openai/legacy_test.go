package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

func legacy() dialect.Server { return openai.NewLegacyDialect().Endpoints[0].Chat("") }

func TestLegacyRequests(t *testing.T) {
	req, _, err := legacy().DecodeRequest([]byte(`{"model":"m","prompt":["Say \"hi\""],"max_tokens":7,"temperature":0.5,"n":2,"stop":["x"],"seed":3,"stream":true,
		"stream_options":{"include_usage":true},"echo":false,"best_of":1,"suffix":null,"logprobs":null,"user":"u"}`))
	if err != nil || len(req.Messages) != 1 || req.Messages[0].Role != chat.User || req.Messages[0].Parts[0].Text != `Say "hi"` || *req.MaxTokens != 7 ||
		!req.Stream || !req.StreamUsage || len(req.Stop) != 1 {
		t.Errorf("%v %+v", err, req)
	}
	for in, path := range map[string]string{
		`{"model":"m"}`: "prompt", `{"model":"m","prompt":null}`: "prompt", `{"model":"m","prompt":[]}`: "prompt", `{"model":"m","prompt":[1,2]}`: "prompt",
		`{"model":"m","prompt":["a","b"]}`: "prompt", `{"model":"m","prompt":5}`: "prompt", `{"prompt":"a","echo":true}`: "echo",
		`{"prompt":"a","suffix":"b"}`: "suffix", `{"prompt":"a","logprobs":2}`: "logprobs", `{"prompt":"a","best_of":3}`: "best_of",
		`{"prompt":"a","messages":[]}`: "messages", `{"prompt":"a","stream":5}`: "stream", `[]`: "", `{`: "",
	} {
		if _, _, err := legacy().DecodeRequest([]byte(in)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// What a stream's chunks say is what the whole answer says.
func TestLegacyAnswers(t *testing.T) {
	resp := &chat.Response{ID: "c-1", Model: "m-1", Created: 5, Usage: &chat.Usage{Input: 3, Output: 4}, Choices: []chat.Choice{
		{Finish: chat.FinishStop, Message: chat.Message{Parts: []chat.Part{{Kind: chat.Reason, Text: "hidden"}, text("Hello "), text("🌍")}}},
		{Index: 1, Finish: chat.FinishLength, Message: chat.Message{Parts: []chat.Part{text("Bye")}}},
	}}
	served := dialect.Served{Model: "m", Request: &chat.Request{StreamUsage: true}}
	const want = `{"id":"c-1","object":"text_completion","created":5,"model":"m-1","choices":[{"index":0,"text":"Hello 🌍","logprobs":null,"finish_reason":"stop"},` +
		`{"index":1,"text":"Bye","logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,` +
		`"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}`
	if got := string(legacy().EncodeResponse(resp, served)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	enc := legacy().NewStreamEncoder(served)
	var out []byte
	for _, ev := range chat.Events(resp) {
		out = enc.Encode(out, &ev)
	}
	texts, ends, tokens := map[int]string{}, map[int]string{}, 0
	events := strings.Split(strings.TrimSuffix(string(out), "\n\n"), "\n\n")
	for _, event := range events[:len(events)-1] {
		var chunk struct {
			Object  string
			Choices []struct {
				Index  int
				Text   string
				Finish *string `json:"finish_reason"`
			}
			Usage *struct {
				Total int `json:"total_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &chunk); err != nil || chunk.Object != "text_completion" {
			t.Fatalf("%v %s", err, event)
		}
		for _, c := range chunk.Choices {
			texts[c.Index] += c.Text
			if c.Finish != nil {
				ends[c.Index] = *c.Finish
			}
		}
		if chunk.Usage != nil {
			tokens = chunk.Usage.Total
		}
	}
	if texts[0] != "Hello 🌍" || texts[1] != "Bye" || ends[0] != "stop" || ends[1] != "length" || tokens != 7 || events[len(events)-1] != "data: [DONE]" {
		t.Errorf("%v %v %d in %s", texts, ends, tokens, out)
	}
}
