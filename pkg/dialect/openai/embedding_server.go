package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// MaxEmbeddingInputs is the largest number of inputs of a request: OpenAI's limit, and no provider's is higher.
const MaxEmbeddingInputs = 2048

type embeddingServer struct{}

// DecodeEmbedding reads a client's body of POST /v1/embeddings. It skips unknown members.
// Errors are *fault.Error of code Validation that list the issues found.
func (embeddingServer) DecodeEmbedding(data []byte) (*chat.EmbeddingRequest, error) {
	root, err := jsonx.Parse(data, jsonx.Strict)
	if err != nil {
		return nil, jsonx.Syntax(err)
	}
	var report body.Reader
	if root.Kind() != jsonx.Object {
		report.Expected(root, "an object")
		return nil, report.Err()
	}
	req := &chat.EmbeddingRequest{}
	if model := root.Get("model"); model.Given() {
		req.Model = report.Name(model)
	}
	if input := root.Get("input"); input.Given() {
		req.Inputs = embeddingInputs(&report.Report, input)
	} else {
		report.AddMember(root, "input", "required")
	}
	if v := root.Get("dimensions"); v.Given() {
		n, ok := v.Int64()
		if !ok || n < 1 {
			report.Expected(v, "a whole number of at least 1")
		}
		req.Dimensions = &n
	}
	if v := root.Get("encoding_format"); v.Given() {
		req.Base64 = v.Is("base64")
		if !req.Base64 && !v.Is("float") {
			report.Expected(v, `"float" or "base64"`)
		}
	}
	if v := root.Get("user"); v.Given() {
		req.User = v.Str()
	}
	return req, report.Err()
}

// embeddingInputs reads a string, an array of strings, an array of tokens, or an array of those.
func embeddingInputs(report *jsonx.Report, input jsonx.Value) []chat.EmbeddingInput {
	const wanted = "a text, an array of texts, or tokens"
	if input.Kind() == jsonx.String {
		return []chat.EmbeddingInput{{Text: input.Str()}}
	}
	if input.Kind() != jsonx.Array || input.Len() == 0 {
		report.Expected(input, wanted+"; not empty")
		return nil
	}
	if input.First().Kind() == jsonx.Number {
		return []chat.EmbeddingInput{{Tokens: tokensOf(report, input)}}
	}
	if input.Len() > MaxEmbeddingInputs {
		report.Add(input, "must have at most %d entries", MaxEmbeddingInputs)
		return nil
	}
	inputs := make([]chat.EmbeddingInput, 0, input.Len())
	for item := input.First(); item.Exists(); item = item.Next() {
		switch item.Kind() {
		case jsonx.String:
			inputs = append(inputs, chat.EmbeddingInput{Text: item.Str()})
		case jsonx.Array:
			inputs = append(inputs, chat.EmbeddingInput{Tokens: tokensOf(report, item)})
		default:
			report.Expected(item, wanted)
		}
	}
	return inputs
}

func tokensOf(report *jsonx.Report, list jsonx.Value) []int64 {
	tokens := make([]int64, 0, list.Len())
	for item := list.First(); item.Exists(); item = item.Next() {
		n, ok := item.Int64()
		if !ok || n < 0 {
			report.Expected(item, "a token, which is a whole number")
			return nil
		}
		tokens = append(tokens, n)
	}
	if len(tokens) == 0 {
		report.Expected(list, "at least one token")
	}
	return tokens
}

// EncodeEmbedding writes the answer to a client: that of a provider of the dialect with all its members, such as the id that
// Mistral's SDK requires. The error says that a vector has something else than numbers.
func (embeddingServer) EncodeEmbedding(resp *chat.EmbeddingResponse, req *chat.EmbeddingRequest) ([]byte, error) {
	if resp.Raw != nil {
		return completed(resp, req)
	}
	out := make([]byte, 0, 256+len(resp.Vectors)*2048)
	out = append(out, `{"object":"list","data":[`...)
	for i, vector := range resp.Vectors {
		out = jsonx.AppendComma(out)
		out = body.AppendCount(out, `{"object":"embedding","index":`, int64(i))
		out = append(out, `,"embedding":`...)
		if req.Base64 {
			text, err := packed(vector)
			if err != nil {
				return nil, err
			}
			out = append(append(append(out, '"'), text...), '"')
		} else {
			out = jsonx.AppendCompact(out, vector)
		}
		out = append(out, '}')
	}
	out = body.AppendMember(out, `],"model":`, resp.Model)
	out = body.AppendCount(out, `,"usage":{"prompt_tokens":`, resp.Usage.Input)
	out = body.AppendCount(out, `,"total_tokens":`, resp.Usage.Input)
	return append(out, "}}"...), nil
}
