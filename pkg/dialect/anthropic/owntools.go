package anthropic

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// ownTool reads a tool of Anthropic's own. The caller runs some of them, and Anthropic the others.
func ownTool(kind string, v jsonx.Value) chat.Tool {
	t := chat.Tool{Name: v.Get("name").Str(), Raw: v.Clone(), Origin: string(Name)}
	t.Description, t.Parameters = describe(kind)
	if len(t.Parameters) == 0 {
		t.Hosted = hostedTool(kind, v)
	}
	return t
}

// describe describes a tool that the caller runs as a function, with the input that Claude would give it
// (platform.claude.com/docs/en/agents-and-tools/tool-use: bash-tool, text-editor-tool, memory-tool). Others have no
// parameters.
func describe(kind string) (description string, parameters json.RawMessage) {
	switch family, date := cutDate(kind); family {
	case "bash":
		return "Runs commands in a bash session on the user's machine, which keeps its state between calls.",
			json.RawMessage(`{"type":"object","properties":{"command":{"type":"string","description":"The command to run."},` +
				`"restart":{"type":"boolean","description":"True to start the session anew; then there is no command."}}}`)
	case "text_editor":
		commands := []string{"view", "create", "str_replace", "insert"}
		if date < "20250429" { // later versions have no undo_edit
			commands = append(commands, "undo_edit")
		}
		return "Views and edits text files on the user's machine.", commandSchema(commands, editorMembers, "path")
	case "memory":
		return "Keeps notes in files below /memories, which last from one conversation to the next. View that directory first.",
			commandSchema([]string{"view", "create", "str_replace", "insert", "delete", "rename"}, editorMembers+
				`,"old_path":{"type":"string","description":"The file to rename."},"new_path":{"type":"string","description":"Its new path."}`)
	}
	return "", nil
}

const editorMembers = `"path":{"type":"string","description":"The file or directory, as an absolute path."},` +
	`"view_range":{"type":"array","items":{"type":"integer"},"description":"With view: the first and the last line to show; -1 is the end."},` +
	`"file_text":{"type":"string","description":"With create: the file's content."},` +
	`"old_str":{"type":"string","description":"With str_replace: the text to replace, which must occur once."},` +
	`"new_str":{"type":"string","description":"With str_replace: what replaces it."},` +
	`"insert_line":{"type":"integer","description":"With insert: the line after which to insert; 0 is the beginning."},` +
	`"insert_text":{"type":"string","description":"With insert: the text to insert."}`

// commandSchema returns a schema with the member command, which is one of the words, and others.
func commandSchema(commands []string, members string, required ...string) json.RawMessage {
	out := []byte(`{"type":"object","properties":{"command":{"type":"string","enum":`)
	out = jsonx.AppendStrings(out, commands)
	out = append(out, "},"...)
	out = append(out, members...)
	out = append(out, `},"required":`...)
	out = jsonx.AppendStrings(out, append([]string{"command"}, required...))
	return append(out, '}')
}

// cutDate splits the type of a tool of Anthropic's own, such as web_search_20250305.
func cutDate(kind string) (family, date string) {
	i := strings.LastIndexByte(kind, '_')
	if i < 0 || len(kind)-i != 9 || strings.Trim(kind[i+1:], "0123456789") != "" {
		return kind, ""
	}
	return kind[:i], kind[i+1:]
}

// hostedTool returns what a tool does that Anthropic runs; nil if no other provider is known to have the like.
func hostedTool(kind string, v jsonx.Value) *chat.HostedTool {
	family, _ := cutDate(kind)
	near := v.Get("user_location")
	h := &chat.HostedTool{AllowedDomains: stringsOf(v.Get("allowed_domains")), BlockedDomains: stringsOf(v.Get("blocked_domains")),
		Near: chat.Place{City: near.Get("city").Str(), Region: near.Get("region").Str(), Country: near.Get("country").Str(),
			Timezone: near.Get("timezone").Str()}}
	switch {
	case family == "web_search":
		h.Kind = chat.WebSearch
	case family == "web_fetch":
		h.Kind = chat.WebFetch
	case family == "code_execution":
		h.Kind = chat.CodeExecution
	case strings.HasPrefix(family, "tool_search_tool"):
		h.Kind = chat.ToolSearch
	default:
		return nil
	}
	return h
}

func stringsOf(v jsonx.Value) []string {
	var list []string
	for e := v.First(); e.Exists() && v.Kind() == jsonx.Array; e = e.Next() {
		list = append(list, e.Str())
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// hostedType returns the type and the name of Anthropic's tool of the kind, in the version that all models take; both
// are empty if there is none.
func hostedType(kind chat.HostedKind) (toolType, name string) {
	switch kind {
	case chat.WebSearch:
		return "web_search_20250305", "web_search"
	case chat.WebFetch:
		return "web_fetch_20250910", "web_fetch"
	case chat.CodeExecution:
		return "code_execution_20250825", "code_execution"
	}
	return "", ""
}

// hosted writes a tool of another dialect that Anthropic has, too; false if it has not.
func (e *encoder) hosted(h *chat.HostedTool) bool {
	kind, name := hostedType(h.Kind)
	if kind == "" {
		return false
	}
	e.Member(`{"type":`, kind)
	e.Member(`,"name":`, name)
	switch {
	case len(h.AllowedDomains) > 0 && len(h.BlockedDomains) > 0:
		e.Refuse("tools", "%s takes the domains that may be searched, or those that may not, but not both", e.Provider())
	case len(h.AllowedDomains) > 0:
		e.Out = jsonx.AppendStrings(jsonx.AppendKey(e.Out, "allowed_domains"), h.AllowedDomains)
	case len(h.BlockedDomains) > 0:
		e.Out = jsonx.AppendStrings(jsonx.AppendKey(e.Out, "blocked_domains"), h.BlockedDomains)
	}
	if h.Near != (chat.Place{}) && h.Kind == chat.WebSearch {
		e.Raw(`,"user_location":{"type":"approximate"`)
		for _, m := range [...]struct{ name, value string }{
			{"city", h.Near.City}, {"region", h.Near.Region}, {"country", h.Near.Country}, {"timezone", h.Near.Timezone},
		} {
			if m.value != "" {
				e.Key(m.name)
				e.Str(m.value)
			}
		}
		e.Raw("}")
	}
	e.Raw("}")
	return true
}
