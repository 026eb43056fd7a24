package emulator

import "strings"

type googleEmbedRequest struct {
	Model                string  `json:"model"`
	Content              content `json:"content"`
	OutputDimensionality *int    `json:"outputDimensionality"`
	EmbedContentConfig   struct {
		OutputDimensionality *int `json:"outputDimensionality"`
	} `json:"embedContentConfig"`
}

// maxBatch is how many texts one request may have.
const maxBatch = 100

func (x *exchange) googleEmbed(model string) {
	var r googleEmbedRequest
	if !x.begin(model, embedShape(), &r) {
		return
	}
	if f := r.refuse(x, model); f != nil {
		x.fail(*f)
		return
	}
	x.say(x.withUsage(model, ordered{{"embedding", r.embedding(model)}}, r.tokens()))
}

func (x *exchange) googleEmbedBatch(model string) {
	var b struct {
		Requests []googleEmbedRequest `json:"requests"`
	}
	if !x.begin(model, objectOf(fields{"requests": listOf(embedShape())}), &b) {
		return
	}
	if n := len(b.Requests); n == 0 || n > maxBatch {
		x.fail(*x.badGoogle("* BatchEmbedContentsRequest.requests: at least 1 and at most %d requests can be in one batch", maxBatch))
		return
	}
	list, total := []any{}, 0
	for _, r := range b.Requests {
		if r.Model == "" {
			x.fail(*x.badGoogle("* BatchEmbedContentsRequest.requests[%d].model: model is not specified", len(list)))
			return
		}
		if f := r.refuse(x, model); f != nil {
			x.fail(*f)
			return
		}
		list, total = append(list, r.embedding(model)), total+r.tokens()
	}
	x.say(x.withUsage(model, ordered{{"embeddings", list}}, total))
}

// withUsage adds the usage, which only the newer model has (gemini-embedding-001 is recorded without).
func (x *exchange) withUsage(model string, body ordered, tokens int) ordered {
	if strings.Contains(model, "embedding-001") {
		return body
	}
	return append(body, member{"usageMetadata", ordered{{"promptTokenCount", tokens}}})
}

func (r *googleEmbedRequest) refuse(x *exchange, model string) *failure {
	switch {
	case !geminiModelOf(model).embeds:
		f := x.wire.fault(x, NoModel)
		return &f
	case r.Model != "" && r.Model != "models/"+model:
		return x.badGoogle("* EmbedContentRequest.model: %q is not the model of the URL", r.Model)
	case len(r.Content.Parts) == 0 || r.Content.said() == "":
		return x.badGoogle("* EmbedContentRequest.content: content is empty")
	case r.size(model) < 1 || r.size(model) > embedSize(model):
		return x.badGoogle("Unsupported output dimensionality: %d. It must be from 1 to %d.", r.size(model),
			embedSize(model))
	}
	return nil
}

func (r *googleEmbedRequest) size(model string) int {
	for _, n := range []*int{r.OutputDimensionality, r.EmbedContentConfig.OutputDimensionality} {
		if n != nil {
			return *n
		}
	}
	return embedSize(model)
}

func (r *googleEmbedRequest) tokens() int { return tokens(r.Content.said()) }

func (r *googleEmbedRequest) embedding(model string) ordered {
	return ordered{{"values", vector(model, "text "+r.Content.said(), r.size(model))}}
}
