package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// HostedTypes are the types of the tools that a provider runs.
type HostedTypes map[chat.HostedKind]string

// hostedTool returns what a tool does that one of the providers of this dialect runs; nil if it is unknown.
func hostedTool(kind string) *chat.HostedTool {
	switch kind {
	case "web_search", "web_search_preview", "openrouter:web_search", "browser_search":
		return &chat.HostedTool{Kind: chat.WebSearch}
	case "code_interpreter":
		return &chat.HostedTool{Kind: chat.CodeExecution}
	}
	return nil
}

// hostedTypes returns the tools that the provider runs for the model.
func (r *Rules) hostedTypes(m ModelRules) HostedTypes {
	if m.Hosted != nil {
		return m.Hosted
	}
	return r.Hosted
}

// hostedKinds returns their kinds.
func (t HostedTypes) kinds() []chat.HostedKind {
	var kinds []chat.HostedKind
	for kind := range t {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// hosted writes a tool of another dialect as the provider's own; false if it has none.
func (e *encoder) hosted(t *chat.Tool) bool {
	h := t.Hosted
	kind := e.Rules.hostedTypes(e.Model)[h.Kind]
	if kind == "" {
		return false
	}
	e.Member(`{"type":`, kind)
	switch domains := len(h.AllowedDomains) + len(h.BlockedDomains); {
	case e.Rules.HostedParameters && domains > 0:
		e.Raw(`,"parameters":{`)
		for _, list := range [...]struct {
			name    string
			domains []string
		}{{"allowed_domains", h.AllowedDomains}, {"excluded_domains", h.BlockedDomains}} {
			if len(list.domains) > 0 {
				e.Key(list.name)
				e.Out = jsonx.AppendStrings(e.Out, list.domains)
			}
		}
		e.Raw("}")
	case domains > 0:
		e.RefuseTool(t, "the tool %q is limited to some domains, which %s cannot do", h.Kind, e.Provider())
	}
	if h.Near != (chat.Place{}) {
		e.Warn("the user's location for a %s is not supported by %s: dropped", h.Kind, e.Provider())
	}
	e.Raw("}")
	return true
}

// refuseTool refuses a tool that is neither a function nor the provider's own.
func (e *encoder) refuseTool(t *chat.Tool) {
	e.RefuseTool(t, "the tool %q of type %q cannot be sent to %s", t.Name, body.TypeOf(t), e.Provider())
}
