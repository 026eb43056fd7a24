package provider

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Answer is a provider's answer that reports a failure. All of it may be missing: of an error inside a
// stream only the decoded error is known.
type Answer struct {
	Status int // HTTP status; 0 or 2xx for an error inside an answer
	Header http.Header
	Body   []byte // as it came; nil if unknown
}

// signal is one way in which a provider reports a class of failure, and what it speaks about. It matches if
// every field that is set does. The first signal that matches decides.
type signal struct {
	status int    // HTTP status
	word   string // one of the error's code, type, status or details is this
	parts  string // one of them contains all of these, which are separated by spaces
	text   string // the message contains this; lower case
	class  chat.Class
	scope  chat.Scope // empty: that of the class
	reset  reset
}

// reset says when a quota is reset for which the provider gives no time, or a wrong one.
type reset uint8

const (
	resetUnknown reset = iota
	resetMonth         // with the next month, UTC
	resetDay           // with the provider's next day
)

// Classify fills Class, Scope, Evidence, RetryAfter, ResetAt, Limit and Requested of a decoded error, and
// what of Code, Type, Param and Message is still empty, from the provider's answer. An error that already
// has a class (a broken stream) keeps it. An answer that is not in the provider's own error format is a
// transport failure of its host, whatever its status is.
func (p *Provider) Classify(err *chat.Error, a Answer, nowMs int64) {
	if err.Class != "" {
		return
	}
	root := parse(a.Body)
	d := readDetails(root)
	status := statusOf(a.Status, err)
	if err.Status == 0 {
		err.Status = status
	}
	if a.Status < 300 && a.Body == nil { // inside an answer, where the dialect has read it
		if err.Type == "" && err.Code == "" {
			err.Class, err.Scope = chat.Transport, chat.ScopeHost
			return
		}
	} else if !p.proves(d, root, a) {
		p.unproven(err, a, nowMs)
		return
	}
	err.Evidence = true
	fill(&err.Code, d.code)
	fill(&err.Type, d.typ)
	fill(&err.Param, d.param)
	fill(&err.Message, d.message)
	p.decide(err, status, append(d.words, err.Code, err.Type), nowMs)
	hinted(err, a.Header, d, p.limits, nowMs)
}

// decide sets Class and Scope, and ResetAt where the signal knows it.
func (p *Provider) decide(err *chat.Error, status int, words []string, nowMs int64) {
	text := strings.ToLower(err.Message)
	if size := readSize(err, text); size != nil {
		err.Class, err.Scope = size.class, size.scope
		return
	}
	sig := match(p.signals, status, words, text)
	if sig == nil {
		sig = match(commonSignals, status, words, text)
	}
	if sig == nil {
		sig = &signal{class: classOfStatus(status)}
		switch status {
		case 408, 409, 425, 499: // of this request's timing
			sig.scope = chat.ScopeAttempt
		}
	}
	err.Class, err.Scope = sig.class, sig.scope
	if err.Scope == "" {
		err.Scope = err.Class.Scope()
	}
	if err.Scope == chat.ScopeHost {
		err.Scope = chat.ScopeHostModel // the host itself answers
	}
	switch sig.reset {
	case resetMonth:
		err.ResetAt = nextMonth(nowMs)
	case resetDay:
		err.ResetAt = nextDay(nowMs, p.dayReset)
	}
}

func fill(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

// statusOf returns the status that an error inside an answer of status 200 stands for: OpenRouter and
// Groq write it into the error.
func statusOf(status int, err *chat.Error) int {
	if status >= 300 {
		return status
	}
	if err.Status >= 300 {
		return err.Status
	}
	if n, e := strconv.Atoi(err.Code); e == nil && n >= 300 && n <= 599 {
		return n
	}
	return 0
}

func match(signals []signal, status int, words []string, text string) *signal {
	for i := range signals {
		s := &signals[i]
		if s.status > 0 && s.status != status || s.status == inAnswer && status != 0 ||
			s.word != "" && !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, s.word) }) ||
			s.parts != "" && !slices.ContainsFunc(words, func(w string) bool { return containsAll(w, s.parts) }) ||
			s.text != "" && !says(text, s.text) {
			continue
		}
		return s
	}
	return nil
}

func containsAll(word, parts string) bool {
	for part := range strings.FieldsSeq(parts) {
		if !strings.Contains(word, part) {
			return false
		}
	}
	return true
}

// says reports whether the text contains the phrase. A number at the phrase's end is a whole number of the text.
func says(text, phrase string) bool {
	for {
		i := strings.Index(text, phrase)
		if i < 0 {
			return false
		}
		text = text[i+len(phrase):]
		last := phrase[len(phrase)-1]
		if last < '0' || last > '9' || !startsWithDigits(text) {
			return true
		}
	}
}

func startsWithDigits(text string) bool {
	if text != "" && (text[0] == '.' || text[0] == ',') {
		text = text[1:]
	}
	return text != "" && text[0] >= '0' && text[0] <= '9'
}

// inAnswer is the status of signals for errors inside an answer of status 200, where the error's type
// takes the place of the status.
const inAnswer = -1

// commonSignals are those that mean the same at every provider. They are tried after the provider's own.
var commonSignals = []signal{
	{status: 413, class: chat.TooLarge},
	// Whatever the error says, the failure is the provider's.
	{status: 500, class: chat.Transport},
	{status: 502, class: chat.Transport},
	{status: 504, class: chat.Transport},
	{word: "invalid_api_key", class: chat.BadKey},
	{word: "authentication_error", class: chat.BadKey},
	{word: "insufficient_quota", class: chat.OutOfMoney},
	{word: "billing_error", class: chat.OutOfMoney},
	{word: "context_length_exceeded", class: chat.ContextLength},
	{status: 400, text: "maximum context length", class: chat.ContextLength},
	{status: 400, text: "exceeds the context window", class: chat.ContextLength},
	{status: 400, text: "prompt is too long", class: chat.ContextLength},
	// Refusals that are about the key's account, though their status blames the request.
	{status: 403, word: "model_not_found", class: chat.Forbidden},
	{word: "model_not_found", class: chat.ModelUnknown},
	{word: "content_policy_violation", class: chat.ContentPolicy},
	{word: "tool_use_failed", class: chat.BadToolCall},
	{text: "organization has been disabled", class: chat.Forbidden, scope: chat.ScopeKey},
	{text: "organization must be verified to use", class: chat.Forbidden},
	// To stream the model, or to read what it thinks: other requests are served.
	{text: "organization must be verified", class: chat.Forbidden, scope: chat.ScopeAttempt},
	{status: 400, text: "not have access to", class: chat.Forbidden},
	{status: 401, text: "not have access to", class: chat.Forbidden},

	{status: inAnswer, word: "invalid_request_error", class: chat.BadRequest},
	{status: inAnswer, word: "permission_error", class: chat.Forbidden},
	{status: inAnswer, word: "not_found_error", class: chat.ModelUnknown},
	{status: inAnswer, word: "rate_limit_error", class: chat.RateLimited},
	{status: inAnswer, word: "rate_limit_exceeded", class: chat.RateLimited},
	{status: inAnswer, word: "overloaded_error", class: chat.Overloaded},
	{status: inAnswer, word: "server_is_overloaded", class: chat.Overloaded},
	{status: inAnswer, word: "service_unavailable_error", class: chat.Overloaded},
	{status: inAnswer, word: "request_too_large", class: chat.TooLarge},
}

// classOfStatus returns the class of a failure that no signal matches.
func classOfStatus(status int) chat.Class {
	switch status {
	case 401:
		return chat.BadKey
	case 402:
		return chat.OutOfMoney
	case 403:
		return chat.Forbidden
	case 404, 410:
		return chat.ModelUnknown
	case 408, 409, 425, 499:
		return chat.Transport
	case 413:
		return chat.TooLarge
	case 429:
		return chat.RateLimited
	case 498, 503, 524, 529:
		return chat.Overloaded
	}
	if status >= 400 && status < 500 {
		return chat.BadRequest
	}
	return chat.Transport
}
