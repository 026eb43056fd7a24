package responses

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// hostedTool returns what a tool does that OpenAI runs; nil if no other provider is known to have the like.
func hostedTool(v jsonx.Value) *chat.HostedTool {
	switch kind := v.Get("type").Str(); {
	case kind == "web_search" || strings.HasPrefix(kind, "web_search_"):
		near := v.Get("user_location")
		return &chat.HostedTool{
			Kind:           chat.WebSearch,
			AllowedDomains: stringsOf(v.Get("filters").Get("allowed_domains")),
			BlockedDomains: stringsOf(v.Get("filters").Get("blocked_domains")),
			Near: chat.Place{City: near.Get("city").Str(), Region: near.Get("region").Str(),
				Country: near.Get("country").Str(), Timezone: near.Get("timezone").Str()},
		}
	case kind == "code_interpreter":
		if container := v.Get("container"); container.Kind() == jsonx.String || container.Get("file_ids").Len() > 0 {
			return nil // what it has in it, only OpenAI has
		}
		return &chat.HostedTool{Kind: chat.CodeExecution}
	case kind == "tool_search":
		return &chat.HostedTool{Kind: chat.ToolSearch}
	}
	return nil
}

func stringsOf(v jsonx.Value) []string {
	var list []string
	for e := v.First(); e.Exists() && v.Kind() == jsonx.Array; e = e.Next() {
		list = append(list, e.Str())
	}
	return list
}

// hosted writes a tool of another dialect that OpenAI has, too; false if it has not.
func (e *encoder) hosted(h *chat.HostedTool) bool {
	switch h.Kind {
	case chat.WebSearch:
		e.Raw(`{"type":"web_search"`)
		if len(h.AllowedDomains)+len(h.BlockedDomains) > 0 {
			e.Raw(`,"filters":{`)
			for _, list := range [...]struct {
				name    string
				domains []string
			}{{"allowed_domains", h.AllowedDomains}, {"blocked_domains", h.BlockedDomains}} {
				if len(list.domains) > 0 {
					e.Key(list.name)
					e.Out = jsonx.AppendStrings(e.Out, list.domains)
				}
			}
			e.Raw("}")
		}
		if h.Near != (chat.Place{}) {
			e.Raw(`,"user_location":{"type":"approximate"`)
			e.Optional(`,"city":`, h.Near.City)
			e.Optional(`,"region":`, h.Near.Region)
			e.Optional(`,"country":`, h.Near.Country)
			e.Optional(`,"timezone":`, h.Near.Timezone)
			e.Raw("}")
		}
		e.Raw("}")
	case chat.CodeExecution:
		e.Raw(`{"type":"code_interpreter","container":{"type":"auto"}}`)
	default:
		return false
	}
	return true
}

// hostedType returns the type of the dialect's tool that does the same; empty if there is none.
func hostedType(h *chat.HostedTool) string {
	switch h.Kind {
	case chat.WebSearch:
		return "web_search"
	case chat.CodeExecution:
		return "code_interpreter"
	}
	return ""
}
