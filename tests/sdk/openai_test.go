package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// models are of providers that differ most: in their wire format, or in what they refuse.
var models = []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash", "deepseek-flash", "mistral-small-latest"}

// pixel is a PNG of one pixel, and pixelSeen what the emulated models say of it.
const (
	pixel     = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	pixelSeen = "[image image/png 70 bytes]"
)

func openAI(options ...option.RequestOption) openai.Client {
	// The SDK takes no plain HTTP unless it is told that this is meant.
	return openai.NewClient(append([]option.RequestOption{option.WithBaseURL(gate.url + "/v1"), option.WithAPIKey(gate.token),
		option.WithUnsafeAllowHTTP()}, options...)...)
}

// onEach runs the test for each of the models.
func onEach(t *testing.T, models []string, test func(t *testing.T, model string)) {
	for _, model := range models {
		t.Run(model, func(t *testing.T) { test(t, model) })
	}
}

func say(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{
		openai.SystemMessage("Be brief."), openai.UserMessage(text)}}
}

// streamed requests a stream and returns the result of the SDK's accumulator.
func streamed(t *testing.T, c openai.Client, params openai.ChatCompletionNewParams) openai.ChatCompletion {
	t.Helper()
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := c.Chat.Completions.NewStreaming(t.Context(), params)
	defer stream.Close()
	acc := openai.ChatCompletionAccumulator{}
	var finished string
	for stream.Next() {
		if !acc.AddChunk(stream.Current()) {
			t.Fatalf("the accumulator refuses %s", stream.Current().RawJSON())
		}
		if text, ok := acc.JustFinishedContent(); ok {
			finished = text
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if len(acc.Choices) != 1 {
		t.Fatalf("%d choices", len(acc.Choices))
	}
	if finished != acc.Choices[0].Message.Content {
		t.Errorf("the content just finished is %q, the whole one %q", finished, acc.Choices[0].Message.Content)
	}
	return acc.ChatCompletion
}

// both requests the answer whole and streamed, and expects no difference.
func both(t *testing.T, c openai.Client, params openai.ChatCompletionNewParams) openai.ChatCompletion {
	t.Helper()
	whole, err := c.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole.Choices) != 1 {
		t.Fatalf("%d choices", len(whole.Choices))
	}
	s := streamed(t, c, params)
	a, b := whole.Choices[0], s.Choices[0]
	if a.Message.Content != b.Message.Content || a.Message.Refusal != b.Message.Refusal ||
		a.FinishReason != b.FinishReason || whole.Model != s.Model {
		t.Errorf("whole   %+v\nstreamed %+v", a, b)
	}
	if usageOf(whole.Usage) != usageOf(s.Usage) || whole.Usage.TotalTokens == 0 {
		t.Errorf("usage whole %v, streamed %v", usageOf(whole.Usage), usageOf(s.Usage))
	}
	if !slices.EqualFunc(a.Message.ToolCalls, b.Message.ToolCalls, func(a, b openai.ChatCompletionMessageToolCallUnion) bool {
		return a.Function.Name == b.Function.Name && a.Function.Arguments == b.Function.Arguments && a.ID != "" && b.ID != ""
	}) {
		t.Errorf("calls whole %+v, streamed %+v", a.Message.ToolCalls, b.Message.ToolCalls)
	}
	return *whole
}

func usageOf(u openai.CompletionUsage) [4]int64 {
	return [4]int64{u.PromptTokens, u.CompletionTokens, u.TotalTokens, u.CompletionTokensDetails.ReasoningTokens}
}

func TestOpenAIChat(t *testing.T) {
	c := openAI()
	onEach(t, models, func(t *testing.T, model string) {
		got := both(t, c, say(model, "echo: Grüezi, Welt 🌍"))
		if got.Choices[0].Message.Content != "Grüezi, Welt 🌍" || got.Choices[0].FinishReason != "stop" {
			t.Errorf("%+v", got.Choices[0])
		}
		params := say(model, "words: 50")
		params.MaxCompletionTokens = openai.Int(5)
		if got := both(t, c, params).Choices[0]; got.FinishReason != "length" || strings.Count(got.Message.Content, "word") > 5 {
			t.Errorf("cut to five tokens: %+v", got)
		}
	})
}

var toolbox = []openai.ChatCompletionToolUnionParam{
	openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "weather", Description: openai.String("The weather of a city"),
		Parameters: openai.FunctionParameters{"type": "object", "required": []string{"city"},
			"properties": map[string]any{"city": map[string]any{"type": "string"}}}}),
	openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "clock", Description: openai.String("The time of day")}),
}

func TestOpenAITools(t *testing.T) {
	c := openAI()
	onEach(t, models, func(t *testing.T, model string) {
		params := say(model, "call all")
		params.Tools = toolbox
		got := both(t, c, params).Choices[0]
		if got.FinishReason != "tool_calls" || len(got.Message.ToolCalls) != 2 {
			t.Fatalf("%+v", got)
		}
		params.Messages = append(params.Messages, got.Message.ToParam())
		for i, want := range []struct{ name, arguments, result string }{{"weather", `{"city":"Zürich 🌍"}`, "sunny"},
			{"clock", `{}`, "noon"}} {
			call := got.Message.ToolCalls[i]
			if call.Function.Name != want.name || !sameJSON(call.Function.Arguments, want.arguments) {
				t.Errorf("call %d: %+v", i, call.Function)
			}
			params.Messages = append(params.Messages, openai.ToolMessage(want.result, call.ID))
		}
		if got := both(t, c, params).Choices[0]; got.Message.Content != "The tool said: sunny; noon" || got.FinishReason != "stop" {
			t.Errorf("after the results: %+v", got)
		}
		forced := say(model, "What time is it?")
		forced.Tools = toolbox
		forced.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "clock"})
		if got := both(t, c, forced).Choices[0].Message.ToolCalls; len(got) != 1 || got[0].Function.Name != "clock" ||
			got[0].Function.Arguments != "{}" {
			t.Errorf("forced: %+v", got)
		}
	})
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && jsonText(x) == jsonText(y)
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestOpenAIStructuredOutput(t *testing.T) {
	c := openAI()
	schema := map[string]any{"type": "object", "additionalProperties": false, "required": []string{"name", "age"},
		"properties": map[string]any{"name": map[string]any{"type": "string"}, "age": map[string]any{"type": "integer"}}}
	onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash", "mistral-small-latest"}, func(t *testing.T, model string) {
		params := say(model, "Who are you?")
		params.ResponseFormat.OfJSONSchema = &openai.ResponseFormatJSONSchemaParam{
			JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{Name: "person", Schema: schema, Strict: openai.Bool(true)}}
		var person struct {
			Name string
			Age  int
		}
		text := both(t, c, params).Choices[0].Message.Content
		if err := json.Unmarshal([]byte(text), &person); err != nil || person.Name != "Zürich 🌍" || person.Age != 7 {
			t.Errorf("%v, %q", err, text)
		}
	})
}

func TestOpenAIImages(t *testing.T) {
	c := openAI()
	onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash", "mistral-small-latest"}, func(t *testing.T, model string) {
		params := openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{
			openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{openai.TextContentPart("echo: Look"),
				openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + pixel})})}}
		if got := both(t, c, params).Choices[0].Message.Content; !strings.Contains(got, pixelSeen) {
			t.Errorf("it saw %q", got)
		}
	})
}

func TestOpenAIReasoning(t *testing.T) {
	c := openAI()
	onEach(t, []string{"gpt-5", "claude-opus-4-6", "gemini-2.5-flash", "deepseek-v4-pro"}, func(t *testing.T, model string) {
		params := say(model, "think: Step by step we go")
		params.ReasoningEffort = "high"
		got := both(t, c, params)
		if got.Choices[0].Message.Content != "I have thought about it." {
			t.Errorf("%+v", got.Choices[0].Message)
		}
		shown := got.Choices[0].Message.JSON.ExtraFields["reasoning_content"].Raw()
		if model != "gpt-5" && !strings.Contains(shown, "Step by step we go") { // OpenAI keeps its own
			t.Errorf("reasoning_content: %s", shown)
		}
	})
}

func TestOpenAIEmbeddings(t *testing.T) {
	c := openAI()
	onEach(t, []string{"text-embedding-3-small", "mistral-embed", "gemini-embedding-001"}, func(t *testing.T, model string) {
		for _, format := range []openai.EmbeddingNewParamsEncodingFormat{"", openai.EmbeddingNewParamsEncodingFormatFloat} {
			got, err := c.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: model, EncodingFormat: format,
				Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two words"}}})
			if err != nil {
				t.Fatalf("%v: %s", err, err.(*openai.Error).RawJSON())
			}
			if len(got.Data) != 2 || len(got.Data[1].Embedding) == 0 || got.Data[1].Index != 1 ||
				slices.Equal(got.Data[0].Embedding, got.Data[1].Embedding) {
				t.Errorf("%.300s", got.RawJSON())
			}
		}
	})
}

func TestOpenAIModels(t *testing.T) {
	c := openAI()
	list, err := c.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range append([]string{"text-embedding-3-small"}, models...) {
		if !slices.ContainsFunc(list.Data, func(m openai.Model) bool { return m.ID == id && m.Object == "model" && m.OwnedBy != "" }) {
			t.Errorf("%s is not in the list of %d", id, len(list.Data))
		}
	}
	onEach(t, append([]string{"meta-llama/Llama-3.3-70B-Instruct-Turbo"}, models...), func(t *testing.T, model string) {
		if m, err := c.Models.Get(t.Context(), model); err != nil || m.ID != model {
			t.Errorf("%+v, %v", m, err)
		}
	})
	_, err = c.Models.Get(t.Context(), "nobody-has-it")
	wantOpenAIError(t, err, 404)
}

// faults are failures of a provider, and the status that the caller's SDK is to see.
var faults = map[emulator.Fault]int{
	emulator.BadKey: 502, emulator.NoCredit: 502, emulator.RateLimit: 429, emulator.TooLong: 400,
	emulator.ServerError: 502, emulator.HTMLError: 502, emulator.Overloaded: 502,
}

func TestOpenAIErrors(t *testing.T) {
	for fault, status := range faults {
		t.Run(string(fault), func(t *testing.T) {
			onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
				var calls counter
				// A key of its own for each request, because the fault lets it rest.
				client := func() openai.Client {
					return openAI(withKey(t, providerOf[model], emulator.Behaviour{Fault: fault}), calls.option(), retriesOf(status))
				}
				c := client()
				_, err := c.Chat.Completions.New(t.Context(), say(model, "echo: x"))
				wantOpenAIError(t, err, status)
				c = client()
				s := c.Chat.Completions.NewStreaming(t.Context(), say(model, "echo: x"))
				for s.Next() {
					t.Errorf("a chunk: %s", s.Current().RawJSON())
				}
				wantOpenAIError(t, s.Err(), status)
				if calls.n != 2 {
					t.Errorf("the SDK sent two requests %d times", calls.n)
				}
			})
		})
	}
	c := openAI(option.WithAPIKey("llm_wrong"))
	_, err := c.Models.List(t.Context())
	if failure := wantOpenAIError(t, err, 401); failure.Code != "invalid_api_key" {
		t.Errorf("a wrong token: %s %+v", failure.Code, failure)
	}
	c = openAI()
	_, err = c.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "gpt-4o-mini"})
	if failure := wantOpenAIError(t, err, 400); failure.Param != "messages" {
		t.Errorf("no messages: %s %s", failure.Param, failure.Message)
	}
}

// counter counts how often an SDK sends.
type counter struct{ n int }

func (c *counter) option() option.RequestOption {
	return option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		c.n++
		return next(r)
	})
}

// withKey sends requests to a key of its own, with which the provider behaves so.
func withKey(t *testing.T, provider string, behaviour emulator.Behaviour) option.RequestOption {
	t.Helper()
	priority, err := gate.key(provider, behaviour)
	if err != nil {
		t.Fatal(err)
	}
	return option.WithHeader("X-LLM-Priorities", priority)
}

// retriesOf is how often the SDK tries again if it is not told otherwise. Only a rate limit, which passes
// by itself, is worth it: the gateway says of all others that they are not.
func retriesOf(status int) option.RequestOption {
	if status == 429 {
		return option.WithMaxRetries(0)
	}
	return option.WithMaxRetries(2)
}

func wantOpenAIError(t *testing.T, err error, status int) *openai.Error {
	t.Helper()
	var failure *openai.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%v is no error of the API", err)
	}
	if failure.StatusCode != status || failure.Message == "" || failure.Type == "" || strings.Contains(failure.Message, "sk-emulated") {
		t.Errorf("%d %s %q, want %d", failure.StatusCode, failure.Type, failure.Message, status)
	}
	return failure
}

func TestOpenAIRetry(t *testing.T) {
	priority, err := gate.keyOnce("openai", emulator.Behaviour{Fault: emulator.RateLimit, Hint: emulator.NoHint})
	if err != nil {
		t.Fatal(err)
	}
	var calls counter
	c := openAI(option.WithHeader("X-LLM-Priorities", priority), calls.option())
	got, err := c.Chat.Completions.New(t.Context(), say("gpt-4o-mini", "echo: at last"))
	if err != nil || got.Choices[0].Message.Content != "at last" || calls.n < 2 {
		t.Errorf("%v after %d requests: a rate limit passes by itself", err, calls.n)
	}
}

var providerOf = map[string]string{"gpt-4o-mini": "openai", "claude-haiku-4-5": "anthropic", "gemini-2.5-flash": "gemini"}

func TestOpenAIAbort(t *testing.T) {
	onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
		c := openAI(withKey(t, providerOf[model], emulator.Behaviour{Endless: true, EventMs: 5}))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		marker := "marker " + t.Name()
		s := c.Chat.Completions.NewStreaming(ctx, say(model, marker))
		for range 5 {
			if !s.Next() {
				t.Fatal(s.Err())
			}
		}
		cancel()
		for s.Next() {
		}
		if !errors.Is(s.Err(), context.Canceled) {
			t.Errorf("the stream ended with %v", s.Err())
		}
		if err := gate.left(marker); err != nil {
			t.Error(err)
		}
	})
}
