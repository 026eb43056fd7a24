package openai_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// A maker makes requests and answers that the dialect can express, so that a round trip loses nothing.
type maker struct{ *rand.Rand }

func (m maker) word() string {
	return strings.Repeat([]string{"é漢", "\"x\"\n", "a", "🙂\\", "<b>"}[m.IntN(5)], 1+m.IntN(4))
}

func (m maker) name() string { return fmt.Sprintf("f_%d", m.IntN(50)) }

func (m maker) maybe() bool { return m.IntN(2) == 0 }

func (m maker) number() *int64 {
	if m.maybe() {
		return nil
	}
	return ptr(1 + m.Int64N(20))
}

func (m maker) float(low, high float64) *float64 {
	if m.maybe() {
		return nil
	}
	return ptr(low + m.Float64()*(high-low))
}

func (m maker) bool() *bool {
	if m.maybe() {
		return nil
	}
	return ptr(m.maybe())
}

func (m maker) pick(words ...string) string { return words[m.IntN(len(words))] }

func (m maker) cache() *chat.CacheMark {
	if m.maybe() {
		return nil
	}
	return &chat.CacheMark{TTL: m.pick("", "5m", "1h")}
}

func (m maker) userParts() []chat.Part {
	var parts []chat.Part
	for range 1 + m.IntN(4) {
		p := text(m.word())
		switch m.IntN(6) {
		case 0:
			p = chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/" + m.name(), Detail: m.pick("", "auto", "low", "high")}}
		case 1:
			p = chat.Part{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/webp", Data: "QUJD"}}
		case 2:
			p = chat.Part{Kind: chat.Audio, Media: &chat.Media{Data: "QQ==", Format: m.pick("wav", "mp3")}}
		case 3:
			p = chat.Part{Kind: chat.File, Media: &chat.Media{MIMEType: "application/pdf", Data: "QUI=", Filename: m.word()}}
		case 4:
			p = chat.Part{Kind: chat.File, Media: &chat.Media{FileID: m.name()}}
		}
		p.Cache = m.cache()
		parts = append(parts, p)
	}
	return parts
}

// answerParts returns the parts of an answer in the order of a message.
func (m maker) answerParts() []chat.Part {
	var parts []chat.Part
	for i := range m.IntN(4) {
		s := &chat.ReasoningState{Format: m.pick("anthropic-claude-v1", "openai-responses-v1", "google-gemini-v1"), Index: i}
		p := chat.Part{Kind: chat.Reason, Text: m.word(), State: s}
		switch m.IntN(4) {
		case 0:
			s.Signature = m.word()
		case 1:
			s.Encrypted, s.ID, s.Summary, s.Format = m.word(), fmt.Sprint("rs_", m.Int()), m.maybe(), "openai-responses-v1"
		case 2:
			p.Text, s.Format, s.Redacted = "", "anthropic-claude-v1", m.word()
		}
		parts = append(parts, p)
	}
	if m.maybe() {
		parts = append(parts, text(m.word()))
	}
	for i := range m.IntN(3) {
		c := &chat.ToolCall{ID: fmt.Sprint("call_", m.Int(), "_", i), Name: m.name(), Arguments: `{"` + m.name() + `": 1}`}
		if m.IntN(4) == 0 {
			c.Custom, c.Arguments = true, m.word()
		}
		parts = append(parts, chat.Part{Kind: chat.Call, ToolCall: c})
	}
	return parts
}

func (m maker) messages() []chat.Message {
	var all []chat.Message
	for range 1 + m.IntN(5) {
		switch m.IntN(3) {
		case 0:
			all = append(all, chat.Message{Role: chat.Role(m.pick("system", "developer")), Parts: []chat.Part{text(m.word())}})
		case 1:
			all = append(all, chat.Message{Role: chat.User, Name: m.pick("", m.word()), Parts: m.userParts()})
		case 2:
			said := chat.Message{Role: chat.Assistant, Name: m.pick("", "bob"), Parts: m.answerParts()}
			if n := len(said.Parts); n == 0 || said.Parts[n-1].Kind == chat.Reason { // one that says nothing is dropped
				said.Parts = append(said.Parts, text(m.word()))
			}
			all = append(all, said)
			for _, p := range said.Parts {
				if p.Kind == chat.Call {
					all = append(all, chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: &chat.ToolResult{
						CallID: p.ToolCall.ID, Name: p.ToolCall.Name, Parts: []chat.Part{text(m.word())}}}}})
				}
			}
		}
	}
	return all
}

func (m maker) tools(r *chat.Request) {
	for i := range m.IntN(4) {
		t := chat.Tool{Name: fmt.Sprintf("t%d", i), Description: m.pick("", m.word()), Parameters: json.RawMessage(`{"type":"object","properties":{"a b":{}},"required":["a b"],"additionalProperties":false}`), Strict: m.bool()}
		if m.IntN(5) == 0 {
			t = chat.Tool{Name: t.Name, Origin: string(openai.Name), Raw: json.RawMessage(`{"type":"custom","custom":{"name":"` + t.Name + `","format":{"type":"text"}}}`)}
		}
		r.Tools = append(r.Tools, t)
	}
	if len(r.Tools) > 0 {
		r.ParallelToolCalls = m.bool()
		mode := chat.ToolMode(m.pick("", "auto", "none", "required", "named"))
		if mode != "" {
			r.ToolChoice = &chat.ToolChoice{Mode: mode}
		}
		if mode == chat.ToolNamed {
			r.ToolChoice.Name = r.Tools[m.IntN(len(r.Tools))].Name
		}
	}
}

func (m maker) request() *chat.Request {
	r := &chat.Request{
		Model: m.name(), Messages: m.messages(),
		MaxTokens: m.number(), Temperature: m.float(0, 2), TopP: m.float(0, 1), TopK: m.number(),
		FrequencyPenalty: m.float(-2, 2), PresencePenalty: m.float(-2, 2), Logprobs: m.bool(), TopLogprobs: m.number(),
		Verbosity: m.pick("", "low", "high"), Stream: m.maybe(), ServiceTier: m.pick("", "flex"), User: m.pick("", m.word()), CacheKey: m.pick("", m.word()),
	}
	m.tools(r)
	for range m.IntN(3) {
		r.Stop = append(r.Stop, m.word())
	}
	if m.maybe() {
		r.Seed, r.N = ptr(m.Int64()-m.Int64()), ptr(2+m.Int64N(3))
		r.LogitBias = map[string]float64{m.word(): -100, m.name(): 0.5}
		r.Metadata = map[string]string{m.word(): m.word()}
	}
	switch m.IntN(4) {
	case 0:
		r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatJSON}
	case 1:
		r.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatSchema, Name: m.name(), Description: m.pick("", m.word()), Schema: json.RawMessage(`{"type":"object","properties":{}}`), Strict: m.bool()}
	}
	if m.maybe() {
		r.Reasoning = &chat.Reasoning{Effort: m.pick("none", "minimal", "low", "medium", "high", "xhigh", "max")}
	}
	return r
}

// everythingKept returns rules under which the client half loses nothing.
func everythingKept() *openai.Rules {
	return &openai.Rules{AsksStreamUsage: true, ReasoningBack: openai.ReasoningBackDetails, CacheMarks: true}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %s\nwant %s", what, dialecttest.Indented(t, got), dialecttest.Indented(t, want))
	}
}

func TestRequestsComeBack(t *testing.T) {
	for seed := range uint64(600) {
		req := maker{rand.New(rand.NewPCG(seed, 1))}.request()
		req.StreamUsage = req.Stream
		enc, err := openai.Client{Rules: everythingKept()}.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := new(openai.Server).DecodeRequest(enc.Body)
		if err != nil {
			t.Fatalf("%v: %s", err, enc.Body)
		}
		same(t, fmt.Sprintf("seed %d: %s", seed, enc.Body), dialecttest.Placeless(got), req)

		// The zero rules drop cache marks, reasoning and the wish for usage; the rest comes back, too.
		enc, err = openai.Client{}.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err = new(openai.Server).DecodeRequest(enc.Body); err != nil {
			t.Fatalf("%v: %s", err, enc.Body)
		}
		same(t, fmt.Sprintf("seed %d: %s", seed, enc.Body), dialecttest.Placeless(got), plainly(req))
	}
}

// plainly returns the request without the members that the zero rules drop.
func plainly(r *chat.Request) *chat.Request {
	r.StreamUsage = false
	for i := range r.Messages {
		m := &r.Messages[i]
		var parts []chat.Part
		for _, p := range m.Parts {
			if p.Cache = nil; p.Kind != chat.Reason {
				parts = append(parts, p)
			}
		}
		if parts == nil {
			parts = []chat.Part{text("")}
		}
		m.Parts = parts
	}
	return r
}

func (m maker) response() *chat.Response {
	r := &chat.Response{ID: m.word(), Model: m.word(), Created: m.Int64(), ServiceTier: m.pick("", "flex"), SystemFingerprint: m.pick("", "fp_1")}
	for i := range 1 + m.IntN(3) {
		c := chat.Choice{Index: i, Finish: chat.FinishReason(m.pick("stop", "length", "content_filter")), Message: chat.Message{Role: chat.Assistant, Parts: m.answerParts()}}
		for j := range c.Message.Parts {
			switch p := &c.Message.Parts[j]; {
			case p.Kind == chat.Call:
				p.ToolCall.Signature = m.pick("", m.word())
				if c.Finish == chat.FinishStop {
					c.Finish = chat.FinishToolCalls
				}
			case p.Kind == chat.Text && m.maybe():
				raw := json.RawMessage(`{"type":"url_citation","url_citation":{"url":"https://e.com","title":"E","start_index":1,"end_index":3,"odd":[]}}`)
				p.Citations = []chat.Citation{{URL: "https://e.com", Title: "E", Start: 1, End: 3, Raw: raw}}
			}
		}
		if m.IntN(4) == 0 && (len(c.Message.Parts) == 0 || c.Message.Parts[len(c.Message.Parts)-1].Kind != chat.Call) {
			c.Message.Parts = append(c.Message.Parts, chat.Part{Kind: chat.Refusal, Text: m.word()})
		}
		if m.maybe() {
			c.Logprobs = json.RawMessage(`{"content":[{"token":"a","logprob":-0.1}],"refusal":null}`)
		}
		r.Choices = append(r.Choices, c)
	}
	if m.maybe() {
		r.Usage = &chat.Usage{Input: 100, Cached: m.Int64N(50), CacheWrite: m.Int64N(50), InputAudio: m.Int64N(9), Output: 90, Reasoning: m.Int64N(40), OutputAudio: m.Int64N(40)}
		if m.maybe() {
			r.Usage.CostNanos, r.Usage.HasCost = m.Int64N(1<<m.IntN(62)+1), true
		}
	}
	return r
}

// served describes the answers that the tests write; the client asks for the usage.
var served = dialect.Served{RequestID: "r-1", Provider: "p", Model: "m", Created: 1795478400, Request: &chat.Request{StreamUsage: true}}

// written returns the stream that the server half writes of the events.
func written(events []chat.Event) []byte {
	e := new(openai.Server).NewStreamEncoder(served)
	var out []byte
	for i := range events {
		out = e.Encode(out, &events[i])
		if i%3 == 0 {
			out = e.Heartbeat(out)
		}
	}
	return out
}

func TestAnswersComeBack(t *testing.T) {
	for seed := range uint64(400) {
		m := maker{rand.New(rand.NewPCG(seed, 2))}
		want := m.response()
		body := new(openai.Server).EncodeResponse(want, served)
		got, err := openai.Client{}.DecodeResponse(body)
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		same(t, fmt.Sprintf("seed %d, whole: %s", seed, body), got, want)

		for name, events := range map[string][]chat.Event{"stream": chat.Events(want), "shredded": shred(m.Rand, chat.Events(want))} {
			stream := written(events)
			got, complete, failed := collect(t, bytes.NewReader(stream))
			if !complete {
				t.Fatalf("%v: %s", failed, stream)
			}
			same(t, fmt.Sprintf("seed %d, %s: %s", seed, name, stream), got, want)
			if seed < 2 {
				for i := range stream {
					split, _, _ := collect(t, io.MultiReader(bytes.NewReader(stream[:i]), bytes.NewReader(stream[i:])))
					if !reflect.DeepEqual(split, want) {
						t.Fatalf("split at %d", i)
					}
				}
			}
		}
	}
}

// The pieces of parts may come in any order: for each kind, the stream has the text of the whole.
func TestInterleavedStreamIsWhole(t *testing.T) {
	for seed := range uint64(1000) {
		events := dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 5)))
		whole, err := openai.Client{}.DecodeResponse(new(openai.Server).EncodeResponse(dialecttest.Fold(events), served))
		if err != nil {
			t.Fatal(err)
		}
		stream := written(events)
		streamed, complete, failed := collect(t, bytes.NewReader(stream))
		if !complete || failed != nil {
			t.Fatalf("%v: %s", failed, stream)
		}
		byKind(whole)
		byKind(streamed)
		same(t, fmt.Sprintf("seed %d: %s", seed, stream), streamed, whole)
	}
}

// byKind joins the texts of a kind, in the order of whole messages.
func byKind(r *chat.Response) {
	for i := range r.Choices {
		var parts, calls []chat.Part
		for _, kind := range []chat.PartKind{chat.Reason, chat.Text, chat.Refusal} {
			all := ""
			for _, p := range r.Choices[i].Message.Parts {
				if p.Kind == kind {
					all += p.Text
				}
			}
			if all != "" {
				parts = append(parts, chat.Part{Kind: kind, Text: all})
			}
		}
		for _, p := range r.Choices[i].Message.Parts {
			if p.Kind == chat.Image {
				parts = append(parts, p)
			}
			if p.Kind == chat.Call {
				calls = append(calls, p)
			}
		}
		r.Choices[i].Message.Parts = append(parts, calls...)
	}
}

// shred cuts the texts of the events into pieces. The state of reasoning comes first, as from
// OpenRouter, or its signature comes last, as from Anthropic.
func shred(r *rand.Rand, events []chat.Event) []chat.Event {
	var out []chat.Event
	for _, ev := range events {
		piece := chat.Event{Kind: ev.Kind, Choice: ev.Choice, Call: ev.Call, State: ev.State}
		rest := ev.Text
		switch ev.Kind {
		case chat.EventText, chat.EventRefusal:
		case chat.EventCall:
			call := *ev.ToolCall
			rest, call.Arguments = call.Arguments, ""
			out = append(out, chat.Event{Kind: chat.EventCall, Choice: ev.Choice, Call: ev.Call, ToolCall: &call})
			piece.Kind = chat.EventCallArgs
		case chat.EventReason:
			if s := ev.State; s != nil && rest != "" && s.Signature+s.Encrypted != "" {
				open := *s
				open.Signature, open.Encrypted = "", ""
				piece.State = &open
			}
		default:
			out = append(out, ev)
			continue
		}
		for len(rest) > 1 {
			n := 1 + r.IntN(len(rest)-1)
			for n < len(rest) && rest[n]&0xc0 == 0x80 {
				n++
			}
			piece.Text, rest = rest[:n], rest[n:]
			out = append(out, piece)
			piece.State = nil
		}
		if rest != "" || ev.Kind == chat.EventReason && piece.State != nil && ev.Text == "" {
			piece.Text = rest
			out = append(out, piece)
		}
		if s := ev.State; s != nil && ev.Text != "" && s.Signature+s.Encrypted != "" {
			out = append(out, chat.Event{Kind: ev.Kind, Choice: ev.Choice, State: s})
		}
	}
	return out
}
