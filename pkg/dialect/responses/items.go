package responses

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// contentKind is the kind of a text within an item.
type contentKind uint8

const (
	answerText contentKind = iota
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

// reasoningKind returns the kind of a reasoning's text by its state, which may be nil.
func reasoningKind(s *chat.ReasoningState) contentKind {
	if isSummary(s) {
		return summaryText
	}
	return reasoningText
}

// A side is the origin of an item.
type side uint8

const (
	unknownSide side = iota
	modelSide
	callerSide
)

// sideOf returns the origin of an item whose type has no form in package chat: calls of hosted tools, their
// results, and items that control the conversation.
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
	switch { // tools that are newer than this list
	case strings.HasSuffix(kind, "_call"):
		return modelSide
	case strings.HasSuffix(kind, "_call_output"):
		return callerSide
	}
	return unknownSide
}

// isItem says whether an unrendered part is an item of this dialect.
func isItem(p *chat.Part) bool {
	return p.Kind == chat.Unrendered && p.Dialect == string(Name) && len(p.Raw) > 0
}
