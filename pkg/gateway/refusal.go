package gateway

import (
	"fmt"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// refusal returns the error for the client when no candidate is left.
func (c *Call) refusal() error {
	if len(c.candidates) == 0 {
		return c.noEligibleKey(c.skipped)
	}
	now := c.nowMs()
	var (
		soonest     int64 // when the first key is available again without a person
		unavailable []skippedKey
		failed      bool // some key was tried and is neither spent nor cooling down
	)
	for _, k := range c.candidates {
		at, reason := c.availableAt(k, now)
		if reason == "" {
			failed = true
			continue
		}
		unavailable = append(unavailable, skippedKey{k.key, reason})
		if at > 0 && (soonest == 0 || at < soonest) {
			soonest = at
		}
	}
	last := c.lastFailed()
	switch {
	case last != nil && (failed || !recoversByItself(last.failure.Class)):
		return c.providerFault(last)
	case soonest > 0:
		return &fault.Error{
			Code:       fault.RateLimit,
			Message:    "every key that may serve the request has spent its quota or is cooling down after its provider refused it; try again later, raise a daily limit, or add a key",
			Details:    map[string]any{"keys": describeSkipped(unavailable)},
			RetryAfter: time.Duration(soonest-now) * time.Millisecond,
		}
	case last != nil:
		return c.providerFault(last)
	case failed: // other requests reserved first each time
		return &fault.Error{Code: fault.RateLimit, Message: "many requests compete for the rest of a daily limit; try again",
			RetryAfter: time.Second}
	}
	return c.noEligibleKey(append(unavailable, c.skipped...))
}

func (c *Call) lastFailed() *attempt {
	if n := len(c.trace.attempts); n > 0 {
		return c.trace.attempts[n-1]
	}
	return nil
}

// recoversByItself reports whether it is enough to wait after a failure of the class.
func recoversByItself(class chat.Class) bool {
	return class == chat.RateLimited || class == chat.DailyQuota
}

// availableAt returns why a candidate cannot serve now and when it can again, in Unix milliseconds; 0 if a person has to
// act. The reason is empty if the candidate can serve.
func (c *Call) availableAt(k candidate, now int64) (at int64, reason string) {
	for i := len(c.trace.attempts) - 1; i >= 0; i-- {
		a := c.trace.attempts[i]
		if a.key.id != k.id {
			continue
		}
		rule := provider.FailurePolicy(a.failure, now).Cooldown
		if rule.Scope != chat.ScopeKey && rule.Scope != chat.ScopeModel {
			return 0, ""
		}
		return cooldownReason(rule.End(now, 0), string(a.failure.Class), now)
	}
	state, ok := c.quotaStatus.Keys[k.id]
	cooldown, cools := c.coolingDown(k, now)
	switch {
	case !ok || state.Disabled:
		return 0, "disabled"
	case cools:
		return cooldownReason(cooldown.Until, cooldown.Class, now)
	case state.Limit != nil && *state.Limit <= 0:
		return 0, "its daily limit is 0"
	case state.Spent():
		return nextMidnight(now), fmt.Sprintf("its daily limit of %d requests is used up", *state.Limit)
	}
	return 0, ""
}

func cooldownReason(until int64, class string, now int64) (int64, string) {
	switch {
	case until <= now:
		return 0, ""
	case class == string(chat.BadKey):
		return 0, "the provider refuses it (" + class + "); enter it again"
	}
	return until, "cooldown until " + time.UnixMilli(until).UTC().Format(time.RFC3339) + " (" + class + ")"
}

func (c *Call) noEligibleKey(skipped []skippedKey) error {
	msg := "you have no provider key yet: add one (POST /api/keys)"
	if len(skipped) > 0 {
		msg = "none of your provider keys may serve this request"
		if m := c.req.Chat.Model; m != "" {
			msg += " for the model " + fmt.Sprintf("%q", clip(m, maxModel))
		}
		msg += "; details.keys says why each was skipped"
	}
	return &fault.Error{Code: fault.NoEligibleKey, Message: msg, Details: map[string]any{"keys": describeSkipped(skipped)}}
}

// providerFault returns the error for the client after a provider's failure. The provider's message reaches the client
// only if the client caused it: a message about a key is for the key's owner alone, who finds it with the key.
func (c *Call) providerFault(a *attempt) *fault.Error {
	e := a.failure
	details := map[string]any{"class": e.Class, "provider": a.key.providerID, "model": a.key.model}
	if e.CallerCaused() {
		msg := e.Message
		if msg == "" {
			msg = "the provider refused the request"
		}
		if e.Param != "" {
			details["param"] = e.Param
		}
		return &fault.Error{Code: fault.Validation, Message: msg, Details: details, Err: e}
	}
	f := &fault.Error{Code: fault.Provider, Message: describe(e.Class, a.key.provider.Name, a.key.model), Details: details, Err: e}
	if e.Class == chat.RateLimited || e.Class == chat.Overloaded {
		f.RetryAfter = e.RetryAfter
	}
	return f
}

func describe(class chat.Class, name, model string) string {
	switch class {
	case chat.BadKey:
		return name + " does not accept the key; enter it again"
	case chat.Forbidden:
		return name + " does not allow the key to do this"
	case chat.OutOfMoney:
		return "the account of the key has no credit left at " + name
	case chat.DailyQuota:
		return "the key's quota of the day is used up at " + name
	case chat.RateLimited:
		return name + " limits the rate of the key"
	case chat.Overloaded:
		return name + " is overloaded"
	case chat.Timeout:
		return name + " did not answer in time"
	case chat.ModelUnknown:
		return name + " does not serve the model " + model + " to this key"
	case chat.TooLarge:
		return "the request is larger than " + name + " allows to the key"
	case chat.BadToolCall:
		return "the model wrote a tool call that " + name + " could not read"
	}
	return "the connection to " + name + " failed"
}
