package body

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Unrendered returns the value as a part that only its dialect has. Other dialects get its text, within tags that
// name its kind.
func Unrendered(name dialect.Name, kind string, v jsonx.Value) chat.Part {
	p := chat.Part{Kind: chat.Unrendered, Raw: v.Clone(), Dialect: string(name)}
	if text := textIn(v); text != "" {
		p.Instead = []chat.Part{{Kind: chat.Text, Text: Tagged(kind, text)}}
	}
	return p
}

// Tagged encloses a text in tags, so that a model tells it from what people say.
func Tagged(kind, text string) string {
	if !MadeOf(kind, 64, "_-") {
		kind = "block"
	}
	return "<" + kind + ">\n" + text + "\n</" + kind + ">"
}

// IsContent reports whether a value is a text or an array of blocks, which is what all dialects have as content.
func IsContent(v jsonx.Value) bool {
	for e := v.First(); e.Exists(); e = e.Next() {
		if e.Kind() != jsonx.Object {
			return false
		}
	}
	return v.Kind() == jsonx.String || v.Kind() == jsonx.Array
}

// ResultContent reads the content of a tool's result: read reads what IsContent reports. Programs write null, or leave
// it out, for a tool that returned nothing, and some write JSON where its text belongs.
func ResultContent(v jsonx.Value, read func() []chat.Part) []chat.Part {
	switch {
	case !v.Given(), v.Kind() == jsonx.Array && v.Len() == 0:
		return nil
	case IsContent(v):
		return read()
	}
	return []chat.Part{{Kind: chat.Text, Text: string(jsonx.AppendCompact(nil, v.Raw()))}}
}

// maxBlockDepth bounds how deep textIn looks.
const maxBlockDepth = 8

// textIn returns what a model can read in a block of any kind: the members that hold text in the blocks of all
// dialects, one a line. Ids, signatures and what is encrypted or binary are left out. It is empty if there is nothing
// but addresses, as in a video.
func textIn(v jsonx.Value) string {
	var t blockText
	t.add(v, "", maxBlockDepth)
	if !t.says {
		return ""
	}
	return strings.Join(t.lines, "\n")
}

type blockText struct {
	lines []string
	says  bool // there is more than addresses
}

// labels are the members of blocks that hold text, with what is put before it.
var labels = map[string]string{
	"text": "", "content": "", "stdout": "", "stderr": "", "output": "", "code": "", "logs": "", "summary": "",
	"title": "Title: ", "context": "Context: ", "source": "Source: ", "url": "URL: ", "query": "Query: ",
	"tool_name": "Tool: ", "error_code": "Error: ", "error": "Error: ", "page_age": "Age: ",
}

func (t *blockText) add(v jsonx.Value, name string, depth int) {
	switch {
	case depth == 0:
	case v.Kind() == jsonx.String:
		if label, known := labels[name]; known && !Blank(v.Str()) {
			t.lines = append(t.lines, label+v.Str())
			t.says = t.says || name != "url" && name != "page_age"
		}
	case v.Kind() == jsonx.Array:
		for e := v.First(); e.Exists(); e = e.Next() {
			t.add(e, name, depth-1)
		}
	case v.Kind() == jsonx.Object:
		plain := strings.HasPrefix(v.Get("media_type").Str(), "text/") // data is text in clear then
		for m := v.First(); m.Exists(); m = m.Next() {
			switch key := string(m.Key()); {
			case key == "cache_control":
			case key == "data" && plain:
				t.add(m, "text", depth-1)
			default:
				t.add(m, key, depth-1)
			}
		}
	}
}
