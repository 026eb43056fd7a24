package body

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// ToolNames maps the names that were sent to the caller's names, for functions whose names the provider does not take.
// Nil: all are sent as they are.
type ToolNames map[string]string

// FitToolNames changes the names of functions to what the provider takes: in definitions, in the choice and in
// earlier turns. A name always becomes the same, so that prompts stay in caches. The function copies what the request
// shares with others before it changes it.
func FitToolNames(req *chat.Request, form dialect.ToolNameForm) ToolNames {
	f := fitter{form: form}
	if !ToolNamesFit(req.Tools, form) {
		req.Tools = slices.Clone(req.Tools)
		for i := range req.Tools {
			if t := &req.Tools[i]; len(t.Raw) == 0 {
				t.Name = f.fit(t.Name)
			}
		}
	}
	if c := req.ToolChoice; c != nil && c.Mode == chat.ToolNamed && !fits(c.Name, form) {
		if name := f.fit(c.Name); slices.ContainsFunc(req.Tools, func(t chat.Tool) bool { return t.Name == name }) {
			req.ToolChoice = &chat.ToolChoice{Mode: c.Mode, Name: name}
		}
	}
	copied := false
	for i := range req.Messages {
		if parts := f.parts(req.Messages[i].Parts); parts != nil {
			if !copied {
				req.Messages, copied = slices.Clone(req.Messages), true
			}
			req.Messages[i].Parts = parts
		}
	}
	return f.names
}

// ToolNamesFit reports whether the provider takes the names of all functions.
func ToolNamesFit(tools []chat.Tool, form dialect.ToolNameForm) bool {
	return !slices.ContainsFunc(tools, func(t chat.Tool) bool { return len(t.Raw) == 0 && !fits(t.Name, form) })
}

// fits reports whether the provider takes the name.
func fits(name string, form dialect.ToolNameForm) bool {
	switch form {
	case dialect.ToolNames64:
		return MadeOf(name, 64, "_-")
	case dialect.ToolNames128:
		return MadeOf(name, 128, "_-")
	case dialect.ToolNamesDotted:
		return MadeOf(name, 128, "_-.:") && (name[0] == '_' || name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z')
	}
	return true
}

type fitter struct {
	form  dialect.ToolNameForm
	names ToolNames
}

// fit returns the name as the provider takes it: other characters become underscores, and a digest of the whole name
// keeps names distinct.
func (f *fitter) fit(name string) string {
	if fits(name, f.form) {
		return name
	}
	limit, extra := 128, "_-"
	switch f.form {
	case dialect.ToolNames64:
		limit = 64
	case dialect.ToolNamesDotted:
		extra = "_-.:"
	}
	sum := sha256.Sum256([]byte(name))
	digest := "_" + hex.EncodeToString(sum[:4])
	out := []byte(name)
	for i := range out {
		if !MadeOf(name[i:i+1], 1, extra) {
			out[i] = '_'
		}
	}
	if f.form == dialect.ToolNamesDotted && len(out) > 0 && !fits(string(out[:1]), f.form) {
		out = append([]byte("_"), out...)
	}
	sent := string(out[:min(len(out), limit-len(digest))]) + digest
	if f.names == nil {
		f.names = ToolNames{}
	}
	f.names[sent] = name
	return sent
}

// parts returns a copy of the parts with names that fit; nil if they fit already.
func (f *fitter) parts(parts []chat.Part) []chat.Part {
	var out []chat.Part
	for i := range parts {
		call, result := parts[i].ToolCall, parts[i].ToolResult
		calls := call != nil && !call.Custom && !fits(call.Name, f.form)
		results := result != nil && result.Name != "" && !fits(result.Name, f.form)
		if !calls && !results {
			continue
		}
		if out == nil {
			out = slices.Clone(parts)
		}
		if calls {
			fitting := *call
			fitting.Name = f.fit(call.Name)
			out[i].ToolCall = &fitting
		}
		if results {
			fitting := *result
			fitting.Name = f.fit(result.Name)
			out[i].ToolResult = &fitting
		}
	}
	return out
}

// Restore sets the caller's name of the called function.
func (n ToolNames) Restore(c *chat.ToolCall) {
	if c == nil {
		return
	}
	if name, ok := n[c.Name]; ok {
		c.Name = name
	}
}

// RestoreAnswer restores the names in a whole answer.
func (n ToolNames) RestoreAnswer(r *chat.Response) {
	if n == nil || r == nil {
		return
	}
	for i := range r.Choices {
		for j := range r.Choices[i].Message.Parts {
			n.Restore(r.Choices[i].Message.Parts[j].ToolCall)
		}
	}
}

// RestoreEvents restores the names in events.
func (n ToolNames) RestoreEvents(events []chat.Event) {
	if n == nil {
		return
	}
	for i := range events {
		n.Restore(events[i].ToolCall)
	}
}
