package provider

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

func TestProtocol(t *testing.T) {
	tools := func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "f"}} }
	effort := func(level string) func(*chat.Request) {
		return func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Effort: level} }
	}
	budget := func(n int64) func(*chat.Request) {
		return func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Budget: &n} }
	}
	summary := func(r *chat.Request) { r.Reasoning = &chat.Reasoning{Summary: "auto"} }
	several := func(r *chat.Request) { r.N = to(int64(2)) }
	single := func(r *chat.Request) { r.N = to(int64(1)) }
	sound := func(r *chat.Request) {
		r.Messages = append(r.Messages, chat.Message{Role: chat.User, Parts: []chat.Part{{Kind: chat.Audio, Media: &chat.Media{Data: "AAAA"}}}})
	}
	stop := func(r *chat.Request) {
		r.Stop, r.Seed, r.LogitBias = []string{"x"}, to(int64(1)), map[string]float64{"1": 1}
	}
	type changes = []func(*chat.Request)
	for _, c := range []struct {
		provider, model string
		protocol        dialect.Name
		changes         changes
		want            dialect.Name
	}{
		{"openai", "gpt-4.1", "", nil, openai.Name},
		{"openai", "gpt-4.1", openai.Name, changes{tools}, openai.Name},
		{"openai", "gpt-4.1", anthropic.Name, changes{tools, effort("high")}, openai.Name},
		// Models that only Responses serves.
		{"openai", "gpt-5-pro", openai.Name, nil, responses.Name},
		{"openai", "gpt-5.2-pro-2025-12-11", "", nil, responses.Name},
		{"openai", "gpt-5.3-codex", "", nil, responses.Name},
		{"openai", "o3-deep-research", "", nil, responses.Name},
		{"openai", "gpt-5-pro", openai.Name, changes{several}, responses.Name}, // there is no alternative; its errors say what is wrong
		// Functions while the model thinks.
		{"openai", "gpt-5", "", changes{tools, effort("high")}, openai.Name},
		{"openai", "gpt-5.1", "", changes{tools, effort("high")}, openai.Name},
		{"openai", "o4-mini", "", changes{tools, effort("high")}, openai.Name},
		{"openai", "gpt-5.2", "", changes{tools}, openai.Name},
		{"openai", "gpt-5.2", "", changes{tools, summary}, openai.Name},
		{"openai", "gpt-5.2", "", changes{tools, effort("none")}, openai.Name},
		{"openai", "gpt-5.2", "", changes{tools, effort("low")}, responses.Name},
		{"openai", "gpt-5.2", "", changes{tools, effort("minimal")}, responses.Name},
		{"openai", "gpt-5.2", "", changes{tools, budget(0)}, openai.Name},
		{"openai", "gpt-5.2", "", changes{tools, budget(5000)}, responses.Name},
		{"openai", "gpt-5.2", "", changes{effort("high")}, openai.Name},
		{"openai", "gpt-5.4-mini", "", changes{tools}, openai.Name},
		{"openai", "gpt-5.4-2026-03-05", "", changes{tools, effort("high")}, responses.Name},
		{"openai", "gpt-5.5", "", changes{tools}, responses.Name},
		{"openai", "gpt-5.5", openai.Name, changes{tools, effort("none")}, openai.Name},
		{"openai", "gpt-5.5", "", nil, openai.Name},
		{"openai", "gpt-5.6-sol", openai.Name, changes{tools}, responses.Name},
		{"openai", "gpt-5.6", "", changes{tools, budget(0)}, openai.Name},
		{"openai", "gpt-6-sol", "", changes{tools}, responses.Name},
		{"openai", "gpt-6-luna", "", changes{tools, effort("none")}, openai.Name},
		{"openai", "gpt-6-astra", "", changes{tools}, responses.Name},
		{"openai", "gpt-6-astra", "", changes{tools, effort("none")}, responses.Name},
		{"openai", "gpt-6-astra", "", changes{effort("high")}, openai.Name},
		{"openai", "gpt-6.1-terra", "", changes{tools, effort("none")}, responses.Name},
		// A field that Responses refuses decides for Chat Completions; one that it drops does not.
		{"openai", "gpt-5.5", "", changes{tools, several}, openai.Name},
		{"openai", "gpt-5.5", "", changes{tools, single}, responses.Name},
		{"openai", "gpt-5.5", "", changes{tools, sound}, openai.Name},
		{"openai", "gpt-5.5", "", changes{tools, stop}, responses.Name},
		// The caller's own dialect is Responses.
		{"openai", "gpt-4.1", responses.Name, nil, responses.Name},
		{"openai", "gpt-5.5", responses.Name, changes{tools, effort("none")}, responses.Name},
		{"openai", "ft:gpt-4o:acme", responses.Name, nil, responses.Name},
		{"openai", "gpt-99", responses.Name, nil, responses.Name},
		{"openai", "gpt-4o-search-preview", responses.Name, nil, openai.Name},
		{"openai", "gpt-4o-audio-preview-2025-06-03", responses.Name, nil, openai.Name},
		{"openai", "gpt-audio-1.5", responses.Name, nil, openai.Name},
		{"openai", "text-embedding-3-small", responses.Name, nil, openai.Name},
		// The other providers serve one dialect.
		{"groq", "openai/gpt-oss-120b", responses.Name, changes{tools, effort("high")}, openai.Name},
		{"anthropic", "claude-opus-5.5", responses.Name, nil, anthropic.Name},
		{"gemini", "gemini-3-pro", openai.Name, changes{tools}, gemini.Name},
	} {
		req := &chat.Request{Model: c.model}
		for _, change := range c.changes {
			change(req)
		}
		p := table(t, nil).ByID(c.provider)
		s := p.Protocol(c.model, req, c.protocol)
		if s.Dialect() != c.want || s.Common().Provider != p.ID {
			t.Errorf("%s asked %q, tools %d, %+v: %s, want %s", c.model, c.protocol, len(req.Tools), req.Reasoning, s.Dialect(), c.want)
		}
	}
}

// A request that is sent as Responses for its functions is accepted there.
func TestFunctionsReachThinkingModels(t *testing.T) {
	p := table(t, nil).ByID("openai")
	for model, want := range map[string]string{"gpt-5.5": "xhigh", "gpt-6.1-sol": "xhigh", "gpt-5.2": "high", "gpt-5.4-pro": "xhigh", "gpt-5-pro": "high", "gpt-5.2-codex": "high"} {
		req := everything(model)
		s := p.Protocol(model, req, openai.Name)
		enc, err := s.EncodeRequest(req)
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		var out struct {
			Tools     []any
			Reasoning struct{ Effort string }
			Store     *bool
		}
		if err := json.Unmarshal(enc.Body, &out); err != nil {
			t.Fatal(err)
		}
		if s.Dialect() != responses.Name || len(out.Tools) != 1 || out.Reasoning.Effort != want || out.Store == nil || *out.Store || strings.Contains(string(enc.Body), `"temperature"`) {
			t.Errorf("%s in %s: %s", model, s.Dialect(), enc.Body)
		}
	}
	req := everything("gpt-5-pro")
	req.N = to(int64(2))
	s := p.Protocol("gpt-5-pro", req, "")
	var refused *chat.Error
	if _, err := s.EncodeRequest(req); !errors.As(err, &refused) || refused.Param != "n" {
		t.Errorf("two answers of gpt-5-pro: %v", err)
	}
}

func TestState(t *testing.T) {
	stateful, bound := "", ""
	for _, p := range table(t, nil).All() {
		if p.WantsReasoning() {
			stateful += p.ID + " "
		}
		if p.ReasoningBoundToAccount() {
			bound += p.ID + " "
		}
	}
	if stateful != "openai anthropic openrouter gemini fireworks deepseek " || bound != "openai anthropic " {
		t.Errorf("stateful %s, bound %s", stateful, bound)
	}
}

// OpenAI counts tokens in Responses only, also for requests that would be sent as chat completions, but not for those
// that Responses cannot express.
func TestCounter(t *testing.T) {
	sound := []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Audio, Media: &chat.Media{Data: "AAAA"}}}}}
	hello := []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "Hello!"}}}}
	for _, c := range []struct {
		provider, model string
		messages        []chat.Message
		path            string // empty: not at all
	}{
		{"openai", "gpt-4o", hello, "/responses/input_tokens"},
		{"openai", "gpt-5.5-pro", hello, "/responses/input_tokens"},
		{"openai", "gpt-99", hello, "/responses/input_tokens"},
		{"openai", "gpt-4o", sound, ""},
		{"openai", "gpt-4o-search-preview", hello, ""},
		{"anthropic", "claude-haiku-4-5", hello, "/v1/messages/count_tokens"},
		{"gemini", "gemini-2.5-flash", hello, "/v1beta/models/gemini-2.5-flash:countTokens"},
		{"groq", "openai/gpt-oss-120b", hello, ""},
		{"deepseek", "deepseek-flash", hello, ""},
	} {
		req := &chat.Request{Model: c.model, Messages: c.messages}
		path := ""
		if counter := table(t, nil).ByID(c.provider).Counter(c.model, req); counter != nil {
			enc, err := counter.EncodeCount(req)
			if err != nil {
				t.Errorf("%s: %v", c.model, err)
			}
			path = enc.Path
		}
		if path != c.path {
			t.Errorf("%s at %s is counted at %q, want %q", c.model, c.provider, path, c.path)
		}
	}
}
