// Package replay gives recorded answers of the providers to the official SDKs, in every dialect.
package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go/v2"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/v2/option"
	openaisdk "github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"
	responsessdk "github.com/openai/openai-go/v3/responses"
	"google.golang.org/genai"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// told is what a caller understands of an answer: its text, and its calls with their arguments.
type told struct{ text, calls string }

func (t *told) call(name, arguments string) {
	var v any
	if json.Unmarshal([]byte(arguments), &v) == nil {
		if b, err := json.Marshal(v); err == nil {
			arguments = string(b)
		}
	}
	t.calls += name + arguments + ";"
}

// toldBy is what a canonical answer tells, in every dialect. A free-text call's input is an object's member where the
// dialect has objects alone.
func toldBy(r *chat.Response, objects bool) (t told) {
	if len(r.Choices) == 0 {
		return t
	}
	for _, p := range r.Choices[0].Message.Parts {
		switch {
		case p.Kind == chat.Text, p.Kind == chat.Refusal:
			t.text += p.Text
		case p.Kind == chat.Call && p.ToolCall.Custom && objects:
			input, _ := json.Marshal(map[string]string{"input": p.ToolCall.Arguments})
			t.call(p.ToolCall.Name, string(input))
		case p.Kind == chat.Call && strings.TrimSpace(p.ToolCall.Arguments) == "":
			t.call(p.ToolCall.Name, "{}")
		case p.Kind == chat.Call:
			t.call(p.ToolCall.Name, p.ToolCall.Arguments)
		}
	}
	return t
}

// recorded is an answer of a provider's, as the gateway reads it.
type recorded struct {
	name   string
	answer *chat.Response
	events []chat.Event
}

// recordings are the answers in the folder that RECORDINGS names, of every provider, whole and streamed.
func recordings(t *testing.T) (all []recorded) {
	for name, x := range dialecttest.Exchanges(t) {
		provider, _, _ := strings.Cut(name, "/")
		client := clientOf(provider, x.Request.URL)
		if x.Response.Status != 200 || x.Truncated || client == nil {
			continue
		}
		r := recorded{name: name}
		var err error
		if strings.Contains(name, ".sse.json") {
			r.events, err = eventsOf(client, x.Response.Body)
			var all chat.Assembler
			for i := range r.events {
				all.Add(&r.events[i])
			}
			r.answer = all.Response()
		} else if r.answer, err = client.DecodeResponse([]byte(x.Response.Body)); err == nil {
			r.events = chat.Events(r.answer)
		}
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		all = append(all, r)
	}
	if all = append(all, fixtures(t, dialecttest.Recordings(t))...); len(all) < 250 {
		t.Fatalf("only %d recordings of conversations", len(all))
	}
	return all
}

// fixtures are answers that an SDK's own tests keep: vercel-ai/PACKAGE/NAME.json, or NAME.chunks.txt with an event a line.
func fixtures(t *testing.T, root string) (all []recorded) {
	names, err := filepath.Glob(filepath.Join(root, "vercel-ai", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	odd := map[string]string{
		"parallel-tool-call-wrapper.1.chunks.txt": "the arguments of its call do not end",
		"spliced-message-start.chunks.txt":        "two answers in one",
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(name)
		client := clientOfFixture(filepath.Base(filepath.Dir(name)), string(data))
		if client == nil || odd[base] != "" || strings.Contains(base, "trimmed") {
			continue
		}
		r := recorded{name: "vercel-ai/" + filepath.Base(filepath.Dir(name)) + "/" + base}
		switch {
		case strings.HasSuffix(base, ".chunks.txt"):
			stream := "data:" + strings.ReplaceAll(strings.TrimSpace(string(data)), "\n", "\ndata:")
			r.events, err = eventsOf(client, stream)
			var whole chat.Assembler
			for i := range r.events {
				whole.Add(&r.events[i])
			}
			r.answer = whole.Response()
		case strings.HasSuffix(base, ".json"):
			if r.answer, err = client.DecodeResponse(data); err == nil {
				r.events = chat.Events(r.answer)
			}
		default:
			continue
		}
		var told *chat.Error
		if errors.As(err, &told) && told.Class == "" {
			continue // the provider's error, which other tests read
		}
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		all = append(all, r)
	}
	return all
}

// clientOfFixture tells by a fixture's beginning what it is; nil if it is not a conversation's answer.
func clientOfFixture(pkg, text string) dialect.Client {
	head := text[:min(len(text), 4000)]
	switch {
	case pkg == "anthropic" &&
		(strings.Contains(head, "message_start") || strings.Contains(head, `"stop_reason"`) || strings.Contains(text, `"stop_reason"`)):
		return anthropic.Client{}
	case pkg == "google" && strings.Contains(head, `"candidates"`):
		return gemini.Client{}
	case strings.Contains(head, `"response.created"`), strings.Contains(head,
		`"object": "response"`), strings.Contains(head, `"object":"response"`):
		return responses.Client{}
	case strings.Contains(head, `"chat.completion`):
		return openai.Client{}
	}
	return nil
}

// clientOf is who reads the answer; nil if it is not to a conversation.
func clientOf(provider, url string) dialect.Client {
	path, _, _ := strings.Cut(url, "?")
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return openai.Client{}
	case strings.HasSuffix(path, "/responses"):
		return responses.Client{}
	case provider == "anthropic" && strings.HasSuffix(path, "/messages"):
		return anthropic.Client{}
	case provider == "gemini" && strings.Contains(path, "enerateContent"):
		return gemini.Client{}
	}
	return nil
}

func eventsOf(client dialect.Client, stream string) (events []chat.Event, err error) {
	d := client.NewStreamDecoder()
	for line := range strings.SplitSeq(strings.ReplaceAll(stream, "\r", ""), "\n") {
		data, ok := strings.CutPrefix(line, "data:")
		if !ok {
			continue
		}
		events = d.Decode(events, "", []byte(strings.TrimSpace(data)))
		if n := len(events); n > 0 && (events[n-1].Kind == chat.EventEnd || events[n-1].Kind == chat.EventError) {
			break
		}
	}
	if n := len(events); n == 0 || events[n-1].Kind != chat.EventEnd && events[n-1].Kind != chat.EventError {
		events = d.Close(events)
	}
	if last := events[len(events)-1]; last.Kind == chat.EventError {
		return nil, last.Err
	}
	return events, nil
}

// replay answers every request, whole or streamed as requested.
type replay struct{ whole, streamed []byte }

func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	out, kind := r.whole, "application/json"
	if strings.Contains(string(body), `"stream":true`) || strings.Contains(req.URL.Path, ":stream") {
		out, kind = r.streamed, "text/event-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Write(out)
}

// What any provider was ever recorded to say is understood by the official SDK of every dialect, whole and streamed.
func TestRecordedAnswersReachTheSDKs(t *testing.T) {
	answers := &replay{}
	server := httptest.NewServer(answers)
	defer server.Close()
	readers := readers(t, server.URL)
	served := dialect.Served{RequestID: "r", Provider: "p", Model: "m", Created: 1, Request: &chat.Request{StreamUsage: true}}
	for _, r := range recordings(t) {
		for _, reader := range readers {
			answers.whole = reader.server.EncodeResponse(r.answer, served)
			encoder := reader.server.NewStreamEncoder(served)
			answers.streamed = nil
			for i := range r.events {
				answers.streamed = encoder.Encode(answers.streamed, &r.events[i])
			}
			want := toldBy(r.answer, reader.objects)
			for form, read := range map[string]func(context.Context) (told, error){"whole": reader.whole, "streamed": reader.streamed} {
				if got, err := read(t.Context()); err != nil || got != want {
					t.Errorf("%s, %s, %s: %v\n got %.500q\nwant %.500q", r.name, reader.name, form, err, got, want)
				}
			}
		}
	}
}

// reader requests an answer in one dialect through its SDK.
type reader struct {
	name            string
	server          dialect.Server
	objects         bool // the arguments of calls are objects
	whole, streamed func(context.Context) (told, error)
}

func readers(t *testing.T, url string) []reader {
	openAIClient := openaisdk.NewClient(openaioption.WithAPIKey("k"), openaioption.WithBaseURL(url+"/v1"),
		openaioption.WithUnsafeAllowHTTP())
	anthropicClient := anthropicsdk.NewClient(anthropicoption.WithAPIKey("k"), anthropicoption.WithBaseURL(url))
	geminiClient, err := genai.NewClient(t.Context(),
		&genai.ClientConfig{APIKey: "k", Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: url}})
	if err != nil {
		t.Fatal(err)
	}
	completions := readCompletions{openAIClient}
	items := readResponses{openAIClient}
	messages := readMessages{anthropicClient}
	contents := readContents{geminiClient}
	return []reader{
		{"chat completions", new(openai.Server), false, completions.whole, completions.streamed},
		{"responses", new(responses.Server), false, items.whole, items.streamed},
		{"messages", anthropic.New(), true, messages.whole, messages.streamed},
		{"contents", gemini.NewServer("m", gemini.SSE), true, contents.whole, contents.streamed},
	}
}

type readCompletions struct{ client openaisdk.Client }

func (readCompletions) params() openaisdk.ChatCompletionNewParams {
	return openaisdk.ChatCompletionNewParams{Model: "m", Messages: []openaisdk.ChatCompletionMessageParamUnion{openaisdk.UserMessage("x")}}
}

func (readCompletions) read(r *openaisdk.ChatCompletion) (t told) {
	m := r.Choices[0].Message
	t.text = m.Content + m.Refusal
	for _, c := range m.ToolCalls {
		if c.Type == "custom" {
			t.call(c.Custom.Name, c.Custom.Input)
		} else {
			t.call(c.Function.Name, c.Function.Arguments)
		}
	}
	return t
}

func (r readCompletions) whole(ctx context.Context) (told, error) {
	answer, err := r.client.Chat.Completions.New(ctx, r.params())
	if err != nil {
		return told{}, err
	}
	return r.read(answer), nil
}

func (r readCompletions) streamed(ctx context.Context) (told, error) {
	stream := r.client.Chat.Completions.NewStreaming(ctx, r.params())
	defer stream.Close()
	var all openaisdk.ChatCompletionAccumulator
	custom := told{}
	for stream.Next() {
		chunk := stream.Current()
		if !all.AddChunk(chunk) {
			return told{}, fmt.Errorf("the accumulator refuses %s", chunk.RawJSON())
		}
		for _, choice := range chunk.Choices {
			for _, c := range choice.Delta.ToolCalls {
				// The SDK's type for chunks does not have free-text calls yet.
				var delta struct{ Custom struct{ Name, Input string } }
				if json.Unmarshal([]byte(c.RawJSON()), &delta) == nil && choice.Index == 0 {
					custom.calls += delta.Custom.Name + delta.Custom.Input
				}
			}
		}
	}
	if err := stream.Err(); err != nil {
		return told{}, err
	}
	got := r.read(&all.ChatCompletion)
	if custom.calls != "" {
		got.calls = custom.calls + ";"
	}
	return got, nil
}

type readResponses struct{ client openaisdk.Client }

func (readResponses) params() responsessdk.ResponseNewParams {
	return responsessdk.ResponseNewParams{Model: "m", Input: responsessdk.ResponseNewParamsInputUnion{OfString: openaisdk.String("x")}}
}

func (readResponses) read(r *responsessdk.Response) (t told, err error) {
	for _, item := range r.Output {
		switch v := item.AsAny().(type) {
		case responsessdk.ResponseOutputMessage:
			for _, c := range v.Content {
				t.text += c.Text + c.Refusal
				for _, a := range c.Annotations {
					if a.AsAny() == nil {
						err = fmt.Errorf("the SDK does not know the annotation %s", a.RawJSON())
					}
				}
			}
		case responsessdk.ResponseFunctionToolCall:
			t.call(v.Name, v.Arguments)
		case responsessdk.ResponseCustomToolCall:
			t.call(v.Name, v.Input)
		case nil:
			err = fmt.Errorf("the SDK does not know the item %s", item.RawJSON())
		}
	}
	return t, err
}

func (r readResponses) whole(ctx context.Context) (told, error) {
	answer, err := r.client.Responses.New(ctx, r.params())
	if err != nil {
		return told{}, err
	}
	return r.read(answer)
}

func (r readResponses) streamed(ctx context.Context) (got told, err error) {
	stream := r.client.Responses.NewStreaming(ctx, r.params())
	defer stream.Close()
	deltas, ended := "", false
	for stream.Next() {
		event := stream.Current()
		switch v := event.AsAny().(type) {
		case responsessdk.ResponseCompletedEvent:
			ended = true
			got, err = r.read(&v.Response)
		case responsessdk.ResponseIncompleteEvent:
			ended = true
			got, err = r.read(&v.Response)
		case responsessdk.ResponseTextDeltaEvent:
			deltas += v.Delta
		case responsessdk.ResponseRefusalDeltaEvent:
			deltas += v.Delta
		case nil:
			return got, fmt.Errorf("the SDK does not know the event %s", event.RawJSON())
		}
	}
	switch {
	case stream.Err() != nil:
		return got, stream.Err()
	case !ended:
		return got, fmt.Errorf("the stream did not end")
	case deltas != got.text:
		return got, fmt.Errorf("the deltas say %q", deltas)
	}
	return got, err
}

type readMessages struct{ client anthropicsdk.Client }

func (readMessages) params() anthropicsdk.MessageNewParams {
	return anthropicsdk.MessageNewParams{Model: "m", MaxTokens: 10,
		Messages: []anthropicsdk.MessageParam{anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock("x"))}}
}

func (readMessages) read(m *anthropicsdk.Message) (t told, err error) {
	for _, block := range m.Content {
		switch v := block.AsAny().(type) {
		case anthropicsdk.TextBlock:
			t.text += v.Text
		case anthropicsdk.ToolUseBlock:
			t.call(v.Name, string(v.Input))
		case nil:
			err = fmt.Errorf("the SDK does not know the block %s", block.RawJSON())
		}
	}
	return t, err
}

func (r readMessages) whole(ctx context.Context) (told, error) {
	answer, err := r.client.Messages.New(ctx, r.params())
	if err != nil {
		return told{}, err
	}
	return r.read(answer)
}

func (r readMessages) streamed(ctx context.Context) (told, error) {
	stream := r.client.Messages.NewStreaming(ctx, r.params())
	defer stream.Close()
	var m anthropicsdk.Message
	for stream.Next() {
		if err := m.Accumulate(stream.Current()); err != nil {
			return told{}, err
		}
	}
	if err := stream.Err(); err != nil {
		return told{}, err
	}
	return r.read(&m)
}

type readContents struct{ client *genai.Client }

func (readContents) read(r *genai.GenerateContentResponse, t *told) {
	if len(r.Candidates) == 0 || r.Candidates[0].Content == nil {
		return
	}
	for _, p := range r.Candidates[0].Content.Parts {
		switch {
		case p.FunctionCall != nil:
			arguments, err := json.Marshal(p.FunctionCall.Args)
			if err != nil || p.FunctionCall.Args == nil {
				arguments = []byte("{}")
			}
			t.call(p.FunctionCall.Name, string(arguments))
		case !p.Thought:
			t.text += p.Text
		}
	}
}

func (r readContents) whole(ctx context.Context) (t told, err error) {
	answer, err := r.client.Models.GenerateContent(ctx, "m", genai.Text("x"), nil)
	if err == nil {
		r.read(answer, &t)
	}
	return t, err
}

func (r readContents) streamed(ctx context.Context) (t told, err error) {
	for chunk, err := range r.client.Models.GenerateContentStream(ctx, "m", genai.Text("x"), nil) {
		if err != nil {
			return t, err
		}
		r.read(chunk, &t)
	}
	return t, nil
}
