package responses

import (
	"encoding/json"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// contentKind is the kind of a text within an item.
type contentKind uint8

const (
	spokenText contentKind = iota
	refusalText
	summaryText
	reasoningText
)

func (k contentKind) name() string {
	switch k {
	case refusalText:
		return "refusal"
	case summaryText:
		return "summary_text"
	case reasoningText:
		return "reasoning_text"
	}
	return "output_text"
}

// thoughtKind is the kind of the text of reasoning with that state, which may be nil.
func thoughtKind(s *chat.ReasoningState) contentKind {
	if summarizes(s) {
		return summaryText
	}
	return reasoningText
}

// hosted says whether a tool of that type is one that OpenAI runs, or that its models know
// without a description.
func hosted(kind string) bool {
	switch kind {
	case "web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11",
		"file_search", "computer", "computer_use", "computer_use_preview", "code_interpreter", "image_generation", "mcp",
		"local_shell", "shell", "apply_patch", "tool_search", "namespace", "programmatic_tool_calling":
		return true
	}
	return false
}

// side says who an item comes from.
type side uint8

const (
	unknownSide side = iota
	modelSide
	callerSide
)

// sideOf is where an item of that type comes from that has no form in package chat: the calls of
// hosted tools, their results, and what steers the conversation.
func sideOf(kind string) side {
	switch kind {
	case "web_search_call", "file_search_call", "computer_call", "code_interpreter_call", "image_generation_call",
		"local_shell_call", "shell_call", "apply_patch_call", "mcp_list_tools", "mcp_approval_request", "mcp_call",
		"tool_search_call", "program":
		return modelSide
	case "computer_call_output", "local_shell_call_output", "shell_call_output", "apply_patch_call_output",
		"mcp_approval_response", "tool_search_output", "program_output", "compaction", "compaction_trigger", "additional_tools":
		return callerSide
	}
	switch { // of a tool that is newer than this
	case strings.HasSuffix(kind, "_call"):
		return modelSide
	case strings.HasSuffix(kind, "_call_output"):
		return callerSide
	}
	return unknownSide
}

// itemOf says whether a part that was not rendered is an item of this dialect's. Anthropic has
// compactions, too, but does not encrypt them.
func itemOf(raw json.RawMessage) bool {
	root, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return false
	}
	kind := root.Get("type").Str()
	return sideOf(kind) != unknownSide && (kind != "compaction" || !root.Get("encrypted_content").Empty())
}
