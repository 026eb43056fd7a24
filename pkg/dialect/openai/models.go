package openai

import "github.com/alicetears/llm-gateway/pkg/dialect"

// modelEncoder makes lists of models without pages.
type modelEncoder struct{}

// listedModel is a model as OpenAI's clients know one, and what else the gateway knows of it.
type listedModel struct {
	ID              string   `json:"id"`
	Object          string   `json:"object"`
	Created         int64    `json:"created"`  // Unix seconds; 0 if unknown
	OwnedBy         string   `json:"owned_by"` // the provider that is tried first
	Providers       []string `json:"providers"`
	Mode            string   `json:"mode"` // chat, responses, embedding
	ContextWindow   *int64   `json:"context_window"`
	MaxOutputTokens *int64   `json:"max_output_tokens"`
	Capabilities    []string `json:"capabilities"`
}

func (modelEncoder) Model(m dialect.Model) any {
	return listedModel{
		ID: m.ID, Object: "model", Created: max(0, m.Released.Unix()), OwnedBy: m.Providers[0], Providers: m.Providers,
		Mode: m.Mode, ContextWindow: dialect.Known(m.Context), MaxOutputTokens: dialect.Known(m.MaxOutput),
		Capabilities: m.Capabilities,
	}
}

func (e modelEncoder) List(models []dialect.Model, _ dialect.Query) (any, error) {
	data := make([]any, len(models))
	for i, m := range models {
		data[i] = e.Model(m)
	}
	return struct {
		Object string `json:"object"`
		Data   []any  `json:"data"`
	}{"list", data}, nil
}
