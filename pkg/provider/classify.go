package provider

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Answer is a provider's answer that reports a failure. All of it may be missing: of an error inside
// a stream only the decoded error is known.
type Answer struct {
	Status int // HTTP status; 0 or 2xx for an error inside an answer
	Header http.Header
	Body   []byte // as it came; nil if unknown
}

// signal is one way in which a provider reports a class of failure. It matches if every field that
// is set does. The first signal that matches decides.
type signal struct {
	status int    // HTTP status
	word   string // one of the error's code, type, status or details is this
	part   string // one of them contains this
	text   string // the message contains this; lower case
	class  chat.Class
	reset  reset
}

// reset says when a quota is reset for which the provider gives no time, or a wrong one.
type reset uint8

const (
	resetUnknown reset = iota
	resetMonth         // with the next month, UTC
	resetDay           // with the provider's next day
)

// Classify fills Class, RetryAfter and ResetAt of a decoded error, and what of
// Code, Type, Param and Message is still empty, from the provider's answer. An error
// that already has a class (a broken stream) keeps it.
func (p *Provider) Classify(err *chat.Error, a Answer, nowMs int64) {
	d := readDetails(a.Body)
	fill(&err.Code, d.code)
	fill(&err.Type, d.typ)
	fill(&err.Param, d.param)
	fill(&err.Message, d.message)
	status := statusOf(a.Status, err)
	if err.Status == 0 {
		err.Status = status
	}
	if err.Class == "" {
		words := append(d.words, err.Code, err.Type)
		text := strings.ToLower(err.Message)
		sig := match(p.signals, status, words, text)
		if sig == nil {
			sig = match(commonSignals(), status, words, text)
		}
		if sig != nil {
			err.Class = sig.class
			switch sig.reset {
			case resetMonth:
				err.ResetAt = nextMonth(nowMs)
			case resetDay:
				err.ResetAt = nextDay(nowMs, p.dayReset)
			}
		} else {
			err.Class = classOfStatus(status, err.Message != "")
		}
	}
	hinted(err, a.Header, d, p.limits, nowMs)
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
			s.word != "" && !anyWord(words, func(w string) bool { return strings.EqualFold(w, s.word) }) ||
			s.part != "" && !anyWord(words, func(w string) bool { return strings.Contains(w, s.part) }) ||
			s.text != "" && !strings.Contains(text, s.text) {
			continue
		}
		return s
	}
	return nil
}

func anyWord(words []string, ok func(string) bool) bool {
	for _, w := range words {
		if w != "" && ok(w) {
			return true
		}
	}
	return false
}

// inAnswer is the status of signals for errors inside an answer of status 200, where the error's type
// takes the place of the status.
const inAnswer = -1

// commonSignals are those that mean the same at every provider. They are tried after the provider's own.
func commonSignals() []signal {
	return []signal{
		{status: 413, class: chat.TooLarge}, // Groq says rate_limit_exceeded beside it
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
		{status: 400, text: "prompt is too long", class: chat.ContextLength},
		{word: "model_not_found", class: chat.ModelUnknown},
		{word: "content_policy_violation", class: chat.ContentPolicy},
		{word: "tool_use_failed", class: chat.BadToolCall},

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
}

// classOfStatus returns the class of a failure that no signal matches. Readable says that the body had a
// message.
func classOfStatus(status int, readable bool) chat.Class {
	switch status {
	case 401:
		return chat.BadKey
	case 402:
		return chat.OutOfMoney
	case 403:
		return chat.Forbidden
	case 404:
		// Without the provider's error format the answer says nothing of the model: the base URL is wrong.
		if readable {
			return chat.ModelUnknown
		}
		return chat.Transport
	case 408, 409, 499:
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
