package responses

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// input writes the conversation as items.
func (e *encoder) input() {
	e.Raw("[")
	for i := range e.Req.Messages {
		m := &e.Req.Messages[i]
		if m.Name != "" {
			e.Warn("names of participants are not supported by %s: dropped", e.Provider())
		}
		switch m.Role {
		case chat.Assistant:
			e.assistant(m.Parts)
		case chat.System, chat.Developer, chat.User, chat.ToolRole:
			e.otherMessage(m)
		default:
			e.Refuse("messages", "the role %q cannot be sent to %s", m.Role, e.Provider())
		}
	}
	e.Raw("]")
}

// otherMessage writes a message that is not the assistant's. The results of tools come first, as they must follow
// their calls.
func (e *encoder) otherMessage(m *chat.Message) {
	var rest []chat.Part
	written := false
	for i := range m.Parts {
		switch p := &m.Parts[i]; {
		case p.Kind == chat.Result:
			written = true
			e.Comma()
			if len(p.Raw) > 0 {
				e.Out = jsonx.AppendCompact(e.Out, p.Raw)
			} else {
				e.result(p.ToolResult)
			}
		case isItem(p):
			written = true
			e.Comma()
			e.Out = jsonx.AppendCompact(e.Out, p.Raw)
		default:
			rest = append(rest, *p)
		}
	}
	if len(rest) == 0 && written {
		return
	}
	role := m.Role
	switch {
	case role == chat.ToolRole:
		role = chat.User // media beside the results
	case role == chat.Developer && e.Rules.NoDeveloperRole:
		role = chat.System
	}
	e.Comma()
	e.Member(`{"type":"message","role":`, string(role))
	e.Raw(`,"content":`)
	e.content(rest)
	e.Raw("}")
}

// content writes parts as a string, if there is only one text, or as an array.
func (e *encoder) content(parts []chat.Part) {
	if len(parts) == 0 {
		e.Raw(`""`)
		return
	}
	if len(parts) == 1 && parts[0].Kind == chat.Text {
		e.Str(parts[0].Text)
		return
	}
	e.Raw("[")
	for i := range parts {
		e.Comma()
		e.part(&parts[i])
	}
	e.Raw("]")
}

func (e *encoder) part(p *chat.Part) {
	e.BeginPart(p)
	switch {
	case p.Kind == chat.Text:
		e.Member(`{"type":"input_text","text":`, p.Text)
		e.Raw("}")
	case p.Kind == chat.Image && p.Media != nil && !e.Rules.NoImages:
		e.image(p.Media)
	case p.Kind == chat.File && p.Media != nil && e.Rules.Files != openai.FilesRefused:
		e.file(p.Media)
	case p.Kind == chat.Audio:
		e.RefusePart("audio cannot be sent to %s in its Responses interface", e.Provider())
	default:
		e.RefusePartType()
	}
}

func (e *encoder) image(m *chat.Media) {
	e.Raw(`{"type":"input_image",`)
	switch {
	case m.FileID != "":
		e.Member(`"file_id":`, m.FileID)
	case m.URL != "" || m.Data != "":
		e.Raw(`"image_url":`)
		e.DataURL(m, "image/png")
	default:
		e.RefusePart("this image cannot be sent to %s", e.Provider())
	}
	e.Optional(`,"detail":`, m.Detail)
	e.Raw("}")
}

func (e *encoder) file(m *chat.Media) {
	if body.IsVideo(m) {
		e.RefusePart("video cannot be sent to %s", e.Provider())
	}
	e.Raw(`{"type":"input_file",`)
	switch {
	case m.FileID != "":
		e.Member(`"file_id":`, m.FileID)
	case m.URL != "":
		e.Member(`"file_url":`, m.URL)
	case m.Data != "":
		e.Member(`"filename":`, body.Filename(m))
		e.Raw(`,"file_data":`)
		e.DataURL(m, "application/pdf")
	default:
		e.RefusePart("this file cannot be sent to %s", e.Provider())
	}
	e.Raw("}")
}

// result writes the result of a tool. The type of the item depends on the call.
func (e *encoder) result(r *chat.ToolResult) {
	if e.custom[r.CallID] {
		e.Raw(`{"type":"custom_tool_call_output","call_id":`)
	} else {
		e.Raw(`{"type":"function_call_output","call_id":`)
	}
	e.Str(r.CallID)
	e.Raw(`,"output":`)
	e.content(body.ResultParts(r))
	e.Raw("}")
}

// assistant writes a turn of the model in the order of its parts: reasoning must come back right before the item
// that followed it.
func (e *encoder) assistant(parts []chat.Part) {
	for i := 0; i < len(parts); {
		n := 1
		switch p := &parts[i]; {
		case isText(p.Kind):
			for i+n < len(parts) && isText(parts[i+n].Kind) && parts[i+n].Phase == p.Phase {
				n++
			}
			e.Comma()
			e.message(parts[i : i+n])
		case p.Kind == chat.Call && len(p.Raw) > 0:
			e.Comma()
			e.Out = jsonx.AppendCompact(e.Out, p.Raw)
		case p.Kind == chat.Call:
			e.Comma()
			e.call(p.ToolCall)
		case p.Kind == chat.Reason:
			for i+n < len(parts) && parts[i+n].Kind == chat.Reason && continues(parts[i+n-1].State, parts[i+n].State) {
				n++
			}
			if e.canReturn(parts[i:i+n], parts[i+n:]) {
				e.Comma()
				e.reason(parts[i : i+n])
			}
		case isItem(p):
			e.Comma()
			e.Out = jsonx.AppendCompact(e.Out, p.Raw)
		default:
			e.Warn("%s takes back text, reasoning and calls alone from the assistant: other parts dropped", e.Provider())
		}
		i += n
	}
}

// isText says whether a part of that kind belongs to a message's content.
func isText(kind chat.PartKind) bool { return kind == chat.Text || kind == chat.Refusal }

// message writes a message of the assistant.
func (e *encoder) message(parts []chat.Part) {
	e.Raw(`{"type":"message","role":"assistant","content":[`)
	for i := range parts {
		e.Comma()
		if parts[i].Kind == chat.Text {
			e.Raw(`{"type":"output_text","text":`)
		} else {
			e.Raw(`{"type":"refusal","refusal":`)
		}
		e.Str(parts[i].Text)
		e.Raw("}")
	}
	e.Raw("]")
	e.Optional(`,"phase":`, parts[0].Phase)
	e.Raw("}")
}

func (e *encoder) call(c *chat.ToolCall) {
	member, arguments := `,"arguments":`, c.Arguments
	if c.Custom {
		if e.custom == nil {
			e.custom = make(map[string]bool)
		}
		e.custom[c.ID] = true
		e.Raw(`{"type":"custom_tool_call","call_id":`)
		member = `,"input":`
	} else {
		e.Raw(`{"type":"function_call","call_id":`)
		if body.Blank(arguments) {
			arguments = "{}"
		}
	}
	e.Str(c.ID)
	e.Member(`,"name":`, c.Name)
	e.Optional(`,"namespace":`, c.Group)
	e.Raw(member)
	e.Str(arguments)
	e.Raw("}")
}

// canReturn says whether reasoning can be returned to the provider: it must be encrypted, as nothing is stored
// there, and an item must follow it ("Item of type 'reasoning' was provided without its required following item").
func (e *encoder) canReturn(parts, after []chat.Part) bool {
	last := parts[len(parts)-1].State
	if last == nil || last.Encrypted == "" || foreign(last) {
		e.Warn("reasoning that %s did not encrypt cannot go back to it: dropped", e.Provider())
		return false
	}
	for i := range after {
		if after[i].Kind != chat.Reason {
			return true
		}
	}
	e.Warn("reasoning that nothing followed cannot go back to %s: dropped", e.Provider())
	return false
}

// reason writes a reasoning item unchanged.
func (e *encoder) reason(parts []chat.Part) {
	last := parts[len(parts)-1].State
	e.Raw(`{"type":"reasoning"`)
	e.Optional(`,"id":`, last.ID)
	e.reasoningTexts(`,"summary":[`, summaryText, parts)
	if slices.ContainsFunc(parts, func(p chat.Part) bool { return p.Text != "" && !isSummary(p.State) }) {
		e.reasoningTexts(`,"content":[`, reasoningText, parts)
	}
	e.Member(`,"encrypted_content":`, last.Encrypted)
	e.Raw("}")
}

// reasoningTexts writes the texts of that kind.
func (e *encoder) reasoningTexts(member string, kind contentKind, parts []chat.Part) {
	e.Raw(member)
	for i := range parts {
		if parts[i].Text == "" || reasoningKind(parts[i].State) != kind {
			continue
		}
		e.Comma()
		e.Raw(`{"type":"`)
		e.Raw(kind.name())
		e.Member(`","text":`, parts[i].Text)
		e.Raw("}")
	}
	e.Raw("]")
}
