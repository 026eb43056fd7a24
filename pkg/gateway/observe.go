package gateway

import (
	"cmp"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/telemetry"
)

// observed is what an observer is told of a call beside its record. It stays empty where there is no observer.
type observed struct {
	reserves []telemetry.Span
	attempts []telemetry.Attempt
}

// began returns the time at which something begins that an observer is told of.
func (c *Call) began() (at time.Time) {
	if c.g.Observer != nil {
		at = c.g.Now()
	}
	return at
}

func (c *Call) observeReserve(start time.Time, ok bool) {
	if c.g.Observer != nil {
		c.observed.reserves = append(c.observed.reserves, telemetry.Span{Start: start, End: c.g.Now(), Failed: !ok})
	}
}

// observeAttempt takes down an attempt that has failed, or the one that answers.
func (c *Call) observeAttempt(a *attempt, end time.Time) {
	if c.g.Observer == nil {
		return
	}
	t := telemetry.Attempt{
		Span: telemetry.Span{Start: a.started, End: end, Failed: a.failure != nil}, Key: a.key.id.String(),
		Provider: a.key.telemetryID(), Model: clip(a.key.model, maxModel), System: a.key.provider.System(),
		FirstToken: a.firstByte, RequestID: clip(a.requestID, maxModel),
	}
	if a.key.custom {
		t.System = telemetry.Custom
	}
	if a.failure != nil {
		t.Class, t.Status = string(a.failure.Class), a.failure.Status
	} else {
		t.Answered = clip(c.meter.model, maxModel)
	}
	c.observed.attempts = append(c.observed.attempts, t)
}

// telemetryID is the id of the provider, but for those that users name.
func (k *key) telemetryID() string {
	if k.custom {
		return telemetry.Custom
	}
	return k.providerID
}

var outcomes = map[store.Outcome]telemetry.Outcome{
	store.Answered: telemetry.Answered, store.Failed: telemetry.Failed, store.Broken: telemetry.Broken,
	store.CallerLeft: telemetry.CallerLeft, store.DeadlinePassed: telemetry.DeadlinePassed,
}

// observe tells the observer of the end of the call. The function that it returns, which may be nil, is to be called when
// the record is written.
func (c *Call) observe(o outcome, r *store.Record) (written func()) {
	if c.g.Observer == nil {
		return nil
	}
	now := c.g.Now()
	if a := c.current; a != nil && a.failure == nil {
		c.observeAttempt(a, now)
	}
	t := &telemetry.Request{
		ID: r.ID.String(), Traceparent: clip(c.req.Header.Get("Traceparent"), maxModel), Arrived: c.req.Arrived, Started: c.started,
		Ended: now, Endpoint: c.req.Endpoint, Embeddings: c.req.Embedding != nil, Stream: c.req.Chat.Stream,
		Outcome: outcomes[o.kind], Status: o.status, Reserves: c.observed.reserves, Attempts: c.observed.attempts,
		Finish: c.finishReason(),
	}
	if o.fault != nil {
		t.Error = string(o.fault.Code)
	}
	if a := c.booked(); a != nil {
		t.Provider, t.Model = a.key.telemetryID(), r.Model
		t.Usage = telemetry.Usage{Known: r.Input+r.Output > 0, Input: r.Input, Cached: r.Cached, CacheWrite: r.CacheWrite,
			Output: r.Output, Reasoning: r.Reasoning, Estimated: r.Flags&store.FlagEstimated != 0}
		if r.Cost != nil {
			t.Usage.Nanos, t.Usage.Priced = *r.Cost, true
		}
	}
	if r.FirstByteMs != nil {
		t.FirstToken = c.started.Add(time.Duration(*r.FirstByteMs) * time.Millisecond)
	}
	done := c.g.Observer.Ending(t)
	return func() {
		t.Settled = c.g.Now()
		done()
	}
}

func (c *Call) finishReason() string {
	if c.response != nil && len(c.response.Choices) > 0 {
		return string(cmp.Or(c.response.Choices[0].Finish, c.meter.finish))
	}
	return string(c.meter.finish)
}

// Load is what a process has to do.
type Load struct {
	Upstream      int64 // requests that are with providers
	UpstreamLimit int64
	Backlog       int   // ends of requests that wait for the database
	BacklogBytes  int64 // of these, and of those that are being written
}

// Load returns what the process has to do now.
func (g *Gateway) Load() Load {
	used, amount := g.slots.Used()
	l := Load{Upstream: used, UpstreamLimit: amount}
	if g.backlog != nil {
		l.Backlog, l.BacklogBytes = g.backlog.size()
	}
	return l
}
