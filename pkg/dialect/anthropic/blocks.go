package anthropic

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// block writes a part that can be sent as a block.
func (e *encoder) block(role chat.Role, p *chat.Part) {
	switch {
	case p.Kind == chat.Text, p.Kind == chat.Refusal:
		e.text(p)
	case isOwn(p):
		e.Out = jsonx.AppendCompact(e.Out, p.Raw)
	case p.Kind == chat.Reason && role == chat.Assistant:
		e.reason(p)
	case p.Kind == chat.Call && role == chat.Assistant:
		e.call(p)
	case p.Kind == chat.Result && role == chat.User:
		e.result(p)
	case role == chat.User && p.Kind == chat.File && p.Dialect == string(Name) && len(p.Raw) > 0:
		e.Out = jsonx.AppendCompact(e.Out, p.Raw)
	case role == chat.User:
		e.media(p)
	default:
		e.Refuse("messages", "instructions to %s can be text alone", e.Provider())
	}
}

func (e *encoder) text(p *chat.Part) {
	e.Member(`{"type":"text","text":`, p.Text)
	if cited := slices.DeleteFunc(slices.Clone(p.Citations), func(c chat.Citation) bool { return !returnable(&c) }); len(cited) > 0 {
		e.Raw(`,"citations":[`)
		for i := range cited {
			e.Comma()
			e.Out = jsonx.AppendCompact(e.Out, cited[i].Raw)
		}
		e.Raw("]")
	}
	e.cache(p.Cache)
	e.Raw("}")
}

// cache writes the member that ends a prefix to be cached.
func (e *encoder) cache(c *chat.CacheMark) {
	if c == nil || !e.Rules.CacheMarks {
		return
	}
	if e.inMessages && e.surplusMarks > 0 {
		e.surplusMarks--
		e.Warn("%s takes %d cache marks: the first ones beyond that are dropped", e.Provider(), maxMarks)
		return
	}
	e.Raw(`,"cache_control":{"type":"ephemeral"`)
	e.Optional(`,"ttl":`, c.TTL)
	e.Raw("}")
}

// reason writes thinking of an earlier turn as it came.
func (e *encoder) reason(p *chat.Part) {
	signature, redacted := ownState(p.State)
	if redacted != "" {
		e.Member(`{"type":"redacted_thinking","data":`, redacted)
	} else {
		e.Member(`{"type":"thinking","thinking":`, p.Text)
		e.Member(`,"signature":`, signature)
	}
	e.Raw("}")
}

// ownState returns the signature or the redacted thinking of a state of Anthropic's; both are empty if it is another
// provider's. OpenRouter names the provider in Format, and has redacted thinking as encrypted.
func ownState(s *chat.ReasoningState) (signature, redacted string) {
	switch {
	case s == nil:
		return "", ""
	case strings.HasPrefix(s.Format, "anthropic"):
		return s.Signature, s.Redacted + s.Encrypted
	case s.Format != "" || s.Encrypted != "" || s.ID != "":
		return "", ""
	}
	return s.Signature, s.Redacted
}

// call writes a call. Its input must be an object: other arguments, such as those of a free-text tool, are put into
// one.
func (e *encoder) call(p *chat.Part) {
	c := p.ToolCall
	e.Member(`{"type":"tool_use","id":`, c.ID)
	e.Member(`,"name":`, c.Name)
	e.Raw(`,"input":`)
	e.Out = appendInput(e.Out, c.Arguments)
	e.cache(p.Cache)
	e.Raw("}")
}

// appendInput writes a call's arguments as an object.
func appendInput(out []byte, arguments string) []byte {
	if body.Blank(arguments) {
		return append(out, "{}"...)
	}
	if v, err := jsonx.Parse([]byte(arguments), jsonx.Lenient); err == nil && v.Kind() == jsonx.Object {
		return jsonx.AppendCompact(out, v.Raw())
	}
	out = body.AppendMember(out, `{"input":`, arguments)
	return append(out, '}')
}

// result writes what a tool returned.
func (e *encoder) result(p *chat.Part) {
	r := p.ToolResult
	e.Member(`{"type":"tool_result","tool_use_id":`, r.CallID)
	if parts := e.sendable(chat.User, r.Parts); len(parts) > 0 {
		e.Raw(`,"content":`)
		e.resultContent(parts)
	}
	if r.IsError {
		e.Raw(`,"is_error":true`)
	}
	e.cache(p.Cache)
	e.Raw("}")
}

func (e *encoder) resultContent(parts []chat.Part) {
	if len(parts) == 1 && parts[0].Kind == chat.Text && parts[0].Cache == nil {
		e.Str(parts[0].Text)
		return
	}
	e.Raw("[")
	e.blocks(chat.User, parts)
	e.Raw("]")
}

func isOwnPart(p chat.Part) bool { return isOwn(&p) }

// isOwn reports whether the part is a block of this dialect that chat has no kind for.
func isOwn(p *chat.Part) bool { return p.Kind == chat.Unrendered && p.Dialect == string(Name) }
