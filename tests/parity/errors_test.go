package parity

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// told is an error in the words of every dialect.
type told struct {
	status       int
	native       string
	openAI, code string
	anthropic    string
	gemini       string
}

func waits() told {
	return told{429, "RATE_LIMIT_EXCEEDED", "rate_limit_error", "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"}
}

func upstream(kind, code, anthropic string) told {
	return told{502, "PROVIDER_ERROR", kind, code, anthropic, "UNAVAILABLE"}
}

func callerFault(code string) told {
	return told{400, "VALIDATION_ERROR", "invalid_request_error", code, "invalid_request_error", "INVALID_ARGUMENT"}
}

// in is the failure as a dialect has it, and the status.
func (d told) in(dialect string) (f failure, status int) {
	switch status = d.status; dialect {
	case "native":
		f = failure{code: d.native}
	case "openai", "responses":
		f = failure{kind: d.openAI, code: d.code}
	case "anthropic":
		f = failure{kind: d.anthropic}
		if d.anthropic == "overloaded_error" {
			status = 529
		}
	default:
		f = failure{kind: d.gemini, code: strconv.Itoa(status)}
	}
	return f, status
}

// faultCase is a failure of the providers, and what callers are told of it.
type faultCase struct {
	fault emulator.Fault
	told  told
	class string
	// except are providers that mean something else.
	except map[string]faultCase
}

func faultCases() []faultCase {
	overloaded := upstream("service_unavailable_error", "server_is_overloaded", "overloaded_error")
	broken, poor := upstream("server_error", "provider_error", "api_error"), upstream("server_error", "insufficient_quota", "api_error")
	return []faultCase{
		{fault: emulator.RateLimit, told: waits()},
		{fault: emulator.DailyQuota, told: waits(), except: map[string]faultCase{
			"anthropic": {told: poor, class: "out_of_money"}, // a month's limit, set by the owner
		}},
		{fault: emulator.SpendLimit, told: poor, class: "out_of_money"},
		{fault: emulator.NoCredit, told: poor, class: "out_of_money"},
		{fault: emulator.BadKey, told: broken, class: "bad_key"},
		{fault: emulator.Forbidden, told: broken, class: "forbidden"},
		{fault: emulator.NoModel, told: told{404, "NOT_FOUND", "invalid_request_error", "model_not_found", "not_found_error", "NOT_FOUND"},
			class: "model_unknown"},
		{fault: emulator.TooLong, told: callerFault("context_length_exceeded"), class: "context_too_long"},
		{fault: emulator.Policy, told: callerFault("content_policy_violation"), class: "content_policy", except: map[string]faultCase{
			"gemini": {told: told{status: 200}}, // an answer without candidates
		}},
		{fault: emulator.TooLarge, told: callerFault("request_too_large"), class: "too_large"},
		{fault: emulator.ServerError, told: broken, class: "transport"},
		{fault: emulator.HTMLError, told: broken, class: "transport"},
		{fault: emulator.EmptyError, told: broken, class: "transport"},
		{fault: emulator.Overloaded, told: overloaded, class: "overloaded"},
		{fault: emulator.Timeout, told: broken, class: "transport", except: map[string]faultCase{
			"openrouter": {told: overloaded, class: "overloaded"}, // 524
		}},
		{fault: emulator.BadToolCall, told: broken, class: "transport", except: map[string]faultCase{
			"groq": {told: broken, class: "bad_tool_call"}, "gemini": {told: broken, class: "bad_tool_call"},
		}},
	}
}

// everywhere runs the test for each provider and failure at once, as most of the time is spent waiting. Each
// has a person of its own.
func everywhere[T any](t *testing.T, w *world, list []T, test func(p *person, pr provided, s *caller, one T) error) {
	t.Helper()
	var combinations atomic.Int64
	var all sync.WaitGroup
	for _, pr := range providers() {
		for _, one := range list {
			all.Go(func() {
				p := w.person()
				for _, s := range callers() {
					combinations.Add(1)
					if err := test(p, pr, s, one); err != nil {
						t.Errorf("%s, %s: %v", pr.id, s.name, err)
					}
				}
			})
		}
	}
	all.Wait()
	t.Logf("%d combinations of provider, dialect and failure", combinations.Load())
}

// What goes wrong before an answer is told in the caller's dialect, with its status, and in both forms alike. What a
// provider says of its key never looks as if it were said of the caller's token.
func TestErrorsBefore(t *testing.T) {
	w := newWorld(t)
	everywhere(t, w, faultCases(), func(p *person, pr provided, s *caller, c faultCase) error {
		if other, ok := c.except[pr.id]; ok {
			c.told, c.class = other.told, other.class
		}
		var failures []failure
		for _, streamed := range []bool{false, true} {
			key := p.key(pr.id, "sk-emulated-fault-"+string(c.fault))
			a := request{model: pr.models[0], turns: []turn{{text: "Hello"}}, streamed: streamed}
			got, r, err := p.exchange(s, &a, "X-LLM-Provider", pr.id)
			if err != nil {
				return fmt.Errorf("%s: %w", c.fault, err)
			}
			p.drop(key) // it may be in cooldown now
			want, status := c.told.in(s.name)
			switch {
			case r.status != status:
				return fmt.Errorf("%s: status %d %s, want %d", c.fault, r.status, r.body, status)
			case status == 200 && s.finish(&got) != "content_filter":
				return fmt.Errorf("%s: %s", c.fault, r.body)
			case status == 200:
				continue
			case got.failed.kind != want.kind || got.failed.code != want.code && !(s.name == "openai" || s.name == "responses") || !strings.Contains(got.failed.details, c.class):
				return fmt.Errorf("%s: %+v, want %+v with %s", c.fault, *got.failed, want, c.class)
			case got.failed.code != want.code:
				return fmt.Errorf("%s: code %q, want %q: %s", c.fault, got.failed.code, want.code, r.body)
			}
			if err := checkRetry(r, c.told.status == 429, c.fault == emulator.RateLimit); err != nil {
				return fmt.Errorf("%s: %w", c.fault, err)
			}
			if row := p.row(r); row.Status != c.told.status && row.Status != status || row.Outcome != int(store.Failed) || row.Output != 0 {
				return fmt.Errorf("%s: the row says %+v", c.fault, row)
			}
			got.failed.details = ""
			failures = append(failures, *got.failed)
		}
		if len(failures) == 2 && failures[0] != failures[1] {
			return fmt.Errorf("%s: whole %+v, streamed %+v", c.fault, failures[0], failures[1])
		}
		return nil
	})
}

// checkRetry looks at what tells SDKs whether to try again.
func checkRetry(r *reply, later, soon bool) error {
	after, _ := strconv.Atoi(r.header.Get("Retry-After"))
	should := r.header.Get("X-Should-Retry")
	switch {
	case later != (after > 0), soon && (after < 1 || after > emulator.HintSeconds):
		return fmt.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	case (after > 0 && after <= 60) != (should == ""), should != "" && should != "false":
		return fmt.Errorf("X-Should-Retry is %q with Retry-After %d", should, after)
	case r.header.Get("WWW-Authenticate") != "" || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json"):
		return fmt.Errorf("headers %v", r.header)
	}
	return nil
}

// breakCase is a way in which an answer ends in its middle.
type breakCase struct {
	name       string
	whole, cut emulator.Behaviour // of whole answers and of streams
	told       told
	class      string
}

func breakCases() []breakCase {
	broken := upstream("server_error", "provider_error", "api_error")
	overloaded := upstream("service_unavailable_error", "server_is_overloaded", "overloaded_error")
	b := func(cut emulator.Cut, garbage bool) emulator.Behaviour {
		return emulator.Behaviour{Cut: cut, Garbage: garbage, After: 8}
	}
	return []breakCase{
		{"the connection breaks", b(emulator.CutReset, false), b(emulator.CutReset, false), broken, "transport"},
		{"the answer ends too early", b(emulator.CutEOF, false), b(emulator.CutEOF, false), broken, "transport"},
		{"the answer is garbled", b("", true), b("", true), broken, "transport"},
		{"the provider tells an error", emulator.Behaviour{ErrorIn200: true}, emulator.Behaviour{ErrorEvent: true, After: 8}, overloaded, "overloaded"},
	}
}

// What goes wrong in the middle of a stream is told in the dialect's own event, after the text that came; of a whole
// answer it is the same error, with a status.
func TestErrorsInTheMiddle(t *testing.T) {
	w := newWorld(t)
	everywhere(t, w, breakCases(), func(p *person, pr provided, s *caller, c breakCase) error {
		// No word of an event's name may stand in the key: answers are cleared of its pieces.
		secret := fmt.Sprintf("sk-emulated-%x-1", crc32.ChecksumIEEE([]byte(s.name+c.name)))
		defer p.drop(p.key(pr.id, secret))
		match := emulator.Match{Provider: pr.id, Key: secret}
		breaks := func(streamed bool, do emulator.Behaviour) (answer, *reply, error) {
			w.emu.Set(match, do)
			return p.exchange(s, &request{model: pr.models[0], turns: []turn{{text: "words: 40"}}, streamed: streamed, includeUsage: true}, "X-LLM-Provider", pr.id)
		}
		whole, r, err := breaks(false, c.whole)
		wants := func(got *failure, told told, class string) error {
			if want, _ := told.in(s.name); got.kind != want.kind || got.code != want.code && !strings.HasPrefix(s.name, "gemini") || !strings.Contains(got.details, class) {
				return fmt.Errorf("%s: %+v, want %+v with %s", c.name, *got, want, class)
			}
			return nil
		}
		told, class := c.told, c.class
		if c.whole.ErrorIn200 && pr.id == "openai" && s.name == "responses" {
			// A response that failed says no more of an overload than server_error; the event says more.
			told, class = breakCases()[0].told, breakCases()[0].class
		}
		switch _, status := told.in(s.name); {
		case err != nil:
			return fmt.Errorf("%s, whole: %w", c.name, err)
		case r.status != status:
			return fmt.Errorf("%s, whole: %d %s, want %d", c.name, r.status, r.body, status)
		}
		if err := errors.Join(wants(whole.failed, told, class), checkRetry(r, false, false)); err != nil {
			return fmt.Errorf("whole: %w", err)
		}
		stream, r, err := breaks(true, c.cut)
		switch {
		case err != nil:
			return fmt.Errorf("%s, streamed: %w", c.name, err)
		case stream.failed == nil || r.status != 200:
			return fmt.Errorf("%s, streamed: %d %s", c.name, r.status, r.body)
		case told == c.told && *stream.failed != *whole.failed:
			return fmt.Errorf("%s: whole %+v, streamed %+v", c.name, *whole.failed, *stream.failed)
		case s.name != "responses" && stream.terminated, !strings.HasPrefix(strings.Repeat("word ", 40), stream.text) || stream.text == "" && stream.reasoning == "":
			return fmt.Errorf("%s, streamed: %s", c.name, r.body)
		}
		if err := wants(stream.failed, c.told, c.class); err != nil {
			return fmt.Errorf("streamed: %w", err)
		}
		row := p.row(r)
		if row.Outcome != int(store.Broken) || row.Status != 200 || row.Output == 0 || row.Cost == nil {
			return fmt.Errorf("%s, streamed: the row says %+v", c.name, row)
		}
		return nil
	})
}
