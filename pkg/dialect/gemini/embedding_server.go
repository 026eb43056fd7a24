package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// maxBatch is the largest number of requests in a batch of a caller. What the provider does not take at once is split.
const maxBatch = 2048

// embeddingServer is the half of embeddings towards callers (https://ai.google.dev/api/embeddings).
type embeddingServer struct {
	model string
	batch bool // :batchEmbedContents
}

func newEmbeddingServer(model string, batch bool) dialect.EmbeddingServer {
	return embeddingServer{strings.TrimPrefix(model, "models/"), batch}
}

// DecodeEmbedding reads the body of :embedContent or :batchEmbedContents, in camel or in snake case. The model is that of
// the path.
func (s embeddingServer) DecodeEmbedding(data []byte) (*chat.EmbeddingRequest, error) {
	root, err := jsonx.Parse(data, jsonx.Strict)
	if err != nil {
		return nil, jsonx.Syntax(err)
	}
	d := embeddingDecoder{decoder: decoder{req: new(chat.Request)}, out: &chat.EmbeddingRequest{Model: s.model, Dialect: string(Name)}}
	if s.batch {
		d.requests(root)
	} else {
		d.request(root)
	}
	return d.out, d.Err()
}

type embeddingDecoder struct {
	decoder
	out *chat.EmbeddingRequest
}

func (d *embeddingDecoder) requests(root jsonx.Value) {
	found := false
	d.object(root, func(m jsonx.Value) {
		if camel(m) != "requests" {
			return // model is that of the path
		}
		if found = m.Len() > 0; m.Len() > maxBatch {
			d.Add(m, "must have at most %d entries", maxBatch)
			return
		}
		d.each(m, d.request)
	})
	if root.Kind() == jsonx.Object && !found {
		d.AddMember(root, "requests", "required, and must not be empty")
	}
}

// request reads one input. What other providers cannot express is noted.
func (d *embeddingDecoder) request(v jsonx.Value) {
	input, content := chat.EmbeddingInput{}, false
	var dimensions *int64
	settings := func(m jsonx.Value) {
		switch name := camel(m); name {
		case "outputDimensionality":
			dimensions = d.Int(m, 1, 1<<20)
		case "autoTruncate":
		default:
			d.drop(name)
		}
	}
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "model":
		case "content":
			content = true
			input.Text = d.text(m)
		case "embedContentConfig":
			d.object(m, settings)
		default:
			settings(m)
		}
	})
	if v.Kind() == jsonx.Object && !content {
		d.AddMember(v, "content", "required")
	}
	first := len(d.out.Inputs) == 0
	if !first && !equalLength(d.out.Dimensions, dimensions) {
		d.out.Unfit = "only Gemini gives vectors of several lengths at a time"
	}
	if first {
		d.out.Dimensions = dimensions
	}
	if objects := v.Get("content"); objects.Kind() != jsonx.String {
		input.Raw = v.Clone()
	}
	d.out.Inputs = append(d.out.Inputs, input)
}

func equalLength(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func (d *embeddingDecoder) drop(name string) {
	for _, known := range d.out.Dropped {
		if known == name {
			return
		}
	}
	const most = 16
	if len(d.out.Dropped) < most && body.Printable(name) {
		d.out.Dropped = append(d.out.Dropped, name)
	}
}

// text joins the text of a content, which may be a text alone.
func (d *embeddingDecoder) text(content jsonx.Value) string {
	if content.Kind() == jsonx.String {
		return content.Str()
	}
	var text strings.Builder
	d.object(content, func(m jsonx.Value) {
		if camel(m) != "parts" {
			return
		}
		d.each(m, func(part jsonx.Value) {
			if p := part.Get("text"); p.Kind() == jsonx.String {
				text.WriteString(p.Str())
				return
			}
			d.out.Unfit = "only Gemini gives vectors of something else than text"
		})
	})
	return text.String()
}

// EncodeEmbedding writes the vectors, with the members that Gemini sends beside them.
func (s embeddingServer) EncodeEmbedding(resp *chat.EmbeddingResponse, _ *chat.EmbeddingRequest) ([]byte, error) {
	if resp.Raw != nil {
		root, err := jsonx.Parse(resp.Raw, jsonx.Lenient)
		if err != nil || s.batch {
			return resp.Raw, err
		}
		edit := jsonx.NewEdit(root)
		edit.Set("embedding", root.Get("embeddings").First().Raw())
		edit.Drop("embeddings")
		return edit.Append(nil), nil
	}
	var out []byte
	if s.batch {
		out = append(out, `{"embeddings":[`...)
		for _, vector := range resp.Vectors {
			out = append(jsonx.AppendComma(out), `{"values":`...)
			out = append(jsonx.AppendCompact(out, vector), '}')
		}
		out = append(out, ']')
	} else {
		out = append(out, `{"embedding":{"values":`...)
		out = append(jsonx.AppendCompact(out, resp.Vectors[0]), '}')
	}
	out = body.AppendCount(out, `,"usageMetadata":{"promptTokenCount":`, resp.Usage.Input)
	return append(out, "}}"...), nil
}

// withModel returns a request for a vector with the model.
func withModel(raw []byte, model string) []byte {
	root, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return raw
	}
	return body.With(root, "model", jsonx.AppendString(nil, nameOf(model)))
}
