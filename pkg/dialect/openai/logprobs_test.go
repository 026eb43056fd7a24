package openai_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// logprobsIn returns the log probabilities of an answer whose choice has these members.
func logprobsIn(t *testing.T, choices ...string) any {
	t.Helper()
	var raw json.RawMessage
	if len(choices) == 1 && strings.Contains(choices[0], `"message"`) {
		resp, err := openai.Client{}.DecodeResponse([]byte(`{"choices":[{` + choices[0] + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		raw = resp.Choices[0].Logprobs
	} else {
		resp, complete, failed := collect(t, strings.NewReader(`data: {"choices":[{`+strings.Join(choices, "}]}\n\ndata: {\"choices\":[{")+"}]}\n\ndata: [DONE]\n\n"))
		if !complete {
			t.Fatal(failed)
		}
		raw = resp.Choices[0].Logprobs
	}
	var v any
	if raw != nil {
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// Lists in a whole answer and a number in each chunk become OpenAI's list of tokens.
func TestTogetherLogprobs(t *testing.T) {
	token := func(text string, p float64, likeliest ...any) any {
		return object{"token": text, "logprob": p, "bytes": nil, "top_logprobs": append([]any{}, likeliest...)}
	}
	likely := func(text string, p float64) any { return object{"token": text, "logprob": p, "bytes": nil} }
	bare := object{"content": []any{token("He", -0.5), token("\"y<", -1.25e-5)}, "refusal": nil}
	rich := object{"content": []any{token("He", -0.5, likely("He", -0.5), likely("She", -2)), token("y", -3, likely("a", -1))}, "refusal": nil}
	for name, c := range map[string]struct {
		choices []string
		want    any
	}{
		"whole":              {[]string{`"message":{"content":"Hey"},"logprobs":{"token_ids":[1,2,3],"tokens":["He","\"y<",""],"token_logprobs":[-0.5,-1.25e-5,-9],"top_logprobs":{"He":-0.5,"y":-3}}`}, bare},
		"whole, null":        {[]string{`"message":{"content":"Hey"},"logprobs":{"tokens":["<s>","He","\"y<"],"token_logprobs":[null,-0.5,-1.25e-5],"top_logprobs":null}`}, bare},
		"whole, likeliest":   {[]string{`"message":{"content":"Hey"},"logprobs":{"tokens":["He","y"],"token_logprobs":[-0.5,-3],"top_logprobs":[{"She":-2,"He":-0.5},{"a":-1}]}`}, rich},
		"numbers":            {[]string{`"delta":{"role":"assistant","content":""},"logprobs":null`, `"delta":{"content":"He"},"logprobs":-0.5,"text":"He"`, `"delta":{"content":"\"y<"},"logprobs":-1.25e-5`, `"delta":{"content":""},"logprobs":-9,"finish_reason":"eos"`}, bare},
		"numbers, likeliest": {[]string{`"delta":{"content":"He"},"logprobs":-0.5,"top_logprobs":{"She":-2,"He":-0.5}`, `"delta":{"content":"y"},"logprobs":-3,"top_logprobs":{"a":-1}`}, rich},
		"lists in chunks":    {[]string{`"delta":{"content":"He"},"logprobs":{"tokens":["He"],"token_logprobs":[-0.5],"top_logprobs":{"She":-2,"He":-0.5}}`, `"delta":{"content":"y"},"logprobs":{"tokens":["y"],"token_logprobs":[-3],"top_logprobs":[{"a":-1}]}`}, rich},
		"OpenAI's":           {[]string{`"message":{"content":"y"},"logprobs":{"content":[{"token":"y","logprob":-3,"bytes":[121],"top_logprobs":[]}],"refusal":null}`}, object{"content": []any{object{"token": "y", "logprob": -3.0, "bytes": []any{121.0}, "top_logprobs": []any{}}}, "refusal": nil}},
		"none":               {[]string{`"message":{"content":"y"},"logprobs":null`}, nil},
		"nonsense":           {[]string{`"message":{"content":"y"},"logprobs":true`}, nil},
	} {
		if got := logprobsIn(t, c.choices...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", name, got, c.want)
		}
	}
}
