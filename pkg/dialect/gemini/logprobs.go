package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// logprobsOf converts logprobsResult to OpenAI's object: the chosen tokens, each with the likeliest tokens
// at its position. Nil if there are none.
func logprobsOf(v jsonx.Value) []byte {
	chosen := v.Get("chosenCandidates")
	if chosen.Len() == 0 {
		return nil
	}
	top := v.Get("topCandidates").First()
	out := []byte(`{"content":[`)
	for c := chosen.First(); c.Exists(); c = c.Next() {
		out = jsonx.AppendComma(out)
		out = appendLogprob(out, "logprob", c.Get("token"), c.Get("logProbability"))
		out = append(out, `,"bytes":null,"top_logprobs":[`...)
		for t := top.Get("candidates").First(); t.Exists(); t = t.Next() {
			out = jsonx.AppendComma(out)
			out = appendLogprob(out, "logprob", t.Get("token"), t.Get("logProbability"))
			out = append(out, `,"bytes":null}`...)
		}
		out = append(out, `]}`...)
		top = top.Next()
	}
	return append(out, `],"refusal":null}`...)
}

// appendLogprob begins an object with a token and its probability.
func appendLogprob(out []byte, name string, token, p jsonx.Value) []byte {
	out = body.AppendMember(out, `{"token":`, token.Str())
	out = append(out, `,"`+name+`":`...)
	if p.Kind() == jsonx.Number {
		return append(out, p.Raw()...)
	}
	return append(out, '0')
}

// appendLogprobs converts OpenAI's object to logprobsResult.
func appendLogprobs(out, raw []byte) []byte {
	v, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return append(out, "{}"...)
	}
	content := v.Get("content")
	out = append(out, `{"topCandidates":[`...)
	for c := content.First(); c.Exists(); c = c.Next() {
		out = jsonx.AppendComma(out)
		out = append(out, `{"candidates":[`...)
		for t := c.Get("top_logprobs").First(); t.Exists(); t = t.Next() {
			out = jsonx.AppendComma(out)
			out = append(appendLogprob(out, "logProbability", t.Get("token"), t.Get("logprob")), '}')
		}
		out = append(out, `]}`...)
	}
	out = append(out, `],"chosenCandidates":[`...)
	for c := content.First(); c.Exists(); c = c.Next() {
		out = jsonx.AppendComma(out)
		out = append(appendLogprob(out, "logProbability", c.Get("token"), c.Get("logprob")), '}')
	}
	return append(out, `]}`...)
}
