package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Call is a request on its way. One goroutine uses it.
type Call struct {
	g       *Gateway
	req     Request
	ctx     context.Context
	cancel  context.CancelFunc
	started time.Time

	entry       *entry
	asked       string   // the model of the request, whatever serves
	chain       []string // models that the request names beside it
	targets     []target
	ranks       []int // of the candidates: to which of the names that were asked for each belongs
	names       int
	candidates  []candidate // in the order of trying
	skipped     []skippedKey
	tried       map[candidateID]bool
	quotaStatus quota.Status // of the last refresh

	earlier  []earlierTurn
	digested *conversation // of the request, if that was needed to find its turns
	affinity store.ID      // the key that made the latest saved turn; zero if there is none
	answer   answer        // collected to be saved

	rotates        bool     // one of several equal keys was to be chosen
	opens          bool     // the conversation has neither a name nor a turn of the assistant yet
	conversationID store.ID // of a request that rotates; zero: none

	endUserName string                      // who is behind the request, as kept; empty: not told
	limited     map[candidateID]*limitBlock // the candidates that limits keep from serving, by the last refresh
	steered     *steering                   // not nil: another model serves, because a limit is reached
	input       int64                       // estimated tokens; 0: not estimated yet
	kept        []*attempt                  // that failed and are not released, and whose holds are to be replaced
	counted     bool                        // an attempt that is not released has counted the request
	repeats     bool                        // the holds may have been replaced by a trip whose outcome is unknown

	deferred      []store.Stmt // of failed attempts; they go with the next round trip
	databaseAway  bool         // why the request failed
	hostFailures  map[hostFailure][]candidate
	failedHosts   []store.CooldownID // that are not tried any more
	metPage       bool               // of status 4xx, and pages is how many requests in a row did
	pages         int
	last          *attempt
	retried       bool     // the last key was tried twice; no key is tried a third time
	current       *attempt // committed: its answer goes to the client
	attempts      int
	inexpressible int // attempts whose request the provider's dialect could not express
	trace         trace
	observed      observed

	abandoned  bool         // an attempt was left although its provider may bill it: no other is
	opening    <-chan error // not nil: the call is pending
	statusSent bool         // the client has got status 200 before a key answered
	committed  time.Duration
	firstByte  *int64
	meter      meter
	ended      bool // the last event has been delivered
	settled    bool
	response   *chat.Response
	slotOf     store.ID // whose slot the call has; zero: none
	warnings   []string
	buf        []chat.Event
}

// KeyID returns the id of the key that answers.
func (c *Call) KeyID() store.ID { return c.current.key.id }

// Owner returns the user and the token of the request; the token is zero for one from the dashboard.
func (c *Call) Owner() (user, token store.ID) { return c.entry.table.user, c.entry.token }

// Provider returns the id of the provider that answers.
func (c *Call) Provider() string { return c.current.key.providerID }

// Model returns the model that the provider was asked for.
func (c *Call) Model() string { return c.current.key.model }

// Latency returns the time from the request's arrival until the answer was whole or, of
// a stream, until it was committed to the key.
func (c *Call) Latency() time.Duration { return c.committed }

// Warnings returns what the provider could not express.
func (c *Call) Warnings() []string { return c.warnings }

// UnaskedUsage reports whether the provider has the caller's dialect, and streams usage though nobody asked for it.
func (c *Call) UnaskedUsage() bool { return c.current.same && c.current.traits.UnaskedUsage }

// EstimateInput estimates the input tokens of the request.
func (c *Call) EstimateInput() int64 { return c.inputEstimate() }

// Response returns the whole answer of a request that does not stream.
func (c *Call) Response() *chat.Response { return c.response }

// Vectors returns the answer to a request for embeddings.
func (c *Call) Vectors() *chat.EmbeddingResponse { return c.current.vectors }

// RawResponse returns the bytes of the response if the provider sent them in the client's dialect, else nil.
func (c *Call) RawResponse() []byte { return c.current.raw }

// open tries keys until one answers or is committed.
func (c *Call) open() error {
	if err := c.route(); err != nil {
		return err
	}
	if err := c.takeSlot(); err != nil {
		return err
	}
	if err := c.restoreSaved(); err != nil {
		return err
	}
	// Each round tries a key, refreshes the status, or reloads the routing table. The bound is only reached if somebody
	// changes the keys all the time.
	for rounds := 4 + 3*len(c.candidates); rounds > 0; rounds-- {
		if err := c.ctx.Err(); err != nil {
			return c.contextError(err)
		}
		if c.Attempts() >= c.g.settings.MaxAttempts {
			return c.refusal()
		}
		pick := c.pick(c.nowMs())
		if pick.empty() {
			if c.retryLast() {
				continue
			}
			again, err := c.refresh()
			if err != nil {
				return err
			}
			if again {
				continue
			}
			return c.refusal()
		}
		began := c.began()
		res, ok, err := c.reserve(&pick)
		c.observeReserve(began, ok)
		if err != nil {
			return c.unavailable(err)
		}
		if !ok {
			again, err := c.refresh()
			if err != nil {
				return err
			}
			if !again {
				return c.refusal()
			}
			continue
		}
		done, err := c.try(candidateOf(pick.keys, res.Key), pick, res)
		if done || err != nil {
			return err
		}
	}
	return c.refusal()
}

func candidateOf(keys []candidate, id store.ID) candidate {
	for _, k := range keys {
		if k.id == id {
			return k
		}
	}
	return keys[0]
}

func (c *Call) nowMs() int64 { return c.g.Now().UnixMilli() }

// route loads the principal's routing table and chooses the candidates.
func (c *Call) route() error {
	entry, err := c.g.entryOf(c.ctx, c.req.Principal)
	if err != nil {
		return c.unavailable(err)
	}
	if entry == nil {
		return errUnknownToken()
	}
	c.entry = entry
	if err := entry.allowsEndpoint(c.req.Endpoint); err != nil {
		return err
	}
	if err := c.readEndUser(); err != nil {
		return err
	}
	c.choose()
	if len(c.candidates) > 0 && len(c.targets) == 1 {
		c.steerByHint(c.nowMs())
	}
	return nil
}

func (c *Call) principal() store.Principal {
	return store.Principal{User: c.entry.table.user, Token: c.entry.token, Session: c.req.Principal.Session}
}

func (c *Call) reserve(pick *choice) (quota.Reservation, bool, error) {
	now := c.nowMs()
	demand, err := c.demandFor(pick, now)
	if err != nil && c.exclude(pick.keys, err) {
		return quota.Reservation{}, false, nil
	}
	if err != nil {
		return quota.Reservation{}, false, err
	}
	claim := quota.Request{
		Principal: c.principal(), Revision: c.entry.table.revision, Now: now,
		Targets: targetsOf(pick.keys), IgnoreTransient: pick.passesTransient, Demand: demand,
	}
	if demand.Each {
		if l := c.endUserLabel(); !c.entry.table.labels.has(demand.Party) {
			claim.Labels = []store.OwnedLabel{{User: c.entry.table.user, Label: l}}
		}
	}
	if demand.Gateway || len(demand.Limits) > 0 {
		claim.Sweep = c.sweep(&claim.Demand, now)
	}
	if len(pick.keys) > 1 {
		claim.Conversation = c.keptConversation()
	}
	if pick.probes {
		// The lease ends with the request's time, if it is not released before.
		claim.Probe, claim.ProbeEnd = c.req.ID, now+c.timeLeft().Milliseconds()
		c.g.hints.probe(c.entry.table, claim.Targets[0], claim.ProbeEnd)
	}
	var (
		res quota.Reservation
		ok  bool
	)
	if len(c.deferred)+len(c.kept) == 0 {
		res, ok, err = c.g.Quota.Reserve(c.ctx, claim)
	} else {
		res, ok, err = c.g.Quota.ReserveNext(c.ctx, c.deferred, c.spentByKept(now), claim)
		if err == nil {
			c.deferred, c.kept = nil, nil
		} else {
			c.repeats = true
		}
	}
	if err == nil && len(claim.Labels) > 0 {
		c.entry.table.labels.add([]store.Label{claim.Labels[0].Label})
	}
	switch {
	case demand.ID.IsZero():
	case err != nil:
		// The reservation may have been made although the answer was lost.
		c.deferred = append(c.deferred, store.ReleaseHeld(demand.ID, store.DayOf(now))...)
	case !ok && len(res.Holds) > 0:
		c.deferred = append(c.deferred, store.DropHolds(demand.ID))
	}
	if pick.probes && !ok {
		c.releaseLease(pick.keys[0]) // it may have been taken although the quota is spent
	}
	return res, ok, err
}

// timeLeft returns the time until the request's deadline.
func (c *Call) timeLeft() time.Duration {
	deadline, _ := c.ctx.Deadline()
	return time.Until(deadline)
}

// refresh reads the status of the principal and its keys after a reservation was refused. It reports whether
// there is a key to try.
func (c *Call) refresh() (again bool, err error) {
	now := c.nowMs()
	v, err := c.g.Quota.Refresh(c.ctx, c.principal(), c.party(), now)
	if err != nil {
		return false, c.unavailable(err)
	}
	if !v.Access {
		c.g.tables.drop(c.req.Principal.credential())
		return false, errNoAccess()
	}
	c.quotaStatus = v
	if v.Revision != c.entry.table.revision {
		c.g.tables.drop(c.req.Principal.credential())
		if err := c.route(); err != nil {
			return false, err
		}
	}
	if err := c.useStatus(now); err != nil {
		return false, err
	}
	return !c.pick(now).empty(), nil
}

// useStatus takes over the status that was read: which keys are ready, what limits leave, and whether another model serves.
func (c *Call) useStatus(now int64) error {
	c.g.hints.update(c.entry.table.user, c.quotaStatus, now)
	if err := c.noteLimits(c.quotaStatus, now); err != nil {
		return err
	}
	if c.pick(now).empty() && c.steer(now) {
		return c.noteLimits(c.quotaStatus, now)
	}
	return nil
}

// try calls the provider with the reserved key. done reports that the answer has come or is committed; an error means
// that no other key can do better.
func (c *Call) try(k candidate, pick choice, res quota.Reservation) (done bool, err error) {
	c.attempts++
	c.tried[k.identity()] = true
	c.noteTry(k)
	a := &attempt{key: k, reservation: res, started: c.g.Now(), stream: c.req.Chat.Stream,
		probes: pick.probes, passesTransient: pick.passesTransient, spare: c.g.settings.MaxAttempts - c.Attempts()}
	c.last = a
	request := c.requestOf(k)
	if most := c.lowered(a); most != nil {
		chat := *request.Chat
		chat.MaxTokens = most
		request.Chat = &chat
	}
	ctx := c.startClock(a, request)
	if a.stream {
		c.g.callStream(ctx, a, request)
	} else {
		c.g.callWhole(ctx, a, request)
	}
	c.attempts += a.repeated
	a.clock.alive()
	a.cancelled = c.ctx.Err() != nil
	if a.failure == nil {
		c.commit(a)
		return true, nil
	}
	a.clock.stop()
	return false, c.handleFailure(a)
}

// commit makes a's answer the one that the client gets.
func (c *Call) commit(a *attempt) {
	c.current = a
	c.committed = c.g.Now().Sub(c.started)
	c.warnings = a.warnings
	c.noteFirstByte(a)
	if a.lowered != "" {
		c.warnings = append(slices.Clip(c.warnings), a.lowered)
	}
	if !a.stream {
		c.finishWhole(a)
	}
}

func (c *Call) noteFirstByte(a *attempt) {
	if c.firstByte == nil && !a.firstByte.IsZero() {
		ms := a.firstByte.Sub(c.started).Milliseconds()
		c.firstByte = &ms
	}
}
