package provider

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// errorFormat is a shape of a provider's error bodies. A body of any other shape was written by something
// on the way: a proxy, a firewall, a load balancer.
type errorFormat uint16

// The formats, which may be combined.
const (
	// {"error":{"message","type","param","code"}}, where the type, or a code that the row knows, is given.
	formatOpenAI errorFormat = 1 << iota
	// {"object":"error","message","type","param","code"}: Mistral and older servers of open weights.
	formatFlat
	// {"message","type","param","code"}: Cerebras.
	formatBare
	// {"type":"error","error":{"type","message","details"}}.
	formatAnthropic
	// {"error":{"code":400,"message","status":"INVALID_ARGUMENT","details"}}, or a list of it.
	formatGoogle
	// {"error":{"code":429,"message","metadata"}}, where the code is a number: the status.
	formatOpenRouter
	// {"detail":".." or [..]} and {"message":".."}, without more than a request's id.
	formatMistral
	// {"code":"..","error":".."}, both of them texts.
	formatXAI
	// {"error":"..."} or {"detail":..}, with whatever else: many servers of open weights.
	formatText
)

// proves reports whether the body of an answer is in one of the formats, and so the provider's own.
func (p *Provider) proves(d details, root node, a Answer) bool {
	for formats := p.errors; formats != 0; formats &= formats - 1 {
		if format := formats & -formats; p.fits(format, d, root, a) { // the lowest bit that is left
			return true
		}
	}
	return false
}

func (p *Provider) fits(format errorFormat, d details, root node, a Answer) bool {
	e := root.at("error")
	switch format {
	case formatOpenAI:
		return p.isOpenAIError(d, e)
	case formatFlat:
		return root.at("object").text() == "error" && d.message != "" && d.typ != ""
	case formatBare:
		_, coded := root.object()["code"]
		return root.at("message").word() != "" && root.at("type").word() != "" && coded
	case formatAnthropic:
		return root.at("type").text() == "error" && e.at("type").text() != "" && e.at("message").text() != ""
	case formatGoogle:
		return e.at("code").number() > 0 && e.at("status").text() != ""
	case formatOpenRouter:
		return isOpenRouterError(e, a.Status)
	case formatMistral:
		return isMistralError(root, a)
	case formatText:
		return e.word() != "" || e.at("message").word() != "" || root.at("detail").v != nil
	case formatXAI:
		return root.at("code").word() != "" && e.word() != ""
	}
	return false
}

func (p *Provider) isOpenAIError(d details, e node) bool {
	switch {
	case e.object() == nil:
		return false
	case e.at("type").word() != "":
		return e.at("message").text() != "" || d.code != ""
	}
	return p.hasSignal(e.at("code").word())
}

// hasSignal reports whether a code is one of those that the row or all rows have a signal for.
func (p *Provider) hasSignal(code string) bool {
	if code == "" {
		return false
	}
	for _, signals := range [...][]signal{p.signals, commonSignals} {
		for i := range signals {
			if signals[i].word == code {
				return true
			}
		}
	}
	return false
}

func isOpenRouterError(e node, status int) bool {
	if e.at("message").text() == "" {
		return false
	}
	code := e.at("code")
	return code.number() == status || len(e.at("metadata").object()) > 0 || code.number() > 0 && status < 300
}

// isMistralError tells Mistral's short forms, some of them written by its own edge, from those of other
// edges, which give them to keys as well: {"message":"Forbidden"}.
func isMistralError(root node, a Answer) bool {
	members := root.object()
	known := 0
	for _, name := range [...]string{"detail", "message", "request_id"} {
		if _, ok := members[name]; ok {
			known++
		}
	}
	switch {
	case known == 0 || known != len(members):
		return false
	case root.at("detail").v != nil:
		return root.at("detail").text() != "" || root.issues() != ""
	case root.at("message").text() == "":
		return false
	case a.Status == 401 || a.Status == 403:
		return root.at("request_id").text() != "" || a.Header.Get("Mistral-Correlation-Id") != ""
	}
	return true
}

// unproven makes the error one of the connection: it says nothing about a key, a model or the request.
// What the page says is kept for people.
func (p *Provider) unproven(err *chat.Error, a Answer, nowMs int64) {
	text := err.Message
	if text == "" {
		text = pageText(a.Body)
	}
	*err = chat.Error{Class: chat.Transport, Scope: chat.ScopeHost, Status: err.Status, Cause: err.Cause}
	err.Message = p.Name + " answered with status " + strconv.Itoa(err.Status) +
		" but not in its error format; a proxy, a firewall or a wrong base URL may have answered in its place"
	if text != "" {
		err.Message += ": " + text
	}
	if err.Status == http.StatusTooManyRequests || err.Status == http.StatusServiceUnavailable {
		err.RetryAfter = retryAfter(a.Header.Get("Retry-After"), nowMs)
	}
}

// maxPage bounds the words of a page that are kept, in bytes.
const maxPage = 200

var (
	pageTitle = regexp.MustCompile(`(?is)<(title|h1)[^>]*>(.*?)</`)
	pageTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// pageText returns the title of an HTML page, or the beginning of another text.
func pageText(body []byte) string {
	if len(body) > maxErrorBytes {
		body = body[:maxErrorBytes]
	}
	if !utf8.Valid(body) {
		return ""
	}
	text := string(body)
	if m := pageTitle.FindStringSubmatch(text); m != nil {
		text = m[2]
	} else if strings.HasPrefix(strings.TrimSpace(text), "<") {
		return ""
	}
	return clean(strings.Join(strings.Fields(html.UnescapeString(pageTag.ReplaceAllString(text, " "))), " "), maxPage)
}

// parse decodes an error body; the node is empty if it is no JSON. Gemini wraps the errors of its streams
// without server-sent events into a list.
func parse(body []byte) node {
	root := parseAny(body)
	if list, ok := root.v.([]any); ok && len(list) > 0 {
		root = node{list[0]}
	}
	return root
}

// parseAny is parse for a body that may be a list.
func parseAny(body []byte) node {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return node{}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var root node
	if dec.Decode(&root.v) != nil || dec.More() {
		return node{}
	}
	return root
}
