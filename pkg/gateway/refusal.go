package gateway

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// obstacle is the kind of reason why a candidate did not serve a request.
type obstacle uint8

// The obstacles. If the candidates have several, the caller is told the one that is last here: what it can mend in the
// request, else what passes by itself, else what a provider said.
const (
	notAllowed     obstacle = iota // by the key's settings
	inexpressible                  // in the dialect of the key's provider
	refusesKey                     // the provider does not serve the key
	unknownModel                   // the provider does not know the model
	tooLarge                       // for this key
	limited                        // by a rate, a quota or the key's own limit
	competing                      // other requests reserved first each time
	passing                        // a broken connection, an overload
	refusesRequest                 // the provider would answer the same to any key
)

// blocked is a candidate that did not serve, and why.
type blocked struct {
	skippedKey
	obstacle obstacle
	class    chat.Class
	served   string   // the model that its provider would be asked for
	until    int64    // when the key is available again, in Unix milliseconds; 0 if that is unknown
	attempt  *attempt // that failed; nil if the key was not tried
	said     string   // what the provider said when the cooldown began
}

// refusal returns the error for the caller when no candidate is left.
func (c *Call) refusal() error {
	if len(c.candidates) == 0 {
		return c.noCandidate()
	}
	if b := c.soonestLimit(); b != nil {
		return c.limitFault(b)
	}
	now := c.nowMs()
	var (
		all   []blocked
		worst obstacle
	)
	for _, k := range c.candidates {
		b := c.blockedBy(k, now)
		all, worst = append(all, b), max(worst, b.obstacle)
	}
	var (
		decisive []skippedKey
		soonest  *blocked
		failed   *attempt // the latest
	)
	for i := range all {
		b := &all[i]
		if b.obstacle != worst {
			continue
		}
		decisive = append(decisive, b.skippedKey)
		if b.until > now && (soonest == nil || b.until < soonest.until) {
			soonest = b
		}
		if b.attempt != nil && (failed == nil || b.attempt.started.After(failed.started)) {
			failed = b.attempt
		}
	}
	switch {
	case worst == notAllowed:
		return c.noEligibleKey(append(decisive, c.skipped...))
	case worst == competing:
		return &fault.Error{Code: fault.RateLimit, Message: "many requests compete for the rest of a daily limit; try again",
			RetryAfter: time.Second}
	case worst == limited && soonest != nil:
		return c.unavailableKeys(fault.RateLimit, decisive, soonest, now)
	case failed != nil:
		return c.providerFault(failed)
	case worst == unknownModel:
		return errUnknownModel(c.req.Chat.Model, decisive)
	case soonest != nil:
		return c.unavailableKeys(fault.Unavailable, decisive, soonest, now)
	}
	return c.noEligibleKey(append(decisive, c.skipped...))
}

// blockedBy returns why a candidate does not serve the request.
func (c *Call) blockedBy(k candidate, now int64) blocked {
	b := blocked{skippedKey: skippedKey{key: k.key}, served: k.model}
	if len(c.targets) > 1 {
		b.model = k.model
	}
	if a := c.failedAttempt(k); a != nil {
		b.attempt, b.class, b.obstacle = a, a.failure.Class, obstacleOf(a.failure.Class)
		switch {
		case a.inexpressible:
			b.obstacle = inexpressible
		case b.obstacle == tooLarge && a.failure.CallerCaused():
			b.obstacle = refusesRequest // it is too large for every key
		}
		if rule := provider.FailurePolicy(a.failure, now).Cooldown; !rule.None() {
			b.coolsDown(rule.End(now, 0), now)
		} else {
			b.coolsDown(0, now)
		}
		return b
	}
	if l := c.limited[k.identity()]; l != nil {
		b.obstacle, b.until = limited, now+l.wait.Milliseconds()
		b.reason = "a limit of " + metricName(l.Metric) + " of the " + subjectNames[l.Subject] + " is reached"
		return b
	}
	state, ok := c.quotaStatus.Keys[k.id]
	cooldown, cools := c.cooldownOf(k, now)
	switch {
	case !ok || state.Disabled:
		b.reason = "disabled"
	case cools:
		b.class, b.said = chat.Class(cooldown.Class), cooldown.Message
		b.obstacle = obstacleOf(b.class)
		b.coolsDown(max(cooldown.Until, now+probeWait.Milliseconds()), now)
	case state.Limit != nil && *state.Limit <= 0:
		b.reason = "its daily limit is 0"
	case state.Spent():
		b.obstacle, b.until = limited, nextMidnight(now)
		b.reason = fmt.Sprintf("its daily limit of %d requests is used up", *state.Limit)
	default:
		b.obstacle = competing
	}
	return b
}

// probeWait is how long to wait for the outcome of another request that probes.
const probeWait = time.Second

// cooldownOf returns the cooldown that keeps the candidate from being used longest: one that runs, or one that another
// request probes.
func (c *Call) cooldownOf(k candidate, now int64) (store.Cooldown, bool) {
	if running, ok := c.coolingDown(k, now); ok {
		return running, true
	}
	for _, id := range k.target().Cooldowns() {
		if cooldown, ok := c.quotaStatus.Cooldowns[id]; ok && cooldown.Blocks(now) {
			return cooldown, true
		}
	}
	return store.Cooldown{}, false
}

// failedAttempt returns the latest attempt with the candidate's key; nil if there was none.
func (c *Call) failedAttempt(k candidate) *attempt {
	for i := len(c.trace.attempts) - 1; i >= 0; i-- {
		if a := c.trace.attempts[i]; a.key.identity() == k.identity() {
			return a
		}
	}
	return nil
}

// maxWait bounds how long the caller is told to wait: every cooldown is probed after that time.
const maxWait = 6 * time.Hour

// coolsDown sets the end of a cooldown and the reason that names it.
func (b *blocked) coolsDown(until, now int64) {
	if until <= now {
		b.reason = "it failed (" + string(b.class) + ")"
		return
	}
	b.until = min(until, now+maxWait.Milliseconds())
	b.reason = "cooldown until " + time.UnixMilli(until).UTC().Format(time.RFC3339) + " (" + string(b.class) + ")"
}

// obstacleOf returns the obstacle that a failure of the class is.
func obstacleOf(class chat.Class) obstacle {
	switch class {
	case chat.BadRequest, chat.ContextLength, chat.ContentPolicy:
		return refusesRequest
	case chat.RateLimited, chat.DailyQuota:
		return limited
	case chat.BadKey, chat.Forbidden, chat.OutOfMoney:
		return refusesKey
	case chat.ModelUnknown:
		return unknownModel
	case chat.TooLarge:
		return tooLarge
	}
	return passing
}

func (c *Call) lastFailed() *attempt {
	if n := len(c.trace.attempts); n > 0 {
		return c.trace.attempts[n-1]
	}
	return nil
}

// unavailableKeys returns the error for a request whose keys are limited or cool down. It tells the cause of the one
// that is available first.
func (c *Call) unavailableKeys(code fault.Code, keys []skippedKey, first *blocked, now int64) error {
	details := map[string]any{"keys": describeSkipped(keys), "provider": first.key.providerID, "model": first.served}
	msg := "every key that may serve the request has spent its quota or is limited by its provider; " +
		"try again later, raise a daily limit, or add a key"
	if code == fault.Unavailable {
		msg = "every key that may serve the request cools down after its provider refused it or failed; " +
			"try again later, test the key, or add another"
	}
	if first.class != "" {
		details["class"] = first.class
		msg += "; " + describe(first.class, first.key.provider.Name, first.served)
	}
	var failure error
	if a := first.attempt; a != nil {
		msg, failure = withSentence(msg, a.failure), a.failure
	} else if first.said != "" {
		msg += ": " + clip(first.said, maxSentence)
	}
	wait := time.Duration(first.until-now) * time.Millisecond
	return &fault.Error{Code: code, Message: msg, Details: details, RetryAfter: wait, Err: failure}
}

// noCandidate returns the error for a request that no key may ever serve.
func (c *Call) noCandidate() error {
	if err := c.outOfScope(); err != nil {
		return err
	}
	if c.req.Compact && slices.ContainsFunc(c.skipped, func(s skippedKey) bool { return s.reason == noCompaction }) {
		return &fault.Error{Code: fault.NotFound, Details: map[string]any{"keys": describeSkipped(c.skipped)},
			Message: "no provider of your keys shortens conversations with this model: shorten it yourself, with a request for a summary"}
	}
	known := slices.ContainsFunc(c.targets, func(t target) bool { return !c.g.unknown(t.Model) })
	if len(c.skipped) > 0 && !known {
		return errUnknownModel(c.req.Chat.Model, c.skipped)
	}
	return c.noEligibleKey(c.skipped)
}

// unknown reports whether no provider is known to have the model.
func (g *Gateway) unknown(model string) bool {
	return model != "" && !slices.ContainsFunc(g.Providers.All(), func(p *provider.Provider) bool { return p.Has(model) })
}

// errUnknownModel returns the error for a model that none of the user's providers serves.
func errUnknownModel(model string, skipped []skippedKey) error {
	model = clip(model, maxModel)
	return &fault.Error{Code: fault.NotFound, Message: fmt.Sprintf("none of the providers of your keys serves the model %q", model),
		Details: map[string]any{"class": chat.ModelUnknown, "model": model, "keys": describeSkipped(skipped)}}
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

// providerFault returns the error for the caller after a provider's failure.
func (c *Call) providerFault(a *attempt) *fault.Error {
	e := a.failure
	details := map[string]any{"class": e.Class, "provider": a.key.providerID, "model": a.key.model}
	if e.CallerCaused() {
		msg := clip(e.Message, maxSentence)
		if msg == "" {
			msg = "the provider refused the request"
		}
		if e.Param != "" {
			details["param"] = e.Param
		}
		if e.Class == chat.ContextLength {
			// The dialects tell it in words of their own.
			details["providerMessage"] = msg
			if e.Limit > 0 {
				details["requested"], details["limit"] = e.Requested, e.Limit
			}
		}
		return &fault.Error{Code: fault.Validation, Message: msg, Details: details, Err: e}
	}
	msg := withSentence(describe(e.Class, a.key.provider.Name, a.key.model), e)
	if e.Class == chat.ModelUnknown {
		return &fault.Error{Code: fault.NotFound, Message: msg, Details: details, Err: e}
	}
	f := &fault.Error{Code: fault.Provider, Message: msg, Details: details, Err: e}
	if e.Class == chat.RateLimited || e.Class == chat.Overloaded {
		f.RetryAfter = e.RetryAfter
	}
	return f
}

// maxSentence bounds how much of a provider's message the caller is told, in bytes.
const maxSentence = 1 << 10

// withSentence appends to a message what the provider said, or what kept the request from it.
func withSentence(msg string, e *chat.Error) string {
	sentence := e.Message
	var unreachable *provider.UnreachableError
	switch {
	case errors.As(e.Cause, &unreachable):
		sentence = unreachable.Problem
	case e.Status == 0 && e.Code == "" && e.Type == "":
		return msg // the sentence is the gateway's own
	}
	if sentence == "" {
		return msg
	}
	return msg + ": " + clip(sentence, maxSentence)
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
