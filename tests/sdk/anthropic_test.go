package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/anthropics/anthropic-sdk-go/v2/toolrunner"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

func claude(options ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{option.WithBaseURL(gate.url), option.WithAPIKey(gate.token)}, options...)...)
}

func tell(model, text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: model, MaxTokens: 2000,
		System:   []anthropic.TextBlockParam{{Text: "Be brief."}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))}}
}

// accumulated requests a stream and returns the SDK's accumulated message.
func accumulated(t *testing.T, c anthropic.Client, params anthropic.MessageNewParams) anthropic.Message {
	t.Helper()
	stream := c.Messages.NewStreaming(t.Context(), params)
	defer stream.Close()
	message := anthropic.Message{}
	for stream.Next() {
		if err := message.Accumulate(stream.Current()); err != nil {
			t.Fatalf("the SDK refuses %s: %v", stream.Current().RawJSON(), err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return message
}

// twice requests the answer whole and streamed, and expects no difference.
func twice(t *testing.T, c anthropic.Client, params anthropic.MessageNewParams) anthropic.Message {
	t.Helper()
	whole, err := c.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	s := accumulated(t, c, params)
	if whole.StopReason != s.StopReason || whole.StopSequence != s.StopSequence || whole.Model != s.Model ||
		whole.Role != s.Role || len(whole.Content) != len(s.Content) {
		t.Fatalf("whole    %s\nstreamed %s", whole.RawJSON(), s.RawJSON())
	}
	for i, a := range whole.Content {
		b := s.Content[i]
		if a.Type != b.Type || a.Text != b.Text || a.Thinking != b.Thinking || a.Data != b.Data || a.Name != b.Name ||
			string(a.Input) != "" && !sameJSON(string(a.Input), string(b.Input)) {
			t.Errorf("block %d whole    %s\nblock %d streamed %s", i, a.RawJSON(), i, b.RawJSON())
		}
	}
	in, out := whole.Usage.InputTokens+whole.Usage.CacheReadInputTokens, whole.Usage.OutputTokens
	if in != s.Usage.InputTokens+s.Usage.CacheReadInputTokens || out != s.Usage.OutputTokens || in == 0 || out == 0 {
		t.Errorf("usage whole %s, streamed %s", whole.Usage.RawJSON(), s.Usage.RawJSON())
	}
	return *whole
}

// textOf returns the text of an answer, without reasoning.
func textOf(m anthropic.Message) (text string) {
	for _, block := range m.Content {
		text += block.Text
	}
	return text
}

func TestAnthropicMessages(t *testing.T) {
	c := claude()
	onEach(t, models, func(t *testing.T, model string) {
		if got := twice(t, c, tell(model, "echo: Grüezi, Welt 🌍")); textOf(got) != "Grüezi, Welt 🌍" || got.StopReason != "end_turn" {
			t.Error(got.RawJSON())
		}
		params := tell(model, "words: 50")
		params.MaxTokens = 5
		if got := twice(t, c, params); got.StopReason != "max_tokens" || strings.Count(textOf(got), "word") > 5 {
			t.Error(got.RawJSON())
		}
	})
}

func TestAnthropicTools(t *testing.T) {
	c := claude()
	tools := []anthropic.ToolUnionParam{
		{OfTool: &anthropic.ToolParam{Name: "weather", Description: anthropic.String("The weather of a city"),
			InputSchema: anthropic.ToolInputSchemaParam{Required: []string{"city"},
				Properties: map[string]any{"city": map[string]any{"type": "string"}}}}},
		{OfTool: &anthropic.ToolParam{Name: "clock", Description: anthropic.String("The time of day"),
			InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{}}}},
	}
	onEach(t, models, func(t *testing.T, model string) {
		params := tell(model, "call all")
		params.Tools = tools
		got := twice(t, c, params)
		var calls []anthropic.ToolUseBlock
		for _, block := range got.Content {
			if use, ok := block.AsAny().(anthropic.ToolUseBlock); ok {
				calls = append(calls, use)
			}
		}
		if got.StopReason != "tool_use" || len(calls) != 2 {
			t.Fatal(got.RawJSON())
		}
		if calls[0].Name != "weather" || !sameJSON(string(calls[0].Input), `{"city":"Zürich 🌍"}`) ||
			calls[1].Name != "clock" || !sameJSON(string(calls[1].Input), `{}`) {
			t.Error(got.RawJSON())
		}
		params.Messages = append(params.Messages, got.ToParam(), anthropic.NewUserMessage(
			anthropic.NewToolResultBlock(calls[0].ID, "sunny", false), anthropic.NewToolResultBlock(calls[1].ID, "it stands still", true)))
		if got := textOf(twice(t, c, params)); !strings.Contains(got, "sunny") || !strings.Contains(got, "it stands still") {
			t.Errorf("after the results: %q", got)
		}
	})
}

func TestAnthropicToolRunner(t *testing.T) {
	c := claude()
	onEach(t, models, func(t *testing.T, model string) {
		type place struct {
			City string `json:"city" jsonschema:"required"`
		}
		requested := ""
		weather, err := toolrunner.NewBetaToolFromJSONSchema("weather", "The weather of a city",
			func(_ context.Context, p place) (anthropic.BetaToolResultBlockParamContentUnion, error) {
				requested = p.City
				return anthropic.BetaToolResultBlockParamContentUnion{OfText: &anthropic.BetaTextBlockParam{Text: "sunny"}}, nil
			})
		if err != nil {
			t.Fatal(err)
		}
		runner := c.Beta.Messages.NewToolRunner([]anthropic.BetaTool{weather}, anthropic.BetaToolRunnerParams{
			MaxIterations: 4, BetaMessageNewParams: anthropic.BetaMessageNewParams{Model: model, MaxTokens: 1000,
				Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("call it"))}}})
		got, err := runner.RunToCompletion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if requested != "Zürich 🌍" || got.StopReason != "end_turn" || got.Content[len(got.Content)-1].Text != "The tool said: sunny" {
			t.Errorf("it asked for %q, and in the end: %s", requested, got.RawJSON())
		}
	})
}

func TestAnthropicStructuredOutput(t *testing.T) {
	c := claude()
	onEach(t, []string{"claude-haiku-4-5", "gpt-4o-mini", "gemini-2.5-flash", "mistral-small-latest"}, func(t *testing.T, model string) {
		var person struct {
			Name string `json:"name"`
			Age  int    `json:"age"`
		}
		got, err := c.Beta.Messages.New(t.Context(), anthropic.BetaMessageNewParams{Model: model, MaxTokens: 1000,
			Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("Who are you?"))},
			Betas:    []anthropic.AnthropicBeta{anthropic.AnthropicBetaStructuredOutputs2025_11_13},
			//lint:ignore SA1019 programs still use it
			OutputFormat: anthropic.BetaJSONOutputFormatParam{Schema: &person}})
		if err != nil {
			t.Fatal(err)
		}
		if person.Name != "Zürich 🌍" || person.Age != 7 {
			t.Errorf("%+v from %s", person, got.RawJSON())
		}
		params := tell(model, "Who are you?")
		params.OutputConfig.Format.Schema = map[string]any{"type": "object", "additionalProperties": false, "required": []string{"name"},
			"properties": map[string]any{"name": map[string]any{"type": "string"}}}
		if text := textOf(twice(t, c, params)); json.Unmarshal([]byte(text), &person) != nil || person.Name != "Zürich 🌍" {
			t.Errorf("%q", text)
		}
	})
}

func TestAnthropicImages(t *testing.T) {
	c := claude()
	onEach(t, []string{"claude-haiku-4-5", "gpt-4o-mini", "gemini-2.5-flash", "mistral-small-latest"}, func(t *testing.T, model string) {
		params := tell(model, "echo: Look")
		params.Messages[0].OfUser.Content = append(params.Messages[0].OfUser.Content, anthropic.NewImageBlockBase64("image/png", pixel))
		if got := textOf(twice(t, c, params)); !strings.Contains(got, pixelSeen) {
			t.Errorf("it saw %q", got)
		}
	})
}

func TestAnthropicThinking(t *testing.T) {
	c := claude()
	onEach(t, []string{"claude-haiku-4-5", "gemini-2.5-flash", "deepseek-v4-pro", "gpt-5"}, func(t *testing.T, model string) {
		params := tell(model, "think: Step by step we go")
		params.Thinking = anthropic.ThinkingConfigParamOfEnabled(1024)
		got := twice(t, c, params)
		if textOf(got) != "I have thought about it." {
			t.Error(got.RawJSON())
		}
		if model == "gpt-5" { // OpenAI shows it on its Responses alone
			return
		}
		thought, ok := got.Content[0].AsAny().(anthropic.ThinkingBlock)
		if !ok || !strings.Contains(thought.Thinking, "Step by step we go") {
			t.Fatal(got.RawJSON())
		}
		params.Messages = append(params.Messages, got.ToParam(), anthropic.NewUserMessage(anthropic.NewTextBlock("echo: Go on")))
		if got := twice(t, c, params); textOf(got) != "Go on" {
			t.Errorf("with its thoughts: %s", got.RawJSON())
		}
	})
}

func TestAnthropicCount(t *testing.T) {
	c := claude()
	onEach(t, models, func(t *testing.T, model string) {
		got, err := c.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: model,
			Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("How many words may this be?"))}})
		if err != nil || got.InputTokens < 5 || got.InputTokens > 50 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestAnthropicModels(t *testing.T) {
	c := claude()
	seen := map[string]bool{}
	pages := c.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{Limit: anthropic.Int(7)})
	for pages.Next() {
		m := pages.Current()
		if seen[m.ID] || m.DisplayName == "" || m.CreatedAt.IsZero() {
			t.Errorf("twice, or without a name: %s", m.RawJSON())
		}
		seen[m.ID] = true
	}
	if err := pages.Err(); err != nil {
		t.Fatal(err)
	}
	onEach(t, models, func(t *testing.T, model string) {
		if !seen[model] {
			t.Errorf("it is not in the list of %d", len(seen))
		}
		if m, err := c.Models.Get(t.Context(), model, anthropic.ModelGetParams{}); err != nil || m.ID != model {
			t.Errorf("%+v, %v", m, err)
		}
	})
	_, err := c.Models.Get(t.Context(), "nobody-has-it", anthropic.ModelGetParams{})
	wantAnthropicError(t, err, 404, anthropic.ErrorTypeNotFoundError)
}

func wantAnthropicError(t *testing.T, err error, status int, kind anthropic.ErrorType) {
	t.Helper()
	var failure *anthropic.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%v is no error of the API", err)
	}
	if failure.StatusCode != status || failure.Type() != kind || failure.RequestID == "" ||
		strings.Contains(failure.Error(), "sk-emulated") {
		t.Errorf("%d %s, want %d %s; request %q: %v", failure.StatusCode, failure.Type(), status, kind, failure.RequestID, failure)
	}
}

func TestAnthropicErrors(t *testing.T) {
	kinds := map[int]anthropic.ErrorType{400: anthropic.ErrorTypeInvalidRequestError, 429: anthropic.ErrorTypeRateLimitError,
		502: anthropic.ErrorTypeAPIError, 529: anthropic.ErrorTypeOverloadedError}
	for fault, status := range faults {
		if fault == emulator.Overloaded {
			status = 529
		}
		t.Run(string(fault), func(t *testing.T) {
			onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
				calls := 0
				client := func() anthropic.Client {
					priority, err := gate.key(providerOf[model], emulator.Behaviour{Fault: fault})
					if err != nil {
						t.Fatal(err)
					}
					retries := 2
					if status == 429 {
						retries = 0
					}
					return claude(option.WithHeader("X-LLM-Priorities", priority), option.WithMaxRetries(retries),
						option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
							calls++
							return next(r)
						}))
				}
				c := client()
				_, err := c.Messages.New(t.Context(), tell(model, "echo: x"))
				wantAnthropicError(t, err, status, kinds[status])
				c = client()
				s := c.Messages.NewStreaming(t.Context(), tell(model, "echo: x"))
				for s.Next() {
					t.Errorf("an event: %s", s.Current().RawJSON())
				}
				wantAnthropicError(t, s.Err(), status, kinds[status])
				if calls != 2 {
					t.Errorf("the SDK sent two requests %d times", calls)
				}
			})
		})
	}
	c := claude(option.WithAPIKey("llm_wrong"))
	_, err := c.Messages.New(t.Context(), tell("claude-haiku-4-5", "x"))
	wantAnthropicError(t, err, 401, anthropic.ErrorTypeAuthenticationError)
}

// An error within a stream is an API error with its type.
func TestAnthropicErrorInStream(t *testing.T) {
	onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
		priority, err := gate.key(providerOf[model], emulator.Behaviour{ErrorEvent: true, After: 6})
		if err != nil {
			t.Fatal(err)
		}
		c := claude(option.WithHeader("X-LLM-Priorities", priority))
		s := c.Messages.NewStreaming(t.Context(), tell(model, "words: 100"))
		events := 0
		for s.Next() {
			events++
		}
		if s.Err() == nil || events == 0 || !strings.Contains(s.Err().Error(), "error") {
			t.Errorf("%d events, then %v", events, s.Err())
		}
	})
}

func TestAnthropicAbort(t *testing.T) {
	onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
		priority, err := gate.key(providerOf[model], emulator.Behaviour{Endless: true, EventMs: 5})
		if err != nil {
			t.Fatal(err)
		}
		c := claude(option.WithHeader("X-LLM-Priorities", priority))
		marker := "marker " + t.Name()
		s := c.Messages.NewStreaming(t.Context(), tell(model, marker))
		for range 5 {
			if !s.Next() {
				t.Fatal(s.Err())
			}
		}
		s.Close()
		if err := gate.left(marker); err != nil {
			t.Error(err)
		}
	})
}
