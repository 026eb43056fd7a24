package server

import (
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// modelView is a model as OpenAI's clients know one, and what else the gateway knows of it.
type modelView struct {
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

func viewModel(m gateway.ServedModel) modelView {
	return modelView{
		ID: m.ID, Object: "model", Created: max(0, released(m.Known).Unix()), OwnedBy: m.Providers[0], Providers: m.Providers,
		Mode: string(m.Known.Mode), ContextWindow: counted(m.Known.Context), MaxOutputTokens: counted(m.Known.MaxOutput),
		Capabilities: m.Known.Caps.Names(),
	}
}

// released is the day of a model's release; 1970-01-01 if unknown.
func released(m catalog.Model) time.Time {
	day, err := time.Parse(time.DateOnly, m.Released)
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	return day
}

// counted is a number of which 0 means unknown.
func counted(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// listModels answers GET /v1/models: what the caller's keys may serve, to OpenAI's clients and to Anthropic's.
func (a *App) listModels(c *call) error {
	models, err := a.Gateway.Models(c.r.Context(), c.who.gateway())
	if err != nil {
		return err
	}
	if c.speaks() == Anthropic {
		return a.listAnthropicModels(c, models)
	}
	views := make([]modelView, len(models))
	for i, m := range models {
		views[i] = viewModel(m)
	}
	return c.reply(http.StatusOK, struct {
		Object string      `json:"object"`
		Data   []modelView `json:"data"`
	}{"list", views})
}

// getModel answers GET /v1/models/{model}.
func (a *App) getModel(c *call) error {
	m, err := a.servedModel(c)
	if err != nil {
		return err
	}
	if c.speaks() == Anthropic {
		return c.reply(http.StatusOK, viewAnthropicModel(m))
	}
	return c.reply(http.StatusOK, viewModel(m))
}

// servedModel is the model that the path names.
func (a *App) servedModel(c *call) (gateway.ServedModel, error) {
	name, err := c.model()
	if err != nil {
		return gateway.ServedModel{}, err
	}
	return a.Gateway.Model(c.r.Context(), c.who.gateway(), name)
}

// anthropicModelView is a model as Anthropic's clients know one (ModelInfo of its API).
type anthropicModelView struct {
	Type           string `json:"type"`
	ID             string `json:"id"`
	DisplayName    string `json:"display_name"`
	CreatedAt      string `json:"created_at"` // 1970-01-01 if unknown, as theirs
	MaxInputTokens *int64 `json:"max_input_tokens"`
	MaxTokens      *int64 `json:"max_tokens"`
	Capabilities   any    `json:"capabilities"` // null: theirs are not known of other providers' models
}

func viewAnthropicModel(m gateway.ServedModel) anthropicModelView {
	return anthropicModelView{
		Type: "model", ID: m.ID, DisplayName: m.ID, CreatedAt: released(m.Known).Format(time.RFC3339),
		MaxInputTokens: counted(m.Known.Context), MaxTokens: counted(m.Known.MaxOutput),
	}
}

// Sizes of Anthropic's pages (platform.claude.com/docs/en/api/models-list).
const (
	anthropicPage    = 20
	maxAnthropicPage = 1000
)

func (a *App) listAnthropicModels(c *call, models []gateway.ServedModel) error {
	q := c.query()
	limit := int(q.integer("limit", 1, maxAnthropicPage, anthropicPage))
	after, before := q.text("after_id"), q.text("before_id")
	if err := q.err(); err != nil {
		return err
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
		Data    []anthropicModelView `json:"data"`
		HasMore bool                 `json:"has_more"`
		FirstID *string              `json:"first_id"`
		LastID  *string              `json:"last_id"`
	}{Data: []anthropicModelView{}, HasMore: more}
	for _, m := range page {
		list.Data = append(list.Data, viewAnthropicModel(m))
	}
	if n := len(page); n > 0 {
		list.FirstID, list.LastID = &page[0].ID, &page[n-1].ID
	}
	return c.reply(http.StatusOK, list)
}

// geminiModelView is a model as Google's clients know one.
type geminiModelView struct {
	Name             string   `json:"name"`
	BaseModelID      string   `json:"baseModelId"`
	Version          string   `json:"version"`
	DisplayName      string   `json:"displayName"`
	InputTokenLimit  *int64   `json:"inputTokenLimit,omitempty"`
	OutputTokenLimit *int64   `json:"outputTokenLimit,omitempty"`
	Methods          []string `json:"supportedGenerationMethods"`
	Thinking         bool     `json:"thinking,omitempty"`
}

func viewGeminiModel(m gateway.ServedModel) geminiModelView {
	return geminiModelView{
		Name: "models/" + m.ID, BaseModelID: m.ID, Version: "1", DisplayName: m.ID,
		InputTokenLimit: counted(m.Known.Context), OutputTokenLimit: counted(m.Known.MaxOutput),
		Methods: []string{"generateContent", "streamGenerateContent", "countTokens"}, Thinking: m.Known.Caps.Has(catalog.Reasoning),
	}
}

// Sizes of Gemini's pages (ai.google.dev/api/models).
const (
	geminiPage    = 50
	maxGeminiPage = 1000
)

// listGeminiModels answers GET /v1beta/models. Models of embeddings are left out: they are served at /v1/embeddings.
func (a *App) listGeminiModels(c *call) error {
	q := c.query()
	size := int(q.integer("pageSize", 0, 1<<31-1, geminiPage))
	if size == 0 {
		size = geminiPage
	}
	size = min(size, maxGeminiPage)
	after := q.text("pageToken")
	if err := q.err(); err != nil {
		return err
	}
	models, err := a.Gateway.Models(c.r.Context(), c.who.gateway())
	if err != nil {
		return err
	}
	list := struct {
		Models        []geminiModelView `json:"models"`
		NextPageToken string            `json:"nextPageToken,omitempty"`
	}{Models: []geminiModelView{}}
	for _, m := range models {
		if m.ID <= after || m.Known.Mode == catalog.Embedding {
			continue
		}
		if len(list.Models) == size {
			list.NextPageToken = list.Models[size-1].BaseModelID
			break
		}
		list.Models = append(list.Models, viewGeminiModel(m))
	}
	return c.reply(http.StatusOK, list)
}

// getGeminiModel answers GET /v1beta/models/{model}.
func (a *App) getGeminiModel(c *call) error {
	m, err := a.servedModel(c)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, viewGeminiModel(m))
}
