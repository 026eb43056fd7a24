package emulator

import (
	"net/http"
	"strings"
	"time"
)

// anthropic emulates the Messages API. Sources: its OpenAPI document of 2026-08, the SDK types of 2026-10,
// platform.claude.com, and recorded answers.
func anthropic() *profile {
	return &profile{
		id: "anthropic", name: "Anthropic", requestID: "Request-Id", wire: messagesWire{}, admit: admitMessages,
		route: messagesRoute,
		hints: []Hint{RetryAfter, ResetHeader}, reset: resetAnthropic, dress: dressAnthropic,
		header: map[string]string{"Anthropic-Organization-Id": "00000000-0000-0000-0000-000000000000",
			"Anthropic-Ratelimit-Requests-Limit": "4000", "Anthropic-Ratelimit-Requests-Remaining": "3999",
			"Anthropic-Ratelimit-Tokens-Limit": "2400000", "Anthropic-Ratelimit-Tokens-Remaining": "2399000",
			"Anthropic-Ratelimit-Input-Tokens-Limit":      "2000000",
			"Anthropic-Ratelimit-Input-Tokens-Remaining":  "1999000",
			"Anthropic-Ratelimit-Output-Tokens-Limit":     "400000",
			"Anthropic-Ratelimit-Output-Tokens-Remaining": "400000"},
		ids: []string{"claude-haiku-4-5", "claude-opus-4-8", "claude-sonnet-5-5", "claude-opus-4-6"},
	}
}

// resetAnthropic sets the header to a time as of RFC 3339.
func resetAnthropic(h http.Header, at time.Time) {
	h.Set("Anthropic-Ratelimit-Requests-Remaining", "0")
	h.Set("Anthropic-Ratelimit-Requests-Reset", at.UTC().Add(time.Second-1).Format(time.RFC3339))
}

// dressAnthropic sets the headers that depend on the status (recorded): good answers have retry-after too, without a
// meaning, and errors say whether to retry.
func dressAnthropic(h http.Header, status int, hint Hint) {
	switch {
	case status == 200 && hint == NoHint:
		h.Set("Retry-After", "59")
	case status >= 400 && status < 429:
		h.Set("X-Should-Retry", "false")
	case status >= 429:
		h.Set("X-Should-Retry", "true")
	}
}

// admitMessages takes the key from x-api-key, and requires a version.
func admitMessages(x *exchange) *failure {
	x.key = x.r.Header.Get("X-Api-Key")
	version := x.r.Header.Get("Anthropic-Version")
	refused := func(status int, kind, message string) *failure {
		return &failure{status, x.messagesError(kind, message)}
	}
	switch {
	case x.key == "":
		return refused(401, "authentication_error", "x-api-key header is required")
	case !validKey(x.key):
		return refused(401, "authentication_error", "invalid x-api-key")
	case version == "":
		return refused(400, "invalid_request_error", "anthropic-version: header is required")
	case version != "2026-10-21" && version != "2023-06-01" && version != "2023-01-01":
		return refused(400, "invalid_request_error",
			`anthropic-version: "`+version+
				`" is not a valid version. A list of valid version headers is available at https://docs.anthropic.com/en/api/versioning.`)
	}
	return nil
}

func messagesRoute(x *exchange, path string) func() {
	switch x.r.Method + " " + path {
	case "POST /v1/messages":
		return func() { x.messages(false) }
	case "POST /v1/messages/count_tokens":
		return func() { x.messages(true) }
	case "GET /v1/models":
		return x.claudes
	}
	if id, ok := strings.CutPrefix(path, "/v1/models/"); ok && x.r.Method == http.MethodGet {
		return func() {
			switch {
			case x.misbehave(id):
			case strings.Contains(id, "no-such"):
				x.fail(x.wire.fault(x, NoModel))
			default:
				x.say(claudeInfo(id))
			}
		}
	}
	return nil
}

// messages answers a request for a message, or counts its tokens.
func (x *exchange) messages(count bool) {
	m := &messagesRequest{count: count}
	if f := m.read(x); f != nil {
		x.fail(*f)
		return
	}
	if x.misbehave(m.Model) {
		return
	}
	if f := m.refuse(x); f != nil {
		x.fail(*f)
		return
	}
	req := m.decode(x)
	if count {
		x.say(ordered{{"input_tokens", req.tokens()}})
		return
	}
	a := x.answer(req)
	use := x.messagesUsage(m, a)
	if !m.Stream {
		x.say(x.message(m, a, use))
		return
	}
	x.stream(stream{
		events:  x.messageEvents(m, a, use),
		failure: x.messagesFailure,
		unknown: event{"nobody_knows", ordered{{"type", "nobody_knows"}}},
	})
}
