package openai

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An AnswerFormat describes the answers of a dialect that is Chat Completions under other names.
type AnswerFormat struct {
	// Nulls says that content, refusal and logprobs are null if there are none. Otherwise refusal and
	// logprobs are left out, and the content of a whole answer is empty.
	Nulls bool
	// CustomCalls says that a call of a custom tool has an object custom, with the member input. Otherwise it
	// has the object function of other calls.
	CustomCalls bool
	// UsageAtFinish says that a stream's last chunk has the usage and the finish reason of a choice. Otherwise
	// usage has a chunk of its own, if the client asked for it.
	UsageAtFinish bool

	// The beginning of a member, such as `"tool_calls":[`; of the finish reason, with the comma before it.
	ToolCalls, Citations, FinishReason string
	// The text before and after the signature of a call.
	Signature, SignatureEnd string

	// Head appends a chunk up to the elements of choices. Tail appends the end of a chunk that follows
	// choices and usage.
	Head func(out []byte, start *chat.Event, served *dialect.Served) []byte
	Tail func(out []byte, served *dialect.Served) []byte

	// Usage appends the usage, which may be nil.
	Usage func(out []byte, u *chat.Usage) []byte
	// Reasoning appends the members of a message that have its reasoning, each after a comma.
	Reasoning func(out []byte, parts []chat.Part) []byte
	// ReasoningDelta appends the members of a delta that have a piece of the block's reasoning.
	ReasoningDelta func(out []byte, block *Block, ev *chat.Event) []byte
	// Image appends the nth image of a choice.
	Image func(out []byte, m *chat.Media, n int) []byte
	// Citation appends a citation.
	Citation func(out []byte, c *chat.Citation) []byte
	// Fault appends the body of an error.
	Fault func(out []byte, err *fault.Error, requestID string) []byte
}

// SizeOfAnswer estimates how many bytes a whole answer takes, so that its buffer seldom grows.
func SizeOfAnswer(resp *chat.Response) int {
	n := 768
	for i := range resp.Choices {
		parts := resp.Choices[i].Message.Parts
		n += 128 + len(resp.Choices[i].Logprobs) + body.SizeOfParts(parts)
		for j := range parts {
			if parts[j].Kind == chat.Reason {
				n += 128 + len(parts[j].Text)*9/8 // Chat Completions has it twice
			}
		}
	}
	return n
}

// AppendChoices appends the choices of a whole answer, separated by commas.
func (f *AnswerFormat) AppendChoices(out []byte, choices []chat.Choice, served *dialect.Served) []byte {
	for i := range choices {
		out = jsonx.AppendComma(out)
		out = f.appendChoice(out, &choices[i], wantsFunctions(served))
	}
	return out
}

// wantsFunctions says whether the client uses functions, which OpenAI had before tools.
func wantsFunctions(served *dialect.Served) bool {
	return served.Request != nil && served.Request.FunctionCalls
}

func (f *AnswerFormat) appendChoice(out []byte, c *chat.Choice, functions bool) []byte {
	parts := c.Message.Parts
	refused := hasPart(parts, chat.Refusal)
	out = body.AppendCount(out, `{"index":`, int64(c.Index))
	out = append(out, `,"message":{"role":"assistant","content":`...)
	if f.Nulls && !hasPart(parts, chat.Text) && (refused || hasPart(parts, chat.Call)) {
		out = append(out, "null"...)
	} else {
		out = appendJoined(out, parts, chat.Text)
	}
	switch {
	case refused:
		out = appendJoined(append(out, `,"refusal":`...), parts, chat.Refusal)
	case f.Nulls:
		out = append(out, `,"refusal":null`...)
	}
	out = f.Reasoning(out, parts)
	if functions {
		out = appendFunctionCall(out, parts)
	} else {
		out = AppendList(out, f.ToolCalls, parts, chat.Call, func(out []byte, _ int, p *chat.Part) []byte {
			return append(f.appendCall(append(out, '{'), p.ToolCall), '}')
		})
	}
	out = f.appendCitations(out, parts)
	out = AppendList(out, `"images":[`, parts, chat.Image, func(out []byte, n int, p *chat.Part) []byte {
		return f.Image(out, p.Media, n)
	})
	out = f.closeMessage(out, c.Logprobs)
	return append(appendFinish(out, c.Finish, functions), '}')
}

// closeMessage ends a message or a delta, and appends its choice up to the finish reason.
func (f *AnswerFormat) closeMessage(out, logprobs []byte) []byte {
	out = append(out, '}')
	switch {
	case len(logprobs) > 0:
		out = append(out, `,"logprobs":`...)
		out = jsonx.AppendCompact(out, logprobs)
	case f.Nulls:
		out = append(out, `,"logprobs":null`...)
	}
	return append(out, f.FinishReason...)
}

func appendFinish(out []byte, reason chat.FinishReason, functions bool) []byte {
	if functions && reason == chat.FinishToolCalls {
		reason = "function_call"
	}
	return jsonx.AppendString(out, string(reason))
}

func hasPart(parts []chat.Part, kind chat.PartKind) bool {
	return slices.ContainsFunc(parts, func(p chat.Part) bool { return p.Kind == kind })
}

// appendJoined appends the texts of the parts of a kind as one string.
func appendJoined(out []byte, parts []chat.Part, kind chat.PartKind) []byte {
	out = append(out, '"')
	for i := range parts {
		if parts[i].Kind == kind {
			out = jsonx.AppendEscaped(out, parts[i].Text)
		}
	}
	return append(out, '"')
}

// AppendList appends a member with an array of the parts of a kind, unless there are none. open begins
// the member and the array; write appends the nth element.
func AppendList(out []byte, open string, parts []chat.Part, kind chat.PartKind,
	write func(out []byte, n int, p *chat.Part) []byte) []byte {
	n := 0
	for i := range parts {
		if parts[i].Kind != kind {
			continue
		}
		if n == 0 {
			out = append(jsonx.AppendComma(out), open...)
		}
		out = write(jsonx.AppendComma(out), n, &parts[i])
		n++
	}
	if n > 0 {
		out = append(out, ']')
	}
	return out
}

func (f *AnswerFormat) appendCitations(out []byte, parts []chat.Part) []byte {
	n := 0
	for i := range parts {
		for j := range parts[i].Citations {
			if n == 0 {
				out = append(jsonx.AppendComma(out), f.Citations...)
			}
			out = f.Citation(jsonx.AppendComma(out), &parts[i].Citations[j])
			n++
		}
	}
	if n > 0 {
		out = append(out, ']')
	}
	return out
}

// appendCall appends the members of a tool call.
func (f *AnswerFormat) appendCall(out []byte, c *chat.ToolCall) []byte {
	out = body.AppendMember(out, `"id":`, c.ID)
	switch {
	case !c.Custom:
		out = append(out, `,"type":"function","function":`...)
	case f.CustomCalls:
		out = append(out, `,"type":"custom","custom":`...)
	default:
		out = append(out, `,"type":"custom","function":`...)
	}
	out = body.AppendMember(out, `{"name":`, c.Name)
	if c.Custom && f.CustomCalls {
		out = append(out, `,"input":`...)
	} else {
		out = append(out, `,"arguments":`...)
	}
	out = jsonx.AppendString(out, c.Arguments)
	out = append(out, '}')
	if c.Signature != "" {
		out = append(out, f.Signature...)
		out = jsonx.AppendString(out, c.Signature)
		out = append(out, f.SignatureEnd...)
	}
	return out
}

// appendFunctionCall appends the first call as function_call, of which there can be one.
func appendFunctionCall(out []byte, parts []chat.Part) []byte {
	for i := range parts {
		if parts[i].Kind == chat.Call {
			return appendFunction(append(out, `,"function_call":`...), parts[i].ToolCall)
		}
	}
	return out
}

func appendFunction(out []byte, c *chat.ToolCall) []byte {
	out = body.AppendMember(out, `{"name":`, c.Name)
	out = body.AppendMember(out, `,"arguments":`, c.Arguments)
	return append(out, '}')
}
