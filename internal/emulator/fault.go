package emulator

import (
	"net/http"
	"strconv"
	"time"
)

// wire writes errors in a wire format, in a provider's words.
type wire interface {
	// fault returns the answer to a request that meets the fault.
	fault(x *exchange, f Fault) failure
	// limited returns the answer of a rate limit; text may state the retry time.
	limited(x *exchange, text string) failure
	// notFound returns the answer for an unknown path.
	notFound(x *exchange) failure
	// in200 returns the body of an error with status 200.
	in200(x *exchange) any
}

// failure is an error as an answer.
type failure struct {
	status int
	body   any
}

// misbehave applies the faults that precede or replace an answer. It reports whether the request is finished.
func (x *exchange) misbehave(model string) bool {
	x.model = model
	x.do = x.e.behaviour(x.p.id, x.key, model)
	if !x.pause(x.do.FirstByteMs) {
		return true
	}
	switch {
	case x.do.Abort:
		panic(http.ErrAbortHandler)
	case x.do.Redirect != "":
		x.w.Header().Set("Location", x.do.Redirect)
		x.whole(302, "text/html", []byte("moved"))
		return true
	case x.do.Fault != "":
		x.fault()
		return true
	}
	return false
}

// pause waits. It returns false if the client disconnected.
func (x *exchange) pause(ms int) bool {
	if ms <= 0 {
		return true
	}
	t := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

func (x *exchange) fault() {
	switch x.do.Fault {
	case HTMLError:
		x.whole(502, "text/html", []byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
	case EmptyError:
		x.whole(500, "", nil)
	case RateLimit:
		x.rateLimit()
	default:
		x.fail(x.wire.fault(x, x.do.Fault))
	}
}

func (x *exchange) rateLimit() {
	if x.do.Hint == OwnHint {
		x.do.Hint = NoHint
		if len(x.p.hints) > 0 {
			x.do.Hint = x.p.hints[0]
		}
	}
	h, text := x.w.Header(), "Rate limit reached."
	switch x.do.Hint {
	case RetryAfter:
		h.Set("Retry-After", strconv.Itoa(HintSeconds))
	case RetryAfterDate:
		h.Set("Retry-After", x.e.now().UTC().Add(HintSeconds*time.Second).Format(http.TimeFormat))
	case RetryAfterMs:
		h.Set("Retry-After-Ms", strconv.Itoa(HintSeconds*1000))
	case ResetHeader:
		x.p.reset(h, x.e.now().Add(HintSeconds*time.Second))
	case InText:
		text += " " + x.p.tryAgain + strconv.Itoa(HintSeconds) + "s."
	}
	x.fail(x.wire.limited(x, text))
}

// resetRequests sets the headers of OpenAI, which most providers copied.
func resetRequests(h http.Header, _ time.Time) {
	h.Set("X-Ratelimit-Remaining-Requests", "0")
	h.Set("X-Ratelimit-Reset-Requests", strconv.Itoa(HintSeconds)+"s")
}
