package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// fieldsOf returns the fields of a request with every feature, without those that every request has.
func fieldsOf(t *testing.T, provider, model string) string {
	t.Helper()
	var got []string
	for name := range encode(t, table(t, nil).ByID(provider), everything(model)) {
		if !slices.Contains([]string{"messages", "model", "response_format", "stream", "tool_choice", "tools"}, name) {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	return strings.Join(got, " ")
}

// classOf classifies an answer as the gateway does: decoded first.
func classOf(t *testing.T, provider string, status int, header http.Header, body string) *chat.Error {
	t.Helper()
	p := table(t, nil).ByID(provider)
	e := p.Client.DecodeError([]byte(body))
	p.Classify(e, Answer{Status: status, Header: header, Body: []byte(body)}, 0)
	return e
}

func TestXAIFields(t *testing.T) {
	const always = "logprobs max_completion_tokens n parallel_tool_calls seed service_tier stream_options temperature top_logprobs top_p user"
	for model, more := range map[string][]string{
		"grok-4.20-0309-non-reasoning": {"frequency_penalty", "presence_penalty", "stop"},
		"grok-4.20-0309-reasoning":     {},
		"grok-4":                       {},
		"grok-3":                       {"frequency_penalty", "presence_penalty", "stop"},
		"grok-3-mini":                  {"reasoning_effort"},
		"grok-4.3":                     {"reasoning_effort"},
		"grok-4.7":                     {"reasoning_effort"},
		"grok-9":                       {"reasoning_effort"},
	} {
		want := append(strings.Fields(always), more...)
		slices.Sort(want)
		if everything(model).N == nil {
			want = slices.DeleteFunc(want, func(name string) bool { return name == "n" })
		}
		if got := fieldsOf(t, "xai", model); got != strings.Join(want, " ") {
			t.Errorf("%s:\n got %s\nwant %s", model, got, strings.Join(want, " "))
		}
	}
}

// The hand-written levels must agree with the catalogue's.
func TestEffortsAgreeWithTheCatalogue(t *testing.T) {
	tab := table(t, nil)
	for _, id := range []string{"xai", "cerebras"} {
		rules := tab.ByID(id).Client.(openai.Client).Rules
		for m := range catalog.Of(id) {
			i := slices.IndexFunc(rules.Models, func(r openai.ModelRules) bool { return r.Match(m.ID) })
			if i < 0 || !slices.Equal(rules.Models[i].Efforts, m.Efforts()) {
				t.Errorf("%s %s: the catalogue has the efforts %v", id, m.ID, m.Efforts())
			}
		}
	}
}

func TestXAIErrors(t *testing.T) {
	for _, tt := range []struct {
		status int
		code   string
		text   string
		class  chat.Class
	}{
		{400, "Client specified an invalid argument", "Incorrect API key provided: na***ys. You can obtain an API key from https://console.x.ai.", chat.BadKey},
		{401, "Unauthenticated", "No authorization header is provided.", chat.BadKey},
		{403, "The caller does not have permission to execute the specified operation", "Your newly created teams doesn't have any credits yet. You can purchase credits on https://console.x.ai/team/x.", chat.OutOfMoney},
		{403, "The caller does not have permission to execute the specified operation", "The key is blocked.", chat.Forbidden},
		{403, "The caller does not have permission to execute the specified operation", "Content violates usage guidelines.", chat.ContentPolicy},
		{404, "Some requested entity was not found", "The model grok-0 does not exist or your team does not have access to it.", chat.ModelUnknown},
		{400, "Client specified an invalid argument", "This model's maximum prompt length is 131072 but the request contains 156000 tokens.", chat.ContextLength},
		{400, "Client specified an invalid argument", "Argument not supported on this model: stop", chat.BadRequest},
		{429, "Some resource has been exhausted", "Your team x has either used all available credits or reached its monthly spending limit.", chat.OutOfMoney},
		{429, "Some resource has been exhausted", "Too many requests for team x and model grok-4.3.", chat.RateLimited},
		{503, "The service is currently unavailable", "The model is at capacity.", chat.Overloaded},
	} {
		e := classOf(t, "xai", tt.status, nil, fmt.Sprintf(`{"code":%q,"error":%q}`, tt.code, tt.text))
		if e.Class != tt.class || e.Message == "" || strings.Contains(e.Message, tt.code) {
			t.Errorf("%d %s: %s, %q", tt.status, tt.text, e.Class, e.Message)
		}
	}
}

func TestXAIKey(t *testing.T) {
	for body, class := range map[string]chat.Class{
		`{"team_blocked":false,"api_key_blocked":false,"api_key_disabled":false}`: "",
		`{"team_blocked":true}`:     chat.Forbidden,
		`{"api_key_blocked":true}`:  chat.BadKey,
		`{"api_key_disabled":true}`: chat.BadKey,
	} {
		p, c := serve(t, "xai", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/base/api-key" {
				t.Errorf("%s", r.URL)
			}
			w.Write([]byte(body))
		})
		if res := c.Check(deadline(t), p, secret); res.Class != class {
			t.Errorf("%s: %+v", body, res)
		}
	}
}
