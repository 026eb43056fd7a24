package openai

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// conversation writes those messages anew that changed, and those that the rules touch: what they say, or the form
// in which they say it. A schema that has to be asked for in words is one more.
func (p *passer) conversation(changed []int) {
	prompt := p.schemaPrompt()
	kept := make([]jsonx.Value, len(p.Req.Messages))
	n, i := 0, 0
	for m := p.root.Get("messages").First(); m.Exists() && i < len(kept); m = m.Next() {
		if !slices.Contains(changed, i) && p.messagePasses(&p.Req.Messages[i]) && p.formPasses(m) {
			kept[i], n = m, n+1
		}
		i++
	}
	if n == len(kept) && prompt == "" {
		return
	}
	written := p.Apart(func() {
		p.Key("messages")
		p.messagesBut(kept, prompt)
	})
	p.edit.Set(p.NameOf("messages"), written.Get("messages").Raw())
	if prompt != "" {
		p.edit.Replace(p.Apart(p.responseFormat), p.NameOf("response_format"))
	}
}

// strict says whether the provider takes no unknown members within messages and tools.
func (p *passer) strict() bool { return len(p.Rules.MessageFields) > 0 }

// messagePasses looks at what a message says.
func (p *passer) messagePasses(m *chat.Message) bool {
	if m.Role == chat.Developer && p.Rules.DeveloperRole == DeveloperAsSystem ||
		m.Name != "" && p.Rules.Names == NamesDropped {
		return false
	}
	for i := range m.Parts {
		if !p.partPasses(&m.Parts[i]) {
			return false
		}
	}
	return true
}

func (p *passer) partPasses(part *chat.Part) bool {
	if part.Cache != nil && p.Rules.CacheMarks == dialect.CacheMarksDropped {
		return false
	}
	switch part.Kind {
	case chat.Image:
		return p.Rules.Images == ImagesKept
	case chat.Audio:
		return p.Rules.Audio != AudioRefused
	case chat.File:
		return p.filePasses(part.Media)
	case chat.Call:
		return p.toolID(part.ToolCall.ID) == part.ToolCall.ID && !(p.strict() && part.ToolCall.Custom)
	case chat.Result:
		return p.resultPasses(part.ToolResult)
	case chat.Unrendered:
		return !p.strict()
	}
	return true
}

func (p *passer) filePasses(m *chat.Media) bool {
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

// resultPasses is false for results with more than text: tool messages hold text alone, and
// the rest follows as a message of the user.
func (p *passer) resultPasses(r *chat.ToolResult) bool {
	for i := range r.Parts {
		if r.Parts[i].Kind != chat.Text || !p.partPasses(&r.Parts[i]) {
			return false
		}
	}
	return p.toolID(r.CallID) == r.CallID
}

// formPasses looks at the form of a message.
func (p *passer) formPasses(m jsonx.Value) bool {
	var t turn
	for f := m.First(); f.Exists(); f = f.Next() {
		if p.strict() && !slices.Contains(p.Rules.MessageFields, string(f.Key())) {
			return false
		}
		t.find(string(f.Key()), f)
	}
	tool := t.role.Is(string(chat.ToolRole))
	switch {
	case t.role.Is(roleFunction), t.functionCall.Given(), t.cache.Given():
		return false
	case t.name.Exists() && !tool && p.Rules.Names == NamesDropped:
		return false // Mistral refuses null, too
	case t.images.Exists() && p.Rules.ReasoningBack != ReasoningBackDetails:
		return false // OpenRouter's
	case t.role.Is(string(chat.Assistant)) && !p.reasoningPasses(&t):
		return false
	case tool && t.content.Kind() != jsonx.String && t.content.Len() == 0:
		return false // OpenAI wants a string then
	}
	for c := t.calls.First(); c.Exists(); c = c.Next() {
		if !p.callPasses(c) {
			return false
		}
	}
	if p.Rules.TextParts == TextPartsJoined && joinable(&t) {
		return false
	}
	for part := t.content.First(); part.Exists(); part = part.Next() {
		if !p.partFormPasses(part) {
			return false
		}
	}
	return true
}

// joinable says whether the content is an array that would be written as a string.
func joinable(t *turn) bool {
	return t.content.Kind() == jsonx.Array &&
		(!t.role.Is(string(chat.User)) || t.content.Len() == 1 && t.content.First().Get("type").Is("text"))
}

// reasoningPasses says whether the reasoning of an earlier turn stands in the field in which the
// provider wants it back, and is there if the provider insists. Who does not know the others' fields may refuse them, null or not.
func (p *passer) reasoningPasses(t *turn) bool {
	content, field, details := t.reasoningContent.Exists(), t.reasoning.Exists(), t.details.Exists()
	switch p.Rules.ReasoningBack {
	case ReasoningBackContent:
		insists := p.Rules.Reasoning == ReasoningThinking && t.calls.Len() > 0
		return !field && !details && (t.reasoningContent.Given() || !insists)
	case ReasoningBackField:
		return !content && !details
	case ReasoningBackDetails:
		return !content
	}
	return !content && !field && !details
}

func (p *passer) callPasses(c jsonx.Value) bool {
	if c.Get("extra_content").Given() {
		return false // Google's, which none of the others knows
	}
	arguments := c.Get("function").Get("arguments")
	return !p.strict() || only(c, "id", "type", "function") && only(c.Get("function"), "name", "arguments") && strings.TrimSpace(arguments.Str()) != ""
}

// only says whether the object has no other members.
func only(v jsonx.Value, names ...string) bool {
	for m := v.First(); m.Exists(); m = m.Next() {
		if !slices.Contains(names, string(m.Key())) {
			return false
		}
	}
	return true
}

// partFormPasses looks at the form of a part: objects and strings are not the same to all.
func (p *passer) partFormPasses(v jsonx.Value) bool {
	kind := v.Get("type").Str()
	inner := v.Get(kind)
	switch kind {
	case "thinking":
		return false
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

// toolsPass looks at the tools.
func (p *passer) toolsPass() bool {
	for t := p.root.Get("tools").First(); t.Exists(); t = t.Next() {
		function := t.Get("function")
		switch {
		case t.Get("cache_control").Given() && p.Rules.CacheMarks == dialect.CacheMarksDropped:
			return false
		case !p.strict() || !function.Given():
		case !only(t, "type", "function"), !only(function, "name", "description", "parameters", "strict"),
			!function.Get("parameters").Given(), function.Get("strict").Kind() == jsonx.Null:
			return false
		}
	}
	return true
}
