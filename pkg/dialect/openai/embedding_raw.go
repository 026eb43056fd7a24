package openai

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// completed returns a provider's answer with each vector in the form that the client wants, and with the members that
// OpenAI's clients require and that some providers leave out.
func completed(resp *chat.EmbeddingResponse, req *chat.EmbeddingRequest) ([]byte, error) {
	root, err := jsonx.Parse(resp.Raw, jsonx.Lenient)
	if err != nil {
		return nil, err
	}
	edit := jsonx.NewEdit(root)
	require(edit, root, "object", `"list"`)
	require(edit, root, "model", string(jsonx.AppendString(nil, resp.Model)))
	if usage := root.Get("usage"); !usage.Get("prompt_tokens").Given() || !usage.Get("total_tokens").Given() {
		out := body.AppendCount(nil, `{"prompt_tokens":`, resp.Usage.Input)
		out = body.AppendCount(out, `,"total_tokens":`, resp.Usage.Input)
		edit.Set("usage", append(out, '}'))
	}
	position, failed := 0, error(nil)
	data := body.EditElements(root.Get("data"), func(item jsonx.Value) []byte {
		at := position
		if n, ok := item.Get("index").Int64(); ok {
			at = int(n) // DecodeEmbedding checked it
		}
		position++
		vector, err := formed(item.Get("embedding"), resp.Vectors[at], req.Base64)
		if err != nil {
			failed = err
		}
		edit := jsonx.NewEdit(item)
		require(edit, item, "object", `"embedding"`)
		require(edit, item, "index", string(jsonx.AppendInt(nil, int64(at))))
		if vector != nil {
			edit.Set("embedding", vector)
		}
		return edit.Append(nil)
	})
	if failed != nil {
		return nil, failed
	}
	edit.Set("data", data)
	return edit.Append(nil), nil
}

func require(edit *jsonx.Edit, object jsonx.Value, name, value string) {
	if !object.Get(name).Given() {
		edit.Set(name, []byte(value))
	}
}

// formed returns the vector in the form that the client wants; nil if it has it.
func formed(sent jsonx.Value, vector []byte, base64 bool) ([]byte, error) {
	switch {
	case base64 && sent.Kind() == jsonx.Array:
		text, err := packed(vector)
		return jsonx.AppendString(nil, text), err
	case !base64 && sent.Kind() != jsonx.Array:
		return vector, nil
	}
	return nil, nil
}
