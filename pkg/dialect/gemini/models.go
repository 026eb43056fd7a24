package gemini

import "github.com/alicetears/llm-gateway/pkg/dialect"

// modelEncoder makes lists of models (ai.google.dev/api/models).
type modelEncoder struct{}

// Sizes of pages.
const (
	defaultPage = 50
	maxPage     = 1000
)

// listedModel is a model as Google's clients know one.
type listedModel struct {
	Name             string   `json:"name"`
	BaseModelID      string   `json:"baseModelId"`
	Version          string   `json:"version"`
	DisplayName      string   `json:"displayName"`
	InputTokenLimit  *int64   `json:"inputTokenLimit,omitempty"`
	OutputTokenLimit *int64   `json:"outputTokenLimit,omitempty"`
	Methods          []string `json:"supportedGenerationMethods"`
	Thinking         bool     `json:"thinking,omitempty"`
}

func (modelEncoder) Model(m dialect.Model) any {
	methods := []string{"generateContent", "streamGenerateContent", "countTokens"}
	if m.Embeds {
		methods = []string{"embedContent", "batchEmbedContents"}
	}
	return listedModel{
		Name: "models/" + m.ID, BaseModelID: m.ID, Version: "1", DisplayName: m.ID,
		InputTokenLimit: dialect.Known(m.Context), OutputTokenLimit: dialect.Known(m.MaxOutput),
		Methods: methods, Thinking: m.Reasons,
	}
}

func (e modelEncoder) List(models []dialect.Model, q dialect.Query) (any, error) {
	size := int(q.Integer("pageSize", 0, 1<<31-1, defaultPage))
	if size == 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	after := q.Text("pageToken")
	if err := q.Err(); err != nil {
		return nil, err
	}
	list := struct {
		Models        []any  `json:"models"`
		NextPageToken string `json:"nextPageToken,omitempty"`
	}{Models: []any{}}
	last := ""
	for _, m := range models {
		if m.ID <= after {
			continue
		}
		if len(list.Models) == size {
			list.NextPageToken = last
			break
		}
		list.Models = append(list.Models, e.Model(m))
		last = m.ID
	}
	return list, nil
}
