package emulator

import (
	"regexp"
	"slices"
	"strings"
)

// refusePairs checks that each tool call has its result right after it, and each result its call right before.
// Consecutive messages of one role count as one.
func (m *messagesRequest) refusePairs(x *exchange) *failure {
	id := regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	var open []string // calls of the assistant's last message
	known := map[string]bool{}
	for i := 0; i < len(m.Messages); {
		first, role := i, m.Messages[i].Role
		var calls, results []string
		leading := true
		for ; i < len(m.Messages) && m.Messages[i].Role == role; i++ {
			for j, b := range m.Messages[i].blocks {
				switch b.Type {
				case "tool_use":
					if !id.MatchString(b.ID) {
						return x.invalid("messages.%d.content.%d.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'", i, j)
					}
					if known[b.ID] {
						return x.invalid("messages.%d.content.%d: `tool_use` ids must be unique", i, j)
					}
					known[b.ID] = true
					calls = append(calls, b.ID)
				case "tool_result":
					if !slices.Contains(open, b.ToolUseID) {
						return x.invalid("messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", i, j, b.ToolUseID)
					}
					if slices.Contains(results, b.ToolUseID) {
						return x.invalid("messages.%d.content.%d: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s", i, j, b.ToolUseID)
					}
					if leading {
						results = append(results, b.ToolUseID)
					}
				default:
					leading = false
				}
			}
		}
		if f := unanswered(x, open, results, first-1); f != nil {
			return f
		}
		open = calls
	}
	return unanswered(x, open, nil, len(m.Messages)-1)
}

// unanswered refuses calls without a result at the start of the next message.
func unanswered(x *exchange, open, results []string, at int) *failure {
	missing := slices.DeleteFunc(slices.Clone(open), func(id string) bool { return slices.Contains(results, id) })
	if len(missing) == 0 {
		return nil
	}
	return x.invalid("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
		at, strings.Join(missing, ", "))
}
