package anthropic

import (
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// modelEncoder makes lists of models (platform.claude.com/docs/en/api/models-list).
type modelEncoder struct{}

// Sizes of pages.
const (
	defaultPage = 20
	maxPage     = 1000
)

// listedModel is a model as Anthropic's clients know one (ModelInfo of its API).
type listedModel struct {
	Type           string `json:"type"`
	ID             string `json:"id"`
	DisplayName    string `json:"display_name"`
	CreatedAt      string `json:"created_at"` // 1970-01-01 if unknown, as theirs
	MaxInputTokens *int64 `json:"max_input_tokens"`
	MaxTokens      *int64 `json:"max_tokens"`
	Capabilities   any    `json:"capabilities"` // null: theirs are not known of other providers' models
}

func (modelEncoder) Model(m dialect.Model) any {
	return listedModel{
		Type: "model", ID: m.ID, DisplayName: m.ID, CreatedAt: m.Released.Format(time.RFC3339),
		MaxInputTokens: dialect.Known(m.Context), MaxTokens: dialect.Known(m.MaxOutput),
	}
}

func (e modelEncoder) List(models []dialect.Model, q dialect.Query) (any, error) {
	limit := int(q.Integer("limit", 1, maxPage, defaultPage))
	after, before := q.Text("after_id"), q.Text("before_id")
	if err := q.Err(); err != nil {
		return nil, err
	}
	from, to := 0, len(models)
	for i, m := range models {
		if m.ID == after {
			from = i + 1
		}
		if m.ID == before {
			to = i
		}
	}
	more := to-from > limit
	if more && before != "" {
		from = to - limit
	}
	page := models[min(from, to):min(from+limit, to)]
	list := struct {
		Data    []any   `json:"data"`
		HasMore bool    `json:"has_more"`
		FirstID *string `json:"first_id"`
		LastID  *string `json:"last_id"`
	}{Data: []any{}, HasMore: more}
	for _, m := range page {
		list.Data = append(list.Data, e.Model(m))
	}
	if n := len(page); n > 0 {
		list.FirstID, list.LastID = &page[0].ID, &page[n-1].ID
	}
	return list, nil
}
