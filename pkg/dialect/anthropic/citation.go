package anthropic

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// cite adds a citation. Its positions are within the source, not within the answer, so
// that they stay in Raw.
func cite(out []chat.Event, v jsonx.Value) []chat.Event {
	if v.Kind() != jsonx.Object {
		return out
	}
	c := citationOf(v)
	return append(out, chat.Event{Kind: chat.EventCitation, Citation: &c})
}

func citationOf(v jsonx.Value) chat.Citation {
	c := chat.Citation{URL: v.Get("url").Str(), Title: v.Get("title").Str(), Text: v.Get("cited_text").Str(), Raw: v.Clone()}
	if c.Title == "" {
		c.Title = v.Get("document_title").Str()
	}
	if source := v.Get("source").Str(); c.URL == "" && strings.HasPrefix(source, "http") {
		c.URL = source
	}
	return c
}

// isCitation reports whether the raw citation is one of the dialect.
func isCitation(raw []byte) bool {
	return len(raw) > 0 && strings.HasSuffix(rawType(raw), "_location")
}

// returnable reports whether the API takes the citation back: it is its own and, if it is of a web search,
// has the index that only the API can make.
func returnable(c *chat.Citation) bool {
	if !isCitation(c.Raw) {
		return false
	}
	v, err := jsonx.Parse(c.Raw, jsonx.Lenient)
	return err == nil && (!v.Get("type").Is("web_search_result_location") || !v.Get("encrypted_index").Empty())
}

// appendCitation writes a citation; one of another dialect as one of a web search.
func appendCitation(out []byte, c *chat.Citation) []byte {
	if isCitation(c.Raw) {
		return jsonx.AppendCompact(out, c.Raw)
	}
	out = body.AppendMember(out, `{"type":"web_search_result_location","cited_text":`, c.Text)
	out = body.AppendMember(out, `,"encrypted_index":"","title":`, c.Title)
	out = body.AppendMember(out, `,"url":`, c.URL)
	return append(out, '}')
}

func rawType(raw []byte) string {
	v, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return ""
	}
	return v.Get("type").Str()
}
