package sdk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

func gemini(t *testing.T) *genai.Client { return geminiWith(t, gate.token, http.Header{}) }

func geminiWith(t *testing.T, token string, header http.Header) *genai.Client {
	t.Helper()
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{APIKey: token, Backend: genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: gate.url, Headers: header}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer holds the compared parts of an answer.
type answer struct {
	text, thought string
	calls         []*genai.FunctionCall
	finish        genai.FinishReason
	prompt, total int32
	content       *genai.Content // whole answers only
}

// join adds what a response, or a chunk of one, says.
func (s *answer) join(r *genai.GenerateContentResponse) {
	for _, c := range r.Candidates {
		if c.FinishReason != "" {
			s.finish = c.FinishReason
		}
		if c.Content == nil {
			continue
		}
		s.content = c.Content
		for _, p := range c.Content.Parts {
			if p.Thought {
				s.thought += p.Text
			} else {
				s.text += p.Text
			}
		}
	}
	s.calls = append(s.calls, r.FunctionCalls()...)
	if u := r.UsageMetadata; u != nil {
		s.prompt, s.total = u.PromptTokenCount, u.TotalTokenCount
	}
}

// generated requests the answer whole and streamed, and expects no difference.
func generated(t *testing.T, c *genai.Client, model string, contents []*genai.Content, config *genai.GenerateContentConfig) (whole answer) {
	t.Helper()
	r, err := c.Models.GenerateContent(t.Context(), model, contents, config)
	if err != nil {
		t.Fatal(err)
	}
	whole.join(r)
	var streamed answer
	for chunk, err := range c.Models.GenerateContentStream(t.Context(), model, contents, config) {
		if err != nil {
			t.Fatal(err)
		}
		streamed.join(chunk)
	}
	a, b := whole, streamed
	if a.text != b.text || a.thought != b.thought || a.finish != b.finish || a.prompt != b.prompt ||
		a.total != b.total || a.total == 0 || len(a.calls) != len(b.calls) {
		t.Errorf("whole    %+v\nstreamed %+v", a, b)
	}
	for i := range min(len(a.calls), len(b.calls)) {
		if a.calls[i].Name != b.calls[i].Name || jsonText(a.calls[i].Args) != jsonText(b.calls[i].Args) {
			t.Errorf("call %d whole %+v, streamed %+v", i, a.calls[i], b.calls[i])
		}
	}
	return whole
}

var brief = &genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser)}

func TestGenAIChat(t *testing.T) {
	c := gemini(t)
	onEach(t, models, func(t *testing.T, model string) {
		if got := generated(t, c, model, genai.Text("echo: Grüezi, Welt 🌍"), brief); got.text != "Grüezi, Welt 🌍" ||
			got.finish != genai.FinishReasonStop {
			t.Errorf("%+v", got)
		}
		got := generated(t, c, model, genai.Text("words: 50"), &genai.GenerateContentConfig{MaxOutputTokens: 5,
			ThinkingConfig: &genai.ThinkingConfig{ThinkingBudget: genai.Ptr[int32](0)}})
		if got.finish != genai.FinishReasonMaxTokens || strings.Count(got.text, "word") > 5 {
			t.Errorf("cut to five tokens: %+v", got)
		}
	})
}

// A chat of the SDK keeps the history itself, streamed turns as well.
func TestGenAIChatSession(t *testing.T) {
	c := gemini(t)
	onEach(t, models, func(t *testing.T, model string) {
		chat, err := c.Chats.Create(t.Context(), model, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range []string{"one", "two", "three"} {
			var got answer
			for chunk, err := range chat.SendMessageStream(t.Context(), genai.Part{Text: "echo: " + text}) {
				if err != nil {
					t.Fatal(err)
				}
				got.join(chunk)
			}
			if got.text != text || len(chat.History(true)) < 2*(i+1) {
				t.Errorf("turn %d: %+v, %d turns are curated", i, got, len(chat.History(true)))
			}
		}
	})
}

func TestGenAITools(t *testing.T) {
	c := gemini(t)
	config := &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{
		{Name: "weather", Description: "The weather of a city",
			Parameters: &genai.Schema{Type: genai.TypeObject, Required: []string{"city"},
				Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}}}},
		{Name: "clock", Description: "The time of day"}}}}}
	onEach(t, append([]string{"gemini-3.8-flash"}, models...), func(t *testing.T, model string) {
		contents := genai.Text("call all")
		got := generated(t, c, model, contents, config)
		if len(got.calls) != 2 || got.calls[0].Name != "weather" || got.calls[0].Args["city"] != "Zürich 🌍" ||
			got.calls[1].Name != "clock" || len(got.calls[1].Args) != 0 {
			t.Fatalf("%s", jsonText(got.content))
		}
		results := &genai.Content{Role: genai.RoleUser}
		for i, result := range []string{"sunny", "noon"} {
			part := genai.NewPartFromFunctionResponse(got.calls[i].Name, map[string]any{"output": result})
			part.FunctionResponse.ID = got.calls[i].ID
			results.Parts = append(results.Parts, part)
		}
		if got := generated(t, c, model, append(contents, got.content, results), config); !strings.Contains(got.text,
			"sunny") || !strings.Contains(got.text, "noon") {
			t.Errorf("after the results: %+v", got)
		}
		must := *config
		must.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{"clock"}}}
		if got := generated(t, c, model, genai.Text("What time is it?"), &must); len(got.calls) != 1 || got.calls[0].Name != "clock" {
			t.Errorf("forced: %s", jsonText(got.content))
		}
	})
}

func TestGenAIStructuredOutput(t *testing.T) {
	c := gemini(t)
	configs := map[string]*genai.GenerateContentConfig{
		"schema": {ResponseMIMEType: "application/json",
			ResponseSchema: &genai.Schema{Type: genai.TypeObject, Required: []string{"name", "age"},
				Properties: map[string]*genai.Schema{"name": {Type: genai.TypeString}, "age": {Type: genai.TypeInteger}}}},
		"JSON schema": {ResponseMIMEType: "application/json",
			ResponseJsonSchema: map[string]any{"type": "object", "required": []string{"name", "age"},
				"properties": map[string]any{"name": map[string]any{"type": "string"}, "age": map[string]any{"type": "integer"}}}},
	}
	onEach(t, []string{"gemini-2.5-flash", "gpt-4o-mini", "claude-haiku-4-5", "mistral-small-latest"}, func(t *testing.T, model string) {
		for name, config := range configs {
			var person struct {
				Name string
				Age  int
			}
			got := generated(t, c, model, genai.Text("Who are you?"), config)
			if err := json.Unmarshal([]byte(got.text), &person); err != nil || person.Name != "Zürich 🌍" || person.Age != 7 {
				t.Errorf("%s: %v, %q", name, err, got.text)
			}
		}
	})
}

func TestGenAIImages(t *testing.T) {
	c := gemini(t)
	data, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	onEach(t, []string{"gemini-2.5-flash", "gpt-4o-mini", "claude-haiku-4-5", "mistral-small-latest"}, func(t *testing.T, model string) {
		contents := []*genai.Content{genai.NewContentFromParts([]*genai.Part{genai.NewPartFromText("echo: Look"),
			genai.NewPartFromBytes(data, "image/png")}, genai.RoleUser)}
		if got := generated(t, c, model, contents, nil); !strings.Contains(got.text, pixelSeen) {
			t.Errorf("it saw %q", got.text)
		}
	})
}

func TestGenAIThinking(t *testing.T) {
	c := gemini(t)
	onEach(t, []string{"gemini-2.5-flash", "gemini-3.8-flash", "claude-haiku-4-5", "deepseek-v4-pro"}, func(t *testing.T, model string) {
		config := &genai.GenerateContentConfig{ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true,
			ThinkingBudget: genai.Ptr[int32](2048)}}
		got := generated(t, c, model, genai.Text("think: Step by step we go"), config)
		if got.text != "I have thought about it." || !strings.Contains(got.thought, "Step by step we go") {
			t.Errorf("%s", jsonText(got.content))
		}
	})
}

func TestGenAICountAndModels(t *testing.T) {
	c := gemini(t)
	listed := map[string]bool{}
	for m, err := range c.Models.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if listed[m.Name] || m.DisplayName == "" {
			t.Errorf("twice, or without a name: %+v", m)
		}
		listed[m.Name] = true
	}
	onEach(t, models, func(t *testing.T, model string) {
		n, err := c.Models.CountTokens(t.Context(), model, genai.Text("How many words may this be?"), nil)
		if err != nil || n.TotalTokens < 5 || n.TotalTokens > 50 {
			t.Errorf("%+v, %v", n, err)
		}
		m, err := c.Models.Get(t.Context(), model, nil)
		if err != nil || m.Name != "models/"+model || !listed[m.Name] {
			t.Errorf("%+v, %v; listed: %v", m, err, listed["models/"+model])
		}
	})
	_, err := c.Models.Get(t.Context(), "nobody-has-it", nil)
	wantGenAIError(t, err, 404, "NOT_FOUND")
}

func wantGenAIError(t *testing.T, err error, status int, kind string) {
	t.Helper()
	var failure genai.APIError
	if !errors.As(err, &failure) {
		t.Fatalf("%v is no error of the API", err)
	}
	if failure.Code != status || failure.Status != kind || failure.Message == "" || strings.Contains(failure.Error(), "sk-emulated") {
		t.Errorf("%d %s, want %d %s: %v", failure.Code, failure.Status, status, kind, failure)
	}
}

func TestGenAIErrors(t *testing.T) {
	kinds := map[int]string{400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 502: "UNAVAILABLE"}
	for fault, status := range faults {
		t.Run(string(fault), func(t *testing.T) {
			onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
				client := func() *genai.Client {
					priority, err := gate.key(providerOf[model], emulator.Behaviour{Fault: fault})
					if err != nil {
						t.Fatal(err)
					}
					return geminiWith(t, gate.token, http.Header{"X-Llm-Priorities": {priority}})
				}
				_, err := client().Models.GenerateContent(t.Context(), model, genai.Text("echo: x"), nil)
				wantGenAIError(t, err, status, kinds[status])
				for _, err := range client().Models.GenerateContentStream(t.Context(), model, genai.Text("echo: x"), nil) {
					wantGenAIError(t, err, status, kinds[status])
				}
			})
		})
	}
	c := geminiWith(t, "llm_wrong", http.Header{})
	_, err := c.Models.GenerateContent(t.Context(), "gemini-2.5-flash", genai.Text("x"), nil)
	wantGenAIError(t, err, 401, "UNAUTHENTICATED")
}

func TestGenAIAbort(t *testing.T) {
	onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
		priority, err := gate.key(providerOf[model], emulator.Behaviour{Endless: true, EventMs: 5})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		marker, n := "marker "+t.Name(), 0
		for _, err := range geminiWith(t, gate.token,
			http.Header{"X-Llm-Priorities": {priority}}).Models.GenerateContentStream(ctx, model, genai.Text(marker), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 5 {
				break
			}
		}
		cancel()
		if err := gate.left(marker); err != nil {
			t.Error(err)
		}
	})
}
