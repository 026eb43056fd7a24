package gemini

import (
	"slices"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// ground reads groundingMetadata: the sources, and the segments of the text that each supports
// (https://ai.google.dev/gemini-api/docs/google-search). A source without a segment is cited without a span.
func (c *choice) ground(out []chat.Event, v jsonx.Value) []chat.Event {
	n := 0
	for chunk := v.Get("groundingChunks").First(); chunk.Exists(); chunk = chunk.Next() {
		source := sourceOf(chunk)
		supported := false
		for s := v.Get("groundingSupports").First(); s.Exists(); s = s.Next() {
			if !refersTo(s, n) {
				continue
			}
			supported = true
			cited, segment := source, s.Get("segment")
			cited.Text = segment.Get("text").Str()
			if number(segment.Get("partIndex")) == 0 { // segments of later parts have no position in the whole text
				cited.Start, cited.End = c.span(segment)
			}
			out = c.addCitation(out, cited)
		}
		if !supported {
			out = c.addCitation(out, source)
		}
		n++
	}
	return out
}

// sourceOf reads the web page, document or place of a grounding chunk.
func sourceOf(chunk jsonx.Value) chat.Citation {
	v := chunk.First()
	return chat.Citation{URL: v.Get("uri").Str(), Title: v.Get("title").Str()}
}

func refersTo(support jsonx.Value, chunk int) bool {
	for i := support.Get("groundingChunkIndices").First(); i.Exists(); i = i.Next() {
		if n, ok := i.Int64(); ok && n == int64(chunk) {
			return true
		}
	}
	return false
}

// cite reads citationMetadata, the sources that the answer recites.
func (c *choice) cite(out []chat.Event, v jsonx.Value) []chat.Event {
	sources := v.Get("citationSources")
	if !sources.Exists() {
		sources = v.Get("citations")
	}
	for s := sources.First(); s.Exists(); s = s.Next() {
		cited := chat.Citation{URL: s.Get("uri").Str(), Title: s.Get("title").Str()}
		cited.Start, cited.End = c.span(s)
		out = c.addCitation(out, cited)
	}
	return out
}

func (c *choice) addCitation(out []chat.Event, cited chat.Citation) []chat.Event {
	if cited.URL == "" && cited.Title == "" {
		return out
	}
	for i := range c.cited {
		old := &c.cited[i]
		if old.URL == cited.URL && old.Title == cited.Title && old.Text == cited.Text && old.Start == cited.Start && old.End == cited.End {
			return out
		}
	}
	c.cited = append(c.cited, cited)
	return append(out, chat.Event{Kind: chat.EventCitation, Choice: c.index, Citation: &cited})
}

// span turns a byte range of the text into a character range; 0, 0 if it is invalid.
func (c *choice) span(v jsonx.Value) (start, end int) {
	from, to := number(v.Get("startIndex")), number(v.Get("endIndex"))
	if from >= to || to > int64(len(c.text)) {
		return 0, 0
	}
	start = utf8.RuneCount(c.text[:from])
	return start, start + utf8.RuneCount(c.text[from:to])
}

// appendGrounding writes groundingMetadata for the citations of a text: a chunk for each.
func appendGrounding(out []byte, citations []chat.Citation, text string) []byte {
	out = append(out, `{"groundingChunks":[`...)
	for i := range citations {
		out = jsonx.AppendComma(out)
		out = body.AppendMember(out, `{"web":{"uri":`, citations[i].URL)
		out = body.AppendMember(out, `,"title":`, citations[i].Title)
		out = append(out, `}}`...)
	}
	out = append(out, `],"groundingSupports":[`...)
	for i := range citations {
		c := &citations[i]
		if c.Text == "" && c.End == 0 {
			continue
		}
		out = jsonx.AppendComma(out)
		out = append(out, `{"segment":{"startIndex":`...)
		start, end := byteSpan(text, c.Start, c.End)
		out = jsonx.AppendInt(out, int64(start))
		out = body.AppendCount(out, `,"endIndex":`, int64(end))
		out = body.AppendMember(out, `,"text":`, c.Text)
		out = append(out, `},"groundingChunkIndices":[`...)
		out = jsonx.AppendInt(out, int64(i))
		out = append(out, `]}`...)
	}
	return append(out, `]}`...)
}

// byteSpan turns a character range of the text into a byte range; 0, 0 if it is invalid.
func byteSpan(text string, start, end int) (from, to int) {
	if start >= end || end > utf8.RuneCountInString(text) {
		return 0, 0
	}
	n := 0
	from, to = -1, len(text)
	for i := range text {
		if n == start {
			from = i
		}
		if n == end {
			to = i
			break
		}
		n++
	}
	return from, to
}

// citationsOf returns the citations of a message, in order.
func citationsOf(parts []chat.Part) []chat.Citation {
	var all []chat.Citation
	for i := range parts {
		all = append(all, parts[i].Citations...)
	}
	return slices.Clip(all)
}
