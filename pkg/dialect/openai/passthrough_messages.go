package openai

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/schema"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// messagesToKeep returns the messages that can stay as they came, or but for members that say nothing to the provider, at
// their indexes; all says that they are all of them, unchanged.
func (p *passthrough) messagesToKeep(changed []int) (kept [][]byte, all bool) {
	kept, all = make([][]byte, len(p.Req.Messages)), true
	i := 0
	for m := p.root.Get("messages").First(); m.Exists() && i < len(kept); m = m.Next() {
		if _, differs := slices.BinarySearch(changed, i); differs || !p.messageFits(&p.Req.Messages[i]) || !p.formFits(m) {
			all = false
		} else if edit := p.withoutAnswerFields(m); edit != nil {
			kept[i], all = edit.Append(nil), false
		} else {
			kept[i] = m.Raw()
		}
		i++
	}
	return kept, all && i == len(kept)
}

// withoutAnswerFields returns an edit that leaves out what the provider does not take back; nil if there is nothing.
func (p *passthrough) withoutAnswerFields(m jsonx.Value) *jsonx.Edit {
	var edit *jsonx.Edit
	for f := m.First(); f.Exists(); f = f.Next() {
		name := string(f.Key())
		if !p.dropsFromMessage(name) {
			continue
		}
		if edit == nil {
			edit = jsonx.NewEdit(m)
		}
		edit.Drop(name)
		if body.Says(f) && name != "index" {
			p.Warn("messages[].%s is not known to %s: dropped", name, p.Provider())
		}
	}
	return edit
}

// warnLost warns of members that messages lose which are encoded anew: those not kept.
func (p *passthrough) warnLost(kept [][]byte) {
	if !p.Noted("messages[]") {
		return
	}
	d := NewRequestDecoder(&completions, nil)
	i := 0
	for m := p.root.Get("messages").First(); m.Exists() && i < len(kept); m = m.Next() {
		if kept[i] == nil {
			d.message(m)
		}
		i++
	}
	for _, f := range d.Request.Foreign {
		if !f.Essential {
			p.Warn("%s is not known to %s: dropped", f.Name, p.Provider())
		}
	}
}

// dropsFromMessage reports whether the provider does not take the member, which says nothing that could be said otherwise.
func (p *passthrough) dropsFromMessage(name string) bool {
	return p.strict() && !slices.Contains(p.Rules.MessageFields, name) || slices.Contains(p.Rules.DropFromMessages, name)
}

// strict reports whether the provider takes no unknown members within messages and tools.
func (p *passthrough) strict() bool { return len(p.Rules.MessageFields) > 0 }

// continues reports whether the caller says that the last message is to be continued, as Mistral takes it
// (https://docs.mistral.ai/api, prefix of an assistant's message).
func (p *passthrough) continues() bool {
	prefix := false
	for m := p.root.Get("messages").First(); m.Exists(); m = m.Next() {
		prefix, _ = m.Get("prefix").Bool()
	}
	return prefix
}

// keptOf returns the kept messages at the indexes that they have among those that fit.
func keptOf(kept [][]byte, from []int) [][]byte {
	out := make([][]byte, len(from))
	for i, at := range from {
		if at != turns.Made {
			out[i] = kept[at]
		}
	}
	return out
}

// messageFits looks at what a message says.
func (p *passthrough) messageFits(m *chat.Message) bool {
	if m.Role == chat.Developer && p.Rules.NoDeveloperRole ||
		m.Name != "" && p.Rules.NoNames {
		return false
	}
	for i := range m.Parts {
		if !p.partFits(&m.Parts[i]) {
			return false
		}
	}
	return true
}

func (p *passthrough) partFits(part *chat.Part) bool {
	if part.Cache != nil && !p.Rules.CacheMarks {
		return false
	}
	switch part.Kind {
	case chat.Image:
		return !p.Rules.NoImages
	case chat.Audio:
		return p.Rules.Audio != AudioRefused
	case chat.File:
		return p.fileFits(part.Media)
	case chat.Call:
		return !part.ToolCall.Custom || p.Rules.CustomTools
	case chat.Result:
		return p.resultFits(part.ToolResult)
	case chat.Unrendered:
		return !p.strict()
	}
	return true
}

func (p *passthrough) fileFits(m *chat.Media) bool {
	switch p.Rules.Files {
	case FilesRefused:
		return false
	case FileDocumentURL:
		return m.FileID == ""
	case FileObject:
		if m.URL != "" {
			return false
		}
	}
	return m.URL != "" || m.FileID != "" || m.MIMEType != "" // data alone is made a data URL
}

// resultFits reports whether all parts of a result fit.
func (p *passthrough) resultFits(r *chat.ToolResult) bool {
	return !slices.ContainsFunc(r.Parts, func(part chat.Part) bool { return !p.partFits(&part) })
}

// formFits looks at the form of a message.
func (p *passthrough) formFits(m jsonx.Value) bool {
	var t turn
	for f := m.First(); f.Exists(); f = f.Next() {
		t.find(f.Key(), f)
	}
	tool := t.role.Is(string(chat.ToolRole))
	switch {
	case t.role.Is(roleFunction), t.functionCall.Given(), t.cache.Given():
		return false
	case t.name.Exists() && !tool && p.Rules.NoNames:
		return false // Mistral refuses null, too
	case !t.refusal.Empty() && p.dropsFromMessage("refusal"):
		return false // it becomes text
	case t.images.Exists() && p.Rules.ReasoningBack != ReasoningBackDetails:
		return false // OpenRouter's
	case t.role.Is(string(chat.Assistant)) && !p.reasoningFits(&t):
		return false
	case tool && (!body.IsContent(t.content) || t.content.Kind() == jsonx.Array && t.content.Len() == 0):
		return false // OpenAI wants a string then
	}
	for c := t.calls.First(); c.Exists(); c = c.Next() {
		if !p.callFits(c) {
			return false
		}
	}
	if p.Rules.NoTextParts && joinable(&t) {
		return false
	}
	for part := t.content.First(); part.Exists(); part = part.Next() {
		if !p.partFormFits(part) {
			return false
		}
	}
	return true
}

// joinable reports whether the content is an array that would be written as a string.
func joinable(t *turn) bool {
	return t.content.Kind() == jsonx.Array &&
		(!t.role.Is(string(chat.User)) || t.content.Len() == 1 && t.content.First().Get("type").Is("text"))
}

// reasoningFits reports whether the reasoning of an earlier turn stands in the field in which the provider wants it
// back, and is there if the provider insists. Who does not know the others' fields may refuse them, null or not.
func (p *passthrough) reasoningFits(t *turn) bool {
	content, field, details := t.reasoningContent.Exists(), t.reasoning.Exists(), t.details.Exists()
	switch p.Rules.ReasoningBack {
	case ReasoningBackContent:
		insists := p.Rules.Reasoning == ReasoningThinking && t.calls.Len() > 0
		return !field && !details && (t.reasoningContent.Given() || !insists)
	case ReasoningBackField:
		return !content && !details
	case ReasoningBackDetails:
		return !content
	case ReasoningBackParts:
		return !content && !field && !details
	}
	return !content && !field && !details
}

func (p *passthrough) callFits(c jsonx.Value) bool {
	if c.Get("extra_content").Given() || c.Get("index").Exists() && p.dropsFromMessage("index") {
		return false // Google's, which none of the others knows; the place of a call in a stream
	}
	arguments := c.Get("function").Get("arguments")
	return !p.strict() || only(c, "id", "type", "function") && only(c.Get("function"), "name", "arguments") && strings.TrimSpace(arguments.Str()) != ""
}

// only reports whether the object has no other members.
func only(v jsonx.Value, names ...string) bool {
	for m := v.First(); m.Exists(); m = m.Next() {
		if !slices.Contains(names, string(m.Key())) {
			return false
		}
	}
	return true
}

// partFormFits looks at the form of a part: objects and strings are not the same to all.
func (p *passthrough) partFormFits(v jsonx.Value) bool {
	kind := v.Get("type").Str()
	inner := v.Get(kind)
	switch kind {
	case "thinking":
		return p.Rules.ReasoningBack == ReasoningBackParts
	case "image_url":
		if inner.Kind() != jsonx.Object {
			return false
		}
	case "input_audio":
		if (p.Rules.Audio == AudioString) != (inner.Kind() == jsonx.String) {
			return false
		}
	case "file", "document_url":
		if (p.Rules.Files == FileDocumentURL) != (kind == "document_url") {
			return false
		}
	}
	return !p.strict() || only(v, "type", kind, "document_name") && only(inner, "url", "detail", "data", "format")
}

// toolsFit looks at the tools.
func (p *passthrough) toolsFit() bool {
	for t := p.root.Get("tools").First(); t.Exists(); t = t.Next() {
		function := t.Get("function")
		switch {
		case t.Get("cache_control").Given() && !p.Rules.CacheMarks:
			return false
		case !p.strict() || !function.Given():
		case !only(t, "type", "function"), !only(function, "name", "description", "parameters", "strict"),
			!function.Get("parameters").Given(), function.Get("strict").Kind() == jsonx.Null:
			return false
		}
	}
	return true
}

// parametersFit reports whether the provider takes the schemas of all functions.
func (p *passthrough) parametersFit() bool {
	for t := p.root.Get("tools").First(); t.Exists(); t = t.Next() {
		if parameters := t.Get("function").Get("parameters"); parameters.Kind() == jsonx.Object && !schema.Fits(parameters, p.RootForm()) {
			return false
		}
	}
	return true
}

// fixParameters writes the caller's tools with schemas that the provider takes.
func (p *passthrough) fixParameters() {
	if !p.Field("tools", body.Refuses) {
		return
	}
	p.Raw("[")
	for t := p.root.Get("tools").First(); t.Exists(); t = t.Next() {
		p.Comma()
		p.Out = p.WithParameters(p.Out, t, t.Get("function"), "parameters")
	}
	p.Raw("]")
}
