package body

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// ToolName reads the name of a function. It allows what any provider takes; most take less.
func (r *Reader) ToolName(v jsonx.Value) string {
	s := r.Str(v)
	if v.Kind() == jsonx.String && !MadeOf(s, 128, "_-.:") && (r.Passes == nil || s == "") { // others are sent under a name that fits
		r.Add(v, "expected 1 to 128 letters, digits, underscores, hyphens, dots or colons")
	}
	return s
}

// maxCallID is the most bytes of a call's id. Some servers put a signature into it.
const maxCallID = 4096

// CallID reads the id of a call, of a file or the like.
func (r *Reader) CallID(v jsonx.Value) string {
	s := r.Str(v)
	if v.Kind() == jsonx.String && (s == "" || len(s) > maxCallID) {
		r.Add(v, "expected 1 to %d bytes", maxCallID)
	}
	return s
}

// Call notes which function a call is of: its result has only the id.
func (r *Reader) Call(id, function string) {
	if r.called == nil {
		r.called = make(map[string]string)
	}
	r.called[id] = function
}

// SignCall remembers the provider's signature of the call with the id, which follows.
func (r *Reader) SignCall(id, signature string) {
	if r.signatures == nil {
		r.signatures = make(map[string]string)
	}
	r.signatures[id] = signature
}

// SignatureOf returns the signature of the call with the id; empty if none came.
func (r *Reader) SignatureOf(id string) string { return r.signatures[id] }

// Called returns the function of the latest call with the id; empty if there is none.
func (r *Reader) Called(id string) string { return r.called[id] }

// Names are the names of tools so far.
type Names map[string]bool

// Distinct adds an issue if an earlier tool has the name, which may be missing.
func (r *Reader) Distinct(seen *Names, name jsonx.Value) {
	s := name.Str()
	switch {
	case s == "":
	case (*seen)[s]:
		r.Unfit(name, "there are two tools of the name %s", Quote(s))
	case *seen == nil:
		*seen = Names{s: true}
	default:
		(*seen)[s] = true
	}
}

// CheckChoice adds an issue at the request's member of that name if the choice wants tools that are not there,
// of which it speaks as the noun.
func (r *Reader) CheckChoice(request jsonx.Value, member, noun string, req *chat.Request) {
	c := req.ToolChoice
	if c == nil {
		return
	}
	switch {
	case c.Mode == chat.ToolRequired && len(req.Tools) == 0:
		r.Unfit(request.Get(member), "a tool must be called, but tools has none")
	case c.Mode == chat.ToolNamed && c.Name != "" && Named(req.Tools, c.Name) == nil:
		r.Unfit(request.Get(member), "tools has no %s", strings.TrimSpace(noun+" "+Quote(c.Name)))
	}
}

// Tools writes tools, each with the function given.
func (w *Writer) Tools(tool func(*chat.Tool)) {
	if len(w.Req.Tools) == 0 || !w.Field("tools", Refuses) {
		return
	}
	w.Raw("[")
	for i := range w.Req.Tools {
		w.Comma()
		tool(&w.Req.Tools[i])
	}
	w.Raw("]")
}

// LacksTools reports whether the request has no tools; it refuses the request if one must be called.
func (w *Writer) LacksTools() bool {
	if len(w.Req.Tools) > 0 {
		return false
	}
	if c := w.Req.ToolChoice; c != nil && (c.Mode == chat.ToolRequired || c.Mode == chat.ToolNamed) {
		w.Refuse("tool_choice", "a tool must be called, but there is none")
	}
	return true
}

// ToolChoice writes tool_choice, with the function given, and parallel_tool_calls.
func (w *Writer) ToolChoice(choice func(*chat.ToolChoice)) {
	if w.LacksTools() {
		return
	}
	r := w.Req
	c := r.ToolChoice
	loss := Refuses
	if c != nil && c.Mode == chat.ToolAuto {
		loss = Silent // it is the default
	}
	if c != nil && w.Field("tool_choice", loss) {
		choice(c)
	}
	w.FieldBool("parallel_tool_calls", r.ParallelToolCalls)
}

// FunctionMember reads a member of a function that the model may call; false if functions have
// no such member.
func (r *Reader) FunctionMember(m jsonx.Value, t *chat.Tool) bool {
	switch string(m.Key()) {
	case "name":
		t.Name = r.ToolName(m)
	case "description":
		t.Description = r.optional(m)
	case "parameters":
		if m.Given() && m.Kind() != jsonx.Object {
			r.Expected(m, "a JSON schema of type object")
		}
		t.Parameters = m.Clone()
	case "strict":
		t.Strict = r.choice(m)
	default:
		return false
	}
	return true
}

// SchemaMember reads a member of a schema that the answer must fit; false if there is no such member.
func (r *Reader) SchemaMember(m jsonx.Value, f *chat.ResponseFormat) bool {
	switch string(m.Key()) {
	case "name":
		f.Name = r.optional(m)
		if m.Kind() == jsonx.String && !MadeOf(f.Name, 64, "_-") {
			r.Unfit(m, "expected 1 to 64 letters, digits, underscores or hyphens")
		}
	case "description":
		f.Description = r.optional(m)
	case "schema":
		if m.Kind() != jsonx.Object {
			r.Expected(m, "a JSON schema")
		}
		f.Schema = m.Clone()
	case "strict":
		f.Strict = r.choice(m)
	default:
		return false
	}
	return true
}

// optional reads a string that may be null.
func (r *Reader) optional(m jsonx.Value) string {
	if !m.Given() {
		return ""
	}
	return r.Str(m)
}

// choice reads a boolean that may be null.
func (r *Reader) choice(m jsonx.Value) *bool {
	if !m.Given() {
		return nil
	}
	b := r.Bool(m)
	return &b
}

// AppendFunction appends the members of a function that the model may call.
func AppendFunction(out []byte, t *chat.Tool) []byte {
	out = AppendMember(out, `"name":`, t.Name)
	out = AppendOptional(out, `,"description":`, t.Description)
	out = append(out, `,"parameters":`...)
	if len(t.Parameters) > 0 {
		out = jsonx.AppendCompact(out, t.Parameters)
	} else {
		// Mistral requires the member; the others take it.
		out = append(out, `{"type":"object","properties":{}}`...)
	}
	if t.Strict != nil {
		out = jsonx.AppendBool(append(out, `,"strict":`...), *t.Strict)
	}
	return out
}

// AppendSchema appends the members of a schema that the answer must fit.
func AppendSchema(out []byte, f *chat.ResponseFormat) []byte {
	out = AppendMember(out, `"name":`, cmp.Or(f.Name, "response")) // the dialect requires one
	out = AppendOptional(out, `,"description":`, f.Description)
	if len(f.Schema) > 0 {
		out = jsonx.AppendCompact(append(out, `,"schema":`...), f.Schema)
	}
	if f.Strict != nil {
		out = jsonx.AppendBool(append(out, `,"strict":`...), *f.Strict)
	}
	return out
}

// ResultParts returns a tool result's parts for a dialect without a mark of failure. The text of a failed result begins
// with "Error".
func ResultParts(r *chat.ToolResult) []chat.Part {
	if !r.IsError {
		return r.Parts
	}
	const word = "Error"
	at := slices.IndexFunc(r.Parts, func(p chat.Part) bool { return p.Kind == chat.Text })
	if at < 0 {
		return append([]chat.Part{{Kind: chat.Text, Text: word}}, r.Parts...)
	}
	text := r.Parts[at].Text
	if len(text) >= len(word) && strings.EqualFold(text[:len(word)], word) {
		return r.Parts
	}
	parts := slices.Clone(r.Parts)
	parts[at].Text = word + ": " + text
	return parts
}
