package sdk

import (
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

func request(model, text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: model, Instructions: openai.String("Be brief."), Store: openai.Bool(false),
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}}
}

// responded requests the answer whole and streamed, and expects no difference. A stream's last event has the whole answer.
func responded(t *testing.T, c openai.Client, params responses.ResponseNewParams) responses.Response {
	t.Helper()
	whole, err := c.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	stream := c.Responses.NewStreaming(t.Context(), params)
	defer stream.Close()
	var last responses.Response
	var text strings.Builder
	for number := int64(0); stream.Next(); number++ {
		ev := stream.Current()
		if ev.SequenceNumber != number {
			t.Errorf("event %d has the number %d", number, ev.SequenceNumber)
		}
		switch ev := ev.AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			text.WriteString(ev.Delta)
		case responses.ResponseCompletedEvent:
			last = ev.Response
		case responses.ResponseIncompleteEvent:
			last = ev.Response
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if whole.OutputText() != last.OutputText() || whole.OutputText() != text.String() || whole.Status != last.Status ||
		len(whole.Output) != len(last.Output) ||
		whole.Usage.InputTokens != last.Usage.InputTokens || whole.Usage.OutputTokens != last.Usage.OutputTokens ||
		whole.Usage.TotalTokens == 0 {
		t.Errorf("whole    %s\nstreamed %s, %q", whole.RawJSON(), last.RawJSON(), text.String())
	}
	return *whole
}

func TestOpenAIResponses(t *testing.T) {
	c := openAI()
	onEach(t, append([]string{"gpt-5.6-sol"}, models...), func(t *testing.T, model string) {
		if got := responded(t, c, request(model, "echo: Grüezi, Welt 🌍")); got.OutputText() != "Grüezi, Welt 🌍" ||
			got.Status != "completed" {
			t.Error(got.RawJSON())
		}
		params := request(model, "words: 50")
		params.MaxOutputTokens = openai.Int(16)
		if got := responded(t, c, params); got.Status != "incomplete" || got.IncompleteDetails.Reason != "max_output_tokens" {
			t.Error(got.RawJSON())
		}
	})
}

func TestOpenAIResponsesTools(t *testing.T) {
	c := openAI()
	onEach(t, append([]string{"gpt-5.6-sol"}, models...), func(t *testing.T, model string) {
		input := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage("call all", responses.EasyInputMessageRoleUser)}
		params := request(model, "")
		params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: input}
		params.Include = []responses.ResponseIncludable{responses.ResponseIncludableReasoningEncryptedContent}
		params.Tools = []responses.ToolUnionParam{
			responses.ToolParamOfFunction("weather",
				map[string]any{"type": "object", "additionalProperties": false, "required": []string{"city"},
					"properties": map[string]any{"city": map[string]any{"type": "string"}}}, true),
			responses.ToolParamOfFunction("clock",
				map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}}, true),
		}
		got := responded(t, c, params)
		results := map[string]string{"weather": "sunny", "clock": "noon"}
		arguments := map[string]string{"weather": `{"city":"Zürich 🌍"}`, "clock": `{}`}
		var outputs responses.ResponseInputParam
		for _, item := range got.Output {
			switch item := item.AsAny().(type) {
			case responses.ResponseReasoningItem:
				reasoning := item.ToParam()
				input = append(input, responses.ResponseInputItemUnionParam{OfReasoning: &reasoning})
			case responses.ResponseFunctionToolCall:
				call := item.ToParam()
				input = append(input, responses.ResponseInputItemUnionParam{OfFunctionCall: &call})
				output := responses.ResponseInputItemParamOfFunctionCallOutput(results[item.Name])
				output.OfFunctionCallOutput.CallID = openai.String(item.CallID)
				outputs = append(outputs, output)
				if !sameJSON(item.Arguments, arguments[item.Name]) {
					t.Errorf("%s is called with %s", item.Name, item.Arguments)
				}
			}
		}
		if len(outputs) != 2 {
			t.Fatal(got.RawJSON())
		}
		params.Input.OfInputItemList = append(input, outputs...)
		if got := responded(t, c, params); !strings.Contains(got.OutputText(), "sunny; noon") {
			t.Errorf("after the results: %s", got.RawJSON())
		}
	})
}

func TestOpenAIResponsesErrors(t *testing.T) {
	for fault, status := range faults {
		t.Run(string(fault), func(t *testing.T) {
			onEach(t, []string{"gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash"}, func(t *testing.T, model string) {
				var calls counter
				client := func() openai.Client {
					return openAI(withKey(t, providerOf[model], emulator.Behaviour{Fault: fault}), calls.option(), retriesOf(status))
				}
				c := client()
				_, err := c.Responses.New(t.Context(), request(model, "echo: x"))
				wantOpenAIError(t, err, status)
				c = client()
				s := c.Responses.NewStreaming(t.Context(), request(model, "echo: x"))
				for s.Next() {
					t.Errorf("an event: %s", s.Current().RawJSON())
				}
				wantOpenAIError(t, s.Err(), status)
				if calls.n != 2 {
					t.Errorf("the SDK sent two requests %d times", calls.n)
				}
			})
		})
	}
	params := request("gpt-4o-mini", "x")
	params.PreviousResponseID = openai.String("resp_1")
	c := openAI(option.WithMaxRetries(0))
	_, err := c.Responses.New(t.Context(), params)
	if failure := wantOpenAIError(t, err, 400); failure.Param != "previous_response_id" || failure.Code != "previous_response_not_found" {
		t.Errorf("%s: %s", failure.Param, failure.Message)
	}
	_, err = c.Responses.Get(t.Context(), "resp_1", responses.ResponseGetParams{})
	wantOpenAIError(t, err, 404)
}

// A conversation goes on with responses that the gateway stores.
func TestResponsesWithState(t *testing.T) {
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			c := openAI()
			params := request(model, "echo: the first")
			params.Store = openai.Bool(true)
			one, err := c.Responses.New(t.Context(), params)
			if err != nil {
				t.Fatal(err)
			}
			params = request(model, "echo: the second")
			params.PreviousResponseID, params.Store = openai.String(one.ID), openai.Bool(true)
			stream := c.Responses.NewStreaming(t.Context(), params)
			var two responses.Response
			for stream.Next() {
				if e := stream.Current(); e.Type == "response.completed" {
					two = e.Response
				}
			}
			if stream.Err() != nil || two.PreviousResponseID != one.ID || two.OutputText() != "the second" {
				t.Fatalf("%v: %s", stream.Err(), two.RawJSON())
			}
			got, err := c.Responses.Get(t.Context(), two.ID, responses.ResponseGetParams{})
			if err != nil || got.OutputText() != "the second" {
				t.Errorf("%v: %v", err, got)
			}
			items, err := c.Responses.InputItems.List(t.Context(), two.ID, responses.InputItemListParams{Order: "asc"})
			if err != nil || len(items.Data) < 3 || items.Data[0].ID == "" {
				t.Errorf("%v: %v", err, items)
			}
			if err := c.Responses.Delete(t.Context(), one.ID); err != nil {
				t.Error(err)
			}
			_, err = c.Responses.Cancel(t.Context(), two.ID)
			wantOpenAIError(t, err, 400)
		})
	}
}
