package openapi

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// document is where a provider's own description has the body of a request.
type document struct {
	provider, file, path string
	dialect              dialect.Name // the dialect in which the caller asks
	models               []string
	counts               bool // the path only counts the tokens of the input
}

func documents() []document {
	return []document{
		{"openai", "openai", "/chat/completions", openai.Name, []string{"gpt-4o-mini", "gpt-5-mini"}, false},
		{"openai", "openai", "/responses", responses.Name, []string{"gpt-4o-mini", "gpt-5.6-sol"}, false},
		{"anthropic", "anthropic", "/v1/messages", "", []string{"claude-haiku-4-5", "claude-opus-4-6", "claude-sonnet-5-5"}, false},
		{"openai", "openai", "/responses/input_tokens", "", []string{"gpt-4o-mini", "gpt-5.6-sol"}, true},
		{"anthropic", "anthropic", "/v1/messages/count_tokens", "",
			[]string{"claude-haiku-4-5", "claude-opus-4-6", "claude-sonnet-5-5"}, true},
		{"gemini", "gemini", "/models/{modelsId}:countTokens", "", []string{"gemini-2.5-flash", "gemini-3-pro-preview"}, true},
		{"gemini", "gemini", "/models/{modelsId}:generateContent", "", []string{"gemini-2.5-flash", "gemini-3-pro-preview"}, false},
		{"mistral", "mistral", "/v1/chat/completions", "", []string{"mistral-small-latest", "magistral-medium-latest"}, false},
		{"groq", "groq", "/openai/v1/chat/completions", "", []string{"llama-3.1-8b-instant", "openai/gpt-oss-20b"}, false},
		{"together", "together", "/chat/completions", "", []string{"meta-llama/Llama-3.3-70B-Instruct-Turbo"}, false},
		{"openrouter", "openrouter", "/chat/completions", "", []string{"anthropic/claude-haiku-4.5", "openai/gpt-5-mini"}, false},
	}
}

// exceptions are the cases in which providers accept what their documents lack, by document and request.
func exceptions() map[string]string {
	return map[string]string{
		"openai /responses, developer":                      "turns of the assistant without an id are taken, as recorded",
		"openai /responses, image":                          "the document mixes nullable with OpenAPI 3.1",
		"openai /responses/input_tokens, developer":         "likewise",
		"openai /responses/input_tokens, image":             "likewise",
		"anthropic /v1/messages/count_tokens, no reasoning": "between_tools of Sonnet 5.5 is newer than the document",
		"anthropic /v1/messages, no reasoning":              "between_tools of Sonnet 5.5 is newer than the document",
		"together /chat/completions, named":                 "the document takes the tool's name, and the API OpenAI's object, too",
		"together /chat/completions, parallel calls":        "the document mixes nullable with OpenAPI 3.1",
	}
}

func ptr[T any](v T) *T { return &v }

func text(role chat.Role, s string) chat.Message {
	return chat.Message{Role: role, Parts: []chat.Part{{Kind: chat.Text, Text: s}}}
}

// requests use the features of the dialects, one at a time and together.
func requests() map[string]chat.Request {
	schema := json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","description":"where"}},"required":["city"],"additionalProperties":false}`)
	tools := []chat.Tool{{Name: "weather", Description: "tells it", Parameters: schema, Strict: ptr(true)}, {Name: "now"}}
	hello := []chat.Message{text(chat.System, "Be kind."), text(chat.User, "Hello!")}
	called := func(calls ...chat.Part) []chat.Message {
		m := append(hello[:2:2], chat.Message{Role: chat.Assistant, Parts: calls})
		for _, c := range calls {
			m = append(m, chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{
				CallID: c.ToolCall.ID, Name: c.ToolCall.Name, Parts: []chat.Part{{Kind: chat.Text, Text: "sunny"}}}}}})
		}
		return m
	}
	call := func(id, name, arguments string) chat.Part {
		return chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: name, Arguments: arguments}}
	}
	image := chat.Part{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "iVBORw0KGgo=", Detail: "low"}}
	return map[string]chat.Request{
		"text":   {Messages: hello},
		"stream": {Messages: hello, Stream: true},
		"developer": {Messages: []chat.Message{text(chat.Developer, "Be brief."), text(chat.User, "Hello!"),
			text(chat.Assistant, "Hi."), text(chat.User, "Again.")}},
		"sampling": {Messages: hello, Temperature: ptr(0.5), TopP: ptr(0.9), MaxTokens: ptr(int64(2000)),
			Stop: []string{"END", "STOP"}, Seed: ptr(int64(7))},
		"penalties": {Messages: hello, FrequencyPenalty: ptr(0.5), PresencePenalty: ptr(-0.5),
			LogitBias: map[string]float64{"50256": -100}},
		"logprobs": {Messages: hello, Logprobs: ptr(true), TopLogprobs: ptr(int64(3))},
		"tools":    {Messages: hello, Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolAuto}, ParallelToolCalls: ptr(false)},
		"required": {Messages: hello, Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolRequired}},
		"named":    {Messages: hello, Tools: tools, ToolChoice: &chat.ToolChoice{Mode: chat.ToolNamed, Name: "weather"}},
		"parallel calls": {Messages: called(call("call_abc123", "weather", `{"city":"Bern"}`),
			call("call_def456", "now", "{}")), Tools: tools},
		"image": {Messages: []chat.Message{{Role: chat.User,
			Parts: []chat.Part{{Kind: chat.Text, Text: "What is this?"}, image}}}},
		"json": {Messages: []chat.Message{text(chat.User, "JSON, please")},
			ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatJSON}},
		"schema": {Messages: hello,
			ResponseFormat: &chat.ResponseFormat{Kind: chat.FormatSchema, Name: "place", Schema: schema, Strict: ptr(true)}},
		"reasoning":    {Messages: hello, Reasoning: &chat.Reasoning{Effort: "high", Summary: "auto"}, MaxTokens: ptr(int64(8000))},
		"no reasoning": {Messages: hello, Reasoning: &chat.Reasoning{Effort: "none"}},
		"accounting": {Messages: hello, User: "u-1", Metadata: map[string]string{"k": "v"}, ServiceTier: "auto",
			CacheKey: "c", Verbosity: "low"},
	}
}

// The gateway's requests are valid by the providers' own descriptions, which are in the folder SPECS because this
// repository may not contain them.
func TestRequestsAreAsTheProvidersDescribeThem(t *testing.T) {
	folder := os.Getenv("SPECS")
	if folder == "" {
		t.Skip("SPECS names no folder of the providers' OpenAPI documents")
	}
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	valid, refused := 0, 0
	odd, needed := exceptions(), map[string]bool{}
	for _, d := range documents() {
		schema := bodySchema(t, filepath.Join(folder, d.file+".trimmed.json"), d.path)
		for _, model := range d.models {
			for name, req := range requests() {
				req.Model = model
				body, ok := encode(t, table.ByID(d.provider), &req, &d)
				if !ok {
					refused++
					continue
				}
				valid++
				what := d.provider + " " + d.path + ", " + name
				err := schema.VisitJSON(body, openapi3.MultiErrors())
				if err != nil && odd[what] != "" {
					needed[what] = true
				} else if err != nil {
					t.Errorf("%s: %s\n%v", what, model, shortened(err))
				}
			}
		}
	}
	for what := range odd {
		if !needed[what] {
			t.Errorf("%s needs no exception", what)
		}
	}
	t.Logf("%d requests hold, %d cannot be sent", valid, refused)
	if valid < 150 {
		t.Errorf("only %d requests were tried", valid)
	}
}

// encode returns the provider's request; false if the rules refuse it.
func encode(t *testing.T, p *provider.Provider, req *chat.Request, d *document) (any, bool) {
	t.Helper()
	client := p.Protocol(req.Model, req, d.dialect)
	if d.dialect != "" && client.Dialect() != d.dialect {
		return nil, false // this model uses the other dialect
	}
	send := client.EncodeRequest
	if d.counts {
		counter := p.Counter(req.Model, req)
		if counter == nil {
			t.Fatalf("%s does not count", p.ID)
		}
		send = counter.EncodeCount
	}
	enc, err := send(req)
	var refusal *chat.Error
	if errors.As(err, &refusal) && refusal.Class == chat.BadRequest {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, enc), true
}

func parsed(t *testing.T, enc dialect.Encoded) (v any) {
	t.Helper()
	if err := json.Unmarshal(enc.Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func bodySchema(t *testing.T, file, path string) *openapi3.Schema {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	item := doc.Paths.Value(path)
	if item == nil || item.Post == nil {
		t.Fatalf("%s has no %s", file, path)
	}
	return item.Post.RequestBody.Value.Content.Get("application/json").Schema.Value
}

func shortened(err error) string {
	s := err.Error()
	if i := strings.Index(s, "Schema:"); i > 0 {
		s = s[:i]
	}
	return s[:min(len(s), 600)]
}
