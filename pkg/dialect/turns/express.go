package turns

import (
	"encoding/base64"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// express replaces what the dialect has no form for by what stands for it.
func (f *fitter) express() {
	for i := range f.turns {
		if t := &f.turns[i]; slices.ContainsFunc(t.Parts, f.inexpressible) {
			t.change(f.expressed(t.Role, t.Parts))
		}
	}
}

func (f *fitter) inexpressible(p chat.Part) bool {
	switch p.Kind {
	case chat.Unrendered:
		return p.Dialect != string(f.Dialect) && !f.Same
	case chat.File:
		return p.Media != nil && (p.Media.Context != "" && !f.DocumentContext || f.becomesText(p.Media))
	case chat.Result:
		return slices.ContainsFunc(p.ToolResult.Parts, f.inexpressible)
	}
	return false
}

func (f *fitter) expressed(role chat.Role, parts []chat.Part) []chat.Part {
	out := make([]chat.Part, 0, len(parts)+1)
	for _, p := range parts {
		switch {
		case !f.inexpressible(p):
			out = append(out, p)
		case p.Kind == chat.Unrendered:
			out = append(out, f.instead(role, &p)...)
		case p.Kind == chat.Result:
			r := *p.ToolResult
			r.Parts = f.expressed(chat.ToolRole, r.Parts)
			p.ToolResult = &r
			out = append(out, p)
		default:
			out = append(out, f.document(p)...)
		}
	}
	return out
}

// maxRawResult bounds the block, in bytes, that a model gets as JSON.
const maxRawResult = 16 << 10

// instead returns what stands for a part of another dialect.
func (f *fitter) instead(role chat.Role, p *chat.Part) []chat.Part {
	if len(p.Instead) > 0 {
		return f.expressed(role, p.Instead)
	}
	switch {
	case role == chat.Assistant:
		f.Warn("%s takes back text, reasoning and calls alone from the assistant: a part of the type %s is dropped",
			f.Provider(), body.Quote(body.TypeOfPart(p)))
	case role == chat.ToolRole && len(p.Raw) <= maxRawResult:
		return []chat.Part{text(string(p.Raw))} // the call has to have an answer
	default:
		f.BeginPart(p)
		f.RefusePartType()
	}
	return nil
}

// document returns a document that has a context, or is text.
func (f *fitter) document(p chat.Part) []chat.Part {
	m := *p.Media
	var about []string
	if m.Filename != "" {
		about = append(about, "Title: "+m.Filename)
	}
	if m.Context != "" {
		about = append(about, "Context: "+m.Context)
	}
	if data, ok := textOf(&m); ok && f.becomesText(&m) {
		tagged := text(body.Tagged("document", strings.Join(append(about, data), "\n")))
		tagged.Cache = p.Cache
		return []chat.Part{tagged}
	}
	if m.Context == "" {
		return []chat.Part{p}
	}
	m.Context = ""
	p.Media = &m
	return []chat.Part{text("About the next document:\n" + strings.Join(about, "\n")), p}
}

// becomesText reports whether a file that is text cannot be sent as a file.
func (f *fitter) becomesText(m *chat.Media) bool {
	if !isText(m) || f.TextFiles && (f.Same || strings.HasPrefix(strings.ToLower(m.MIMEType), "text/")) {
		return false
	}
	_, ok := textOf(m)
	return ok
}

// isText reports whether the file is text that is at hand, by its type, or else by its name.
func isText(m *chat.Media) bool {
	kind, sub, _ := strings.Cut(strings.ToLower(m.MIMEType), "/")
	switch {
	case m.Data == "":
		return false
	case kind == "":
		return slices.Contains(textSuffixes, strings.ToLower(path.Ext(m.Filename)))
	case kind == "text":
		return true
	}
	return kind == "application" && (slices.Contains(textTypes, strings.TrimPrefix(sub, "x-")) ||
		strings.HasSuffix(sub, "+json") || strings.HasSuffix(sub, "+xml") || strings.HasSuffix(sub, "+yaml"))
}

var (
	textTypes = []string{"json", "ndjson", "jsonl", "xml", "yaml", "toml", "csv", "javascript", "typescript", "python", "sh",
		"sql", "graphql", "httpd-php", "tex", "latex", "markdown"}
	textSuffixes = []string{".txt", ".text", ".md", ".markdown", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml",
		".toml", ".html", ".htm", ".css", ".log", ".ini", ".conf", ".go", ".py", ".js", ".ts", ".java", ".c", ".h", ".cpp",
		".rs", ".rb", ".php", ".sh", ".sql", ".tex"}
)

func textOf(m *chat.Media) (string, bool) {
	if !isText(m) {
		return "", false
	}
	data, err := base64.StdEncoding.DecodeString(m.Data)
	return string(data), err == nil && utf8.Valid(data)
}
