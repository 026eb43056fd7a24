package gateway

import (
	"slices"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// binds reports whether the limit holds for the request if the candidate serves it.
func (c *Call) binds(l *store.Limit, k candidate) bool {
	if c.steered != nil && c.steered.limit.ID == l.ID {
		return false
	}
	switch l.Subject {
	case store.LimitToken:
		if l.SubjectID != c.entry.token {
			return false
		}
	case store.LimitKey:
		if l.SubjectID != k.id {
			return false
		}
	case store.LimitEndUser:
		if !c.isFor(l) {
			return false
		}
	case store.LimitUser, store.LimitGateway:
	default:
		return false // of a later version
	}
	return matchesModel(l.Models, k) && (l.Fallback == "" || !k.is(l.Fallback))
}

// matchesModel reports whether the patterns name the model that the candidate serves, with or without its provider. No
// patterns name every model.
func matchesModel(patterns []string, k candidate) bool {
	ps := provider.Patterns(patterns)
	return len(ps) == 0 || ps.Match(k.model) || ps.Match(k.providerID+"/"+k.model)
}

// is reports whether the candidate serves the model, named with or without its provider.
func (k candidate) is(model string) bool {
	return model == k.model || model == k.providerID+"/"+k.model
}

// binding are the limits that hold for the candidate.
func (c *Call) binding(k candidate) []*store.Limit {
	var all []*store.Limit
	for i := range c.entry.table.limits {
		if l := &c.entry.table.limits[i]; c.binds(l, k) {
			all = append(all, l)
		}
	}
	return all
}

// demandFor returns what the request takes of the limits if one of the keys of the choice serves it. Its ID is zero if
// nothing limits the request. It reduces a choice among keys for which other limits hold to one key. Errors: Validation.
func (c *Call) demandFor(pick *choice, now int64) (d store.Demand, err error) {
	limited := slices.ContainsFunc(pick.keys, func(k candidate) bool { return k.dailyLimited })
	if len(c.entry.table.limits) == 0 && !limited {
		return d, nil
	}
	shared := c.demanded(pick.keys[0], false)
	for _, k := range pick.keys[1:] {
		if !slices.Equal(shared, c.demanded(k, false)) {
			pick.keys = pick.keys[:1]
			break
		}
	}
	limits := shared
	for _, k := range pick.keys {
		limits = append(limits, c.demanded(k, true)...)
	}
	if len(limits) == 0 && !limited {
		return d, nil
	}
	d = store.Demand{ID: store.NewID(now), ExpiresAt: now + c.timeLeft().Milliseconds() + holdGrace.Milliseconds()}
	for _, l := range limits {
		d.Limits = append(d.Limits, l.ID)
		if l.Subject == store.LimitEndUser && l.EndUser == nil {
			d.Each, d.Party = true, c.party()
		}
		d.Gateway = d.Gateway || l.Subject == store.LimitGateway
		d.Strict = d.Strict || bounds(l)
	}
	if d.Estimate, err = c.estimate(limits, pick.keys, now); err == nil && d.Strict {
		d.Bound, err = c.bound(limits, pick.keys)
	}
	return d, err
}

// holdGrace is how long a hold lasts after the request's deadline: until then its settle is on its way.
const holdGrace = 30 * time.Second

// demanded are the limits that the request has to hold for the candidate: those of its key, or the others. A request
// counts once, so an attempt that was not released has counted it already.
func (c *Call) demanded(k candidate, ofKey bool) []*store.Limit {
	return slices.DeleteFunc(c.binding(k), func(l *store.Limit) bool {
		counted := l.Metric == store.MetricRequests && c.counted && !ofKey
		return (l.Subject == store.LimitKey) != ofKey || counted
	})
}

// limitBlock is a limit that does not leave what the request needs, and its window.
type limitBlock struct {
	*store.Limit
	store.LimitStatus
	needs    int64 // what the request takes
	resetsAt int64 // Unix milliseconds; 0: never
	wait     time.Duration
	fallback *store.Limit // that is in the way as well and names a fallback; nil: none does
}

// heldWait is how long to wait if nothing but the holds of other requests is in the way.
const heldWait = time.Second

// foreverWait is how long the caller is told to wait for a limit that does not reset.
const foreverWait = 24 * time.Hour

// blockOf returns the limit that keeps the candidate from serving the request longest, by the status; nil if there is none.
func (c *Call) blockOf(k candidate, s quota.Status, now int64) (longest *limitBlock, err error) {
	var fallback *store.Limit
	limits := append(c.demanded(k, false), c.demanded(k, true)...)
	if len(limits) == 0 {
		return nil, nil
	}
	need, err := c.estimate(limits, []candidate{k}, now)
	if err != nil {
		return nil, err
	}
	bound, err := c.bound(limits, []candidate{k})
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		status := s.Limits[l.ID]
		amount := amountOf(l, need, need.Most)
		if bounds(l) {
			bound.TokensEach = need.TokensEach
			amount = amountOf(l, bound, bound.Least)
		}
		if status.Used+status.Held+amount <= l.Amount {
			continue
		}
		b := &limitBlock{Limit: l, LimitStatus: status, needs: amount, resetsAt: l.Span.End(now), wait: heldWait}
		switch {
		case status.Used+amount <= l.Amount:
		case b.resetsAt == 0:
			b.wait = foreverWait
		default:
			b.wait = time.Duration(b.resetsAt-now) * time.Millisecond
		}
		if l.Fallback != "" && fallback == nil {
			fallback = l
		}
		if longest == nil || b.wait > longest.wait || b.wait == longest.wait && l.Subject < longest.Subject {
			longest = b // the token's, of which it may know more, before others
		}
	}
	if longest != nil {
		longest.fallback = fallback
	}
	return longest, nil
}

// soonestLimit returns what to tell the caller if every candidate that was not tried is kept from serving by a limit; nil
// otherwise.
func (c *Call) soonestLimit() (soonest *limitBlock) {
	for _, k := range c.candidates {
		if c.failedAttempt(k) != nil {
			continue // what it holds still is not what is in the way
		}
		b := c.limited[k.identity()]
		if b == nil {
			return nil
		}
		if soonest == nil || b.wait < soonest.wait {
			soonest = b
		}
	}
	return soonest
}

// sweep returns the limits whose holds are to be swept with the request's reservation: all of the user's, once an hour in
// each process. Those of the gateway are among them if the request locks the gateway.
func (c *Call) sweep(d *store.Demand, now int64) (ids []store.ID) {
	t := c.entry.table
	last := t.sweptAt.Load()
	if now < last+sweepEvery.Milliseconds() || !t.sweptAt.CompareAndSwap(last, now) {
		return nil
	}
	for i := range t.limits {
		if l := &t.limits[i]; !l.User.IsZero() || d.Gateway {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

const sweepEvery = time.Hour

// spentByKept returns what replaces the holds of the attempts that failed and were not released.
func (c *Call) spentByKept(now int64) (all []store.Spending) {
	for _, a := range c.kept {
		all = append(all, c.spentBy(a, &spentUse{}, now))
	}
	return all
}

// spent returns what replaces the request's holds when it is settled with the record. usage is what the provider reported,
// or an estimate.
func (c *Call) spent(r *store.Record, usage *chat.Usage) (all []store.Spending) {
	now := c.nowMs()
	kept := c.kept
	c.kept = nil
	if a := c.current; a != nil && a.failure == nil && !a.reservation.ID.IsZero() {
		kept = append(kept, a)
	}
	for _, a := range kept {
		use := &spentUse{}
		if usage != nil && a == c.booked() {
			use.whole = c.ended && a.failure == nil
			use.reported = use.whole && !usage.Estimated
			tokens := max(0, usage.Input) + max(0, usage.Output)
			use.tokens, use.cost = &tokens, r.PlausibleCost()
		}
		all = append(all, c.spentBy(a, use, now))
	}
	return all
}

// amountOf returns what the request takes of the limit with so much output.
func amountOf(l *store.Limit, need store.Need, output int64) int64 {
	switch l.Metric {
	case store.MetricTokens:
		return need.Tokens + (output*need.TokensEach+999)/1000
	case store.MetricCost:
		return need.Cost + (output*need.CostEach+999)/1000
	}
	return 1
}

// noteLimits finds out which candidates are kept from serving by limits.
func (c *Call) noteLimits(s quota.Status, now int64) error {
	c.limited = nil
	if len(c.entry.table.limits) == 0 {
		return nil
	}
	for _, k := range c.candidates {
		b, err := c.blockOf(k, s, now)
		if err != nil && c.exclude([]candidate{k}, err) {
			continue
		}
		if err != nil {
			return err
		}
		if b == nil {
			continue
		}
		if c.limited == nil {
			c.limited = map[candidateID]*limitBlock{}
		}
		c.limited[k.identity()] = b
		if b.Subject == store.LimitKey && b.Used >= b.Amount && b.resetsAt > 0 && matchesAll(b.Models) {
			c.g.hints.change(c.entry.table, func(u *userHints) { u.spent[k.id] = b.resetsAt })
		}
	}
	return nil
}

func matchesAll(patterns []string) bool { return len(patterns) == 0 || slices.Contains(patterns, "*") }

// spentBy returns what replaces the holds of an attempt that was not released. usage is what the provider reported, nil if
// nothing; cost is nil if it is unknown.
func (c *Call) spentBy(a *attempt, use *spentUse, now int64) store.Spending {
	r := a.reservation
	s := store.Spending{ID: r.ID, Repeated: c.repeats || store.SettlesLate(r.ExpiresAt, now)}
	for _, h := range r.Holds {
		l := c.entry.table.limit(h.Limit)
		if l == nil {
			continue // of the key, or deleted
		}
		charge := store.Charge{Hold: h}
		switch l.Metric {
		case store.MetricRequests:
			charge.Spent = 1
		case store.MetricTokens:
			charge.Spent, charge.Unconfirmed = use.charge(use.tokens, h.Amount, l.Strict)
		case store.MetricCost:
			charge.Spent, charge.Unconfirmed = use.charge(use.cost, h.Amount, l.Strict)
		default:
			continue
		}
		s.Charges = append(s.Charges, charge)
	}
	return s
}

// spentUse is what is known of what an attempt spent.
type spentUse struct {
	tokens, cost *int64 // nil: unknown
	reported     bool   // by the provider, at the end of its answer
	whole        bool   // the answer came whole
}

// charge returns what counts of a limit, and which part of it is not confirmed. What the provider did not report may be
// all that was held.
func (u *spentUse) charge(known *int64, held int64, strict bool) (spent, unconfirmed int64) {
	switch {
	case known == nil:
		return held, held
	case u.reported:
		return *known, 0
	case u.whole && !strict:
		return *known, *known
	}
	spent = max(*known, held)
	return spent, spent
}

// limit returns the limit with the id; nil if there is none.
func (t *table) limit(id store.ID) *store.Limit {
	for i := range t.limits {
		if t.limits[i].ID == id {
			return &t.limits[i]
		}
	}
	return nil
}

// RateLimits returns the limits of requests and of tokens that leave the request's token least.
func (c *Call) RateLimits() (tightest []dialect.RateLimit) {
	if c.current == nil {
		return nil
	}
	for _, h := range c.current.reservation.Holds {
		if l := c.entry.table.limit(h.Limit); l != nil {
			tightest = c.tighten(tightest, l, h.Total)
		}
	}
	return tightest
}

// refusedRateLimits is RateLimits of a request that was refused after the status was read.
func (c *Call) refusedRateLimits() (tightest []dialect.RateLimit) {
	for i := range c.entry.table.limits {
		l := &c.entry.table.limits[i]
		if slices.ContainsFunc(c.candidates, func(k candidate) bool { return c.binds(l, k) }) {
			s := c.quotaStatus.Limits[l.ID]
			tightest = c.tighten(tightest, l, s.Used+s.Held)
		}
	}
	return tightest
}

// tighten adds a limit of the token, of whose window so much is taken, unless another leaves less.
func (c *Call) tighten(tightest []dialect.RateLimit, l *store.Limit, taken int64) []dialect.RateLimit {
	if l.Subject != store.LimitToken || l.Metric != store.MetricRequests && l.Metric != store.MetricTokens {
		return tightest
	}
	now := c.nowMs()
	r := dialect.RateLimit{Metric: metricName(l.Metric), Limit: l.Amount, Remaining: max(0, l.Amount-taken)}
	if end := l.Span.End(now); end > 0 {
		r.ResetsAt, r.Reset = time.UnixMilli(end), time.Duration(end-now)*time.Millisecond
	}
	i := slices.IndexFunc(tightest, func(t dialect.RateLimit) bool { return t.Metric == r.Metric })
	switch {
	case i < 0:
		return append(tightest, r)
	case r.Remaining < tightest[i].Remaining:
		tightest[i] = r
	}
	return tightest
}
