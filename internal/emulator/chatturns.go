package emulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var nineLetters = regexp.MustCompile(`^[a-zA-Z0-9]{9}$`)

// toolTurns checks calls and their results.
func (x *exchange) toolTurns() *failure {
	open := map[string]bool{}
	var waiting []string // calls of the assistant without a result
	for i, m := range x.req.Messages {
		if m.Role != "tool" && len(waiting) > 0 {
			if f := x.unanswered(i, waiting); f != nil {
				return f
			}
			waiting = nil
		}
		if m.Role == "tool" {
			if !open[m.ToolCallID] || x.strictPairs() && !slices.Contains(waiting, m.ToolCallID) {
				return x.unasked(i)
			}
			if len(m.Content) == 0 || string(m.Content) == "null" {
				return x.bad(fmt.Sprintf("Invalid value for 'content': expected a string, got null. (messages[%d])", i), "messages")
			}
		}
		waiting = slices.DeleteFunc(waiting, func(id string) bool { return id == m.ToolCallID })
		for j, c := range m.ToolCalls {
			if f := x.callIDRule(i, j, c.ID, waiting); f != nil {
				return f
			}
			open[c.ID] = true
			waiting = append(waiting, c.ID)
		}
		if x.p.id == "deepseek" && x.thinking() && len(m.ToolCalls) > 0 && m.ReasoningContent == nil {
			return &failure{400,
				x.p.errorBody("The `reasoning_content` in the thinking mode must be passed back to the API.",
					"invalid_request_error", "invalid_request_error", "")}
		}
	}
	if len(waiting) > 0 {
		return x.unanswered(len(x.req.Messages), waiting)
	}
	return nil
}

// callIDRule checks a call's id: Mistral's have nine characters and are distinct within a turn, OpenAI's at most 40.
func (x *exchange) callIDRule(i, j int, id string, waiting []string) *failure {
	switch {
	case x.mistrals() && !nineLetters.MatchString(id):
		return &failure{400, object{"object": "error", "type": "invalid_function_call", "param": nil, "code": "3280",
			"message": "Tool call id was " + id + " but must be a-z, A-Z, 0-9, with a length of 9."}}
	case x.mistrals() && slices.Contains(waiting, id):
		return x.disorder("Duplicate tool call id in assistant message")
	case x.p.id == "openai" && len(id) > 40:
		at := fmt.Sprintf("messages[%d].tool_calls[%d].id", i, j)
		return &failure{400, x.p.errorBody(fmt.Sprintf("Invalid '%s': string too long. Expected a string with maximum length 40, but got a string with length %d instead.", at, len(id)),
			"invalid_request_error", "string_above_max_length", at)}
	}
	return nil
}

// strictPairs: the results of a turn follow its calls at once, and each call has one.
func (x *exchange) strictPairs() bool {
	return x.p.id == "openai" || x.p.id == "deepseek" || x.mistrals()
}

// mistrals: the rules of Mistral's models hold, which others serve as well.
func (x *exchange) mistrals() bool {
	return x.p.id == "mistral" || x.p.id == "openrouter" && strings.HasPrefix(x.req.Model, "mistralai/")
}

func (x *exchange) unasked(i int) *failure {
	return x.bad("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", fmt.Sprintf("messages.[%d].role", i))
}

// unanswered is the stricter providers' error for calls without results before message i.
func (x *exchange) unanswered(i int, calls []string) *failure {
	switch {
	case x.mistrals():
		return x.disorder("Not the same number of function calls and responses")
	case x.strictPairs():
		return x.bad("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: "+strings.Join(calls, ", "), fmt.Sprintf("messages.[%d].role", i))
	}
	return nil
}

func (x *exchange) disorder(message string) *failure {
	return &failure{400, object{"object": "error", "type": "invalid_request_message_order", "param": nil, "code": "3230",
		"message": message}}
}

// roleOrder checks which role follows which, and who speaks last: Mistral's rules (mistral-common, validator.py), and
// that of Claude 4.6 and later, which OpenRouter hands on.
func (x *exchange) roleOrder() *failure {
	last := x.req.Messages[len(x.req.Messages)-1]
	if name, ok := strings.CutPrefix(x.req.Model, "anthropic/"); ok && x.p.id == "openrouter" {
		name, _, _ = strings.Cut(strings.ReplaceAll(name, ".", "-"), ":")
		if last.Role == "assistant" && !claudeOf(name).prefills() {
			return x.bad("This model does not support assistant message prefill. The conversation must end with a user message.", "")
		}
	}
	if !x.mistrals() {
		return nil
	}
	mayFollow := map[string][]string{"system": {"user", "assistant", "system"}, "user": {"assistant", "system", "user"},
		"assistant": {"assistant", "user", "tool"}, "tool": {"assistant", "tool"}}
	for i, m := range x.req.Messages {
		if i > 0 && !slices.Contains(mayFollow[x.req.Messages[i-1].Role], m.Role) {
			return x.disorder("Unexpected role '" + m.Role + "' after role '" + x.req.Messages[i-1].Role + "'")
		}
		if m.Role == "assistant" && len(m.ToolCalls) == 0 && m.text() == "" {
			return x.disorder("Assistant message must have either content or tool_calls, but not none.")
		}
	}
	if last.Role != "user" && last.Role != "tool" && !(last.Role == "assistant" && last.Prefix) {
		return x.disorder("Expected last role User or Tool (or Assistant with prefix True) for serving but got " + last.Role)
	}
	return nil
}

// parts checks what messages hold: OpenAI takes text alone as the result of a tool (recorded), and no files but PDF
// (guide on file inputs).
func (x *exchange) parts() *failure {
	for i, m := range x.req.Messages {
		var parts []struct {
			Type string
			File struct {
				FileData string `json:"file_data"`
			}
		}
		json.Unmarshal(m.Content, &parts)
		for j, p := range parts {
			at := fmt.Sprintf("messages[%d].content[%d]", i, j)
			if m.Role == "tool" && p.Type != "text" && (x.p.id == "openai" || x.mistrals()) {
				return x.bad("Invalid '"+at+"': tool messages may only contain text.", at)
			}
			if mime, _, ok := dataURL(p.File.FileData); ok && x.p.id == "openai" && mime != "application/pdf" {
				return x.bad("Invalid file data: '"+at+".file.file_data'. Expected a file of the type application/pdf, but got "+mime+".", at)
			}
		}
	}
	return nil
}
