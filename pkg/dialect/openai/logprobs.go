package openai

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// logprobsOf reads the log probabilities of a choice's tokens into OpenAI's form; nil if there are none. Some servers
// have the form of the older completions API. Together has a number in each chunk (its OpenAPI document of April 2026),
// with the likeliest tokens at that position in top. text is the chunk's content.
func logprobsOf(v, top, text jsonx.Value) json.RawMessage {
	switch v.Kind() {
	case jsonx.Number:
		if text.Empty() {
			return nil // the token that ends the answer
		}
		out := appendToken([]byte(`{"content":[`), text.Str(), v)
		return append(appendLikeliest(out, top), `]}],"refusal":null}`...)
	case jsonx.Object:
		if tokens := v.Get("tokens"); tokens.Kind() == jsonx.Array && !v.Get("content").Given() {
			return tokenLists(tokens, v.Get("token_logprobs"), v.Get("top_logprobs"))
		}
		return v.Clone()
	}
	return nil
}

// tokenLists reads {tokens, token_logprobs, top_logprobs}. top is a list of objects, one for each token. If it is one
// object, as in Together's document, it belongs to a token only if there is a single one.
func tokenLists(tokens, logprobs, top jsonx.Value) json.RawMessage {
	out := []byte(`{"content":[`)
	p, likeliest := logprobs.First(), top.First()
	for t := tokens.First(); t.Exists(); t = t.Next() {
		if p.Kind() == jsonx.Number && !t.Empty() {
			out = appendToken(jsonx.AppendComma(out), t.Str(), p)
			switch {
			case top.Kind() == jsonx.Array:
				out = appendLikeliest(out, likeliest)
			case tokens.Len() == 1:
				out = appendLikeliest(out, top)
			}
			out = append(out, "]}"...)
		}
		p, likeliest = p.Next(), likeliest.Next()
	}
	return append(out, `],"refusal":null}`...)
}

// appendToken appends a token up to the list of the likeliest at its position.
func appendToken(out []byte, token string, p jsonx.Value) []byte {
	return append(appendLogprob(out, token, p), `,"top_logprobs":[`...)
}

// appendLogprob appends the members that every token has.
func appendLogprob(out []byte, token string, p jsonx.Value) []byte {
	out = body.AppendMember(out, `{"token":`, token)
	out = append(out, `,"logprob":`...)
	out = append(out, p.Raw()...)
	return append(out, `,"bytes":null`...)
}

// appendLikeliest appends the elements of that list from a map of tokens, the likeliest first.
func appendLikeliest(out []byte, v jsonx.Value) []byte {
	if v.Kind() != jsonx.Object {
		return out
	}
	var list []jsonx.Value
	for m := v.First(); m.Exists(); m = m.Next() {
		if m.Kind() == jsonx.Number {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b jsonx.Value) int {
		x, _ := a.Float64()
		y, _ := b.Float64()
		return cmp.Compare(y, x)
	})
	for _, m := range list {
		out = jsonx.AppendComma(out)
		out = append(appendLogprob(out, string(m.Key()), m), '}')
	}
	return out
}
