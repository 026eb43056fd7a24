package provider

import (
	"encoding/json"
	"strconv"
	"strings"
)

// details is what a provider's error body says beyond the members that every dialect has: codes that
// tell a spent account from a busy minute, and the time of the next request.
type details struct {
	code, typ, param, message string
	// words are all the codes, wherever they stand in the body.
	words []string
	// delay is a hint such as "48s" (Gemini) or "1.5" (OpenRouter, seconds).
	delay string
	// reset is when a limit is reset, as windowReset reads it (OpenRouter).
	reset string
}

// readDetails reads any of the providers' error bodies, as parse has decoded it:
//
//	{"error":{"message","type","param","code"}}                    OpenAI and those like it
//	{"type":"error","error":{"type","message","details"}}          Anthropic
//	{"error":{"code","message","status","details":[…]}}, or [that]  Gemini
//	{"detail":"…"}, {"message":"…"|{"detail":[…]},"type","code"}    Mistral
//	{"error":{"code","message","metadata"},"availability"}         OpenRouter
//
// A body that is none of them gives nothing.
func readDetails(root node) details {
	var d details
	e := root.at("error")
	if e.v == nil {
		e = root
	}
	if text := e.text(); text != "" {
		d.message = text
		e = root
	}
	d.code, d.typ, d.param = e.at("code").text(), e.at("type").text(), e.at("param").text()
	d.message = first(d.message, e.at("message").text(), e.at("detail").text(), e.issues())
	d.word(d.code, d.typ, e.at("status").text(), e.at("error_type").text())
	d.word(e.at("details", "error_code").text()) // Anthropic
	d.openRouter(root, e)
	for _, item := range e.at("details").list() {
		d.google(item)
	}
	return d
}

func (d *details) word(words ...string) {
	for _, w := range words {
		if w != "" {
			d.words = append(d.words, w)
		}
	}
}

func (d *details) openRouter(root, e node) {
	meta := e.at("metadata")
	d.word(meta.at("error_type").text(), meta.at("provider_code").text(), meta.at("limit_source").text())
	d.reset = first(meta.at("resets_at").text(), meta.at("headers", "X-RateLimit-Reset").text())
	if len(meta.at("reasons").list()) > 0 {
		d.word("metadata.reasons")
	}
	if meta.at("provider_name").text() != "" {
		d.word("metadata.provider_name")
	}
	for _, n := range []node{e.at("availability"), root.at("availability")} {
		if code := n.at("code").text(); code != "" {
			d.word("availability.code", code)
		}
		d.delay = first(d.delay, n.at("retry_after").text())
	}
}

// google reads one of Google's error details (google.rpc.ErrorInfo, QuotaFailure, RetryInfo).
func (d *details) google(item node) {
	d.word(item.at("reason").text())
	d.delay = first(d.delay, item.at("retryDelay").text())
	for _, v := range item.at("violations").list() {
		id := v.at("quotaId").text()
		if v.at("quotaDimensions", "model").text() != "" && !strings.Contains(id, perModel) {
			id += perModel
		}
		d.word(id)
	}
}

// perModel is the part of a quota's id that says that each model has its own; a quota that names a model
// has one as well.
const perModel = "PerModel"

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// node reads decoded JSON. A member that is missing or of another type is empty.
type node struct{ v any }

func (n node) at(path ...string) node {
	for _, name := range path {
		m, _ := n.v.(map[string]any)
		n = node{m[name]}
	}
	return n
}

func (n node) text() string {
	switch v := n.v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// word returns a text that is a string and not empty.
func (n node) word() string {
	s, _ := n.v.(string)
	return s
}

// number returns a whole number; 0 if it is none.
func (n node) number() int {
	v, _ := n.v.(json.Number)
	i, _ := strconv.Atoi(v.String())
	return i
}

// object returns the members of an object, nil if it is none.
func (n node) object() map[string]any {
	m, _ := n.v.(map[string]any)
	return m
}

func (n node) list() []node {
	l, _ := n.v.([]any)
	out := make([]node, len(l))
	for i, v := range l {
		out[i] = node{v}
	}
	return out
}

// issues joins Mistral's list of what is wrong with a body: message.detail, or
// detail, [{"loc":["body","x"],"msg":"…"}].
func (n node) issues() string {
	list := n.at("message", "detail").list()
	if len(list) == 0 {
		list = n.at("detail").list()
	}
	var out []string
	for _, item := range list {
		var loc []string
		for _, l := range item.at("loc").list() {
			loc = append(loc, l.text())
		}
		out = append(out, strings.TrimPrefix(strings.Join(loc, ".")+": "+item.at("msg").text(), ": "))
	}
	return strings.Join(out, "; ")
}
