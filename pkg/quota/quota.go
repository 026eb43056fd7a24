// Package quota counts what provider keys may still do today, and what limits leave, exactly, for any number of processes:
// a request makes a reservation in the database before it calls a provider. The package also takes turns between equal keys
// (round-robin), and throttles guessing. The SQL is in package store.
package quota

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Request is what a request needs: a reservation in the daily quota of the key of Targets[0] or, under rotation, of the
// key whose turn it is.
type Request struct {
	store.Principal
	// Revision is that of the routing table from which the keys were chosen.
	Revision int64
	Now      int64 // Unix milliseconds
	// Targets are one key, or the equal keys among which to rotate, in the order of their ids.
	Targets []store.Target
	// Conversation stays with the target that [store.SaveConversation] names, if it is among several; zero: none.
	Conversation store.ID
	// Probe, if not zero, takes the leases of the half-open cooldowns of the only target in its name, until ProbeEnd.
	Probe    store.ID
	ProbeEnd int64
	// IgnoreTransient passes the cooldowns of transient failures. It is for one target.
	IgnoreTransient bool
	// Demand, if its ID is not zero, is held in limits. It must be set for keys with a daily limit and for principals with
	// limits.
	Demand store.Demand
	// Labels are those that limits for each end user need.
	Labels []store.OwnedLabel
	// Sweep are the limits whose expired holds are to be swept; nil: none.
	Sweep []store.ID
}

// Reservation is one request of a key's quota of a day, with its holds.
type Reservation struct {
	ID        store.ID // zero: it has no identity, because nothing limits it
	ExpiresAt int64    // of its holds
	Holds     []store.Hold

	Key  store.ID
	Day  int64
	Gen  int64 // of the day's row: a reset begins a new generation
	Used int64 // of the day, this reservation included
}

// Quota makes and releases reservations. It is safe for concurrent use.
type Quota struct {
	db    store.DB
	group *store.Group[*request]
}

type request struct {
	Request
	keySet   store.ID // names the cursor; zero without rotation
	made     Reservation
	reserved bool
	// alone makes the reservation with statements of its own. joined reports that it was refused together with others.
	alone, joined bool
}

// groupLimit bounds the members of one transaction.
const groupLimit = 64

// graceTime lets the database's own timeout end a run first, whose error says more.
const graceTime = time.Second

// New returns a Quota that keeps its counts in db.
func New(db store.DB) *Quota {
	q := &Quota{db: db}
	q.group = store.NewGroup(groupLimit, db.Timeout, q.write)
	return q
}

func newRequest(r Request) *request {
	m := &request{Request: r}
	m.made.ID, m.made.ExpiresAt = r.Demand.ID, r.Demand.ExpiresAt
	if len(r.Targets) > 1 {
		m.keySet = digest(r.Targets)
	}
	return m
}

// Reserve makes a reservation. It returns false if it could not: the principal has no access any more, the revision is
// old, the key is disabled, a cooldown holds for the target, or the quota is spent. [Quota.Refresh] tells which. Leases
// may have been taken all the same: see [store.ReleaseLease].
func (q *Quota) Reserve(ctx context.Context, r Request) (Reservation, bool, error) {
	m := newRequest(r)
	err := q.group.Do(ctx, m)
	if err == nil && m.joined {
		// The limits did not leave enough for all before it, but perhaps for this one.
		m.alone, m.joined = true, false
		err = q.group.Do(ctx, m)
	}
	return m.made, m.reserved, err
}

// write reserves for every member, in the order of package store's locks.
func (q *Quota) write(ctx context.Context, batch []*request) error {
	slices.SortStableFunc(batch, func(a, b *request) int { // of equals, who came first is served first
		return cmp.Or(bytes.Compare(a.User[:], b.User[:]), bytes.Compare(a.keySet[:], b.keySet[:]),
			bytes.Compare(a.Targets[0].Key[:], b.Targets[0].Key[:]), cmp.Compare(store.DayOf(a.Now), store.DayOf(b.Now)))
	})
	stmts := make([]store.Stmt, 0, 3*len(batch)+3)
	var labels []store.OwnedLabel
	for _, r := range batch {
		labels = append(labels, r.Labels...)
	}
	if len(labels) > 0 {
		stmts = append(stmts, store.AddLabels(labels, batch[0].Now)...)
	}
	if slices.ContainsFunc(batch, (*request).holdsGateway) {
		stmts = append(stmts, store.HoldGateway())
	}
	for left := batch; len(left) > 0; {
		n := 1
		for n < len(left) && left[n].User == left[0].User {
			n++
		}
		stmts = appendOfUser(stmts, left[:n])
		left = left[n:]
	}
	// One sweep a transaction keeps the windows in the order of their locks. The others' come another time.
	if i := slices.IndexFunc(batch, func(r *request) bool { return len(r.Sweep) > 0 }); i >= 0 {
		stmts = append(stmts, store.SweepHolds(batch[i].Sweep, batch[i].Now)...)
	}
	return q.db.Run(ctx, stmts...)
}

func (r *request) identified() bool   { return !r.Demand.ID.IsZero() }
func (r *request) holdsGateway() bool { return r.Demand.Gateway }

// appendOfUser appends the statements of one user's requests. Several rows of key_days are locked only by the
// transaction that holds their user, and after all cursors. A key has a row for each day, so around midnight a batch
// may lock two rows of one key.
func appendOfUser(stmts []store.Stmt, requests []*request) []store.Stmt {
	first, last := requests[0], requests[len(requests)-1]
	oneRow := last.keySet.IsZero() && first.Targets[0].Key == last.Targets[0].Key && store.DayOf(first.Now) == store.DayOf(last.Now)
	holds := slices.ContainsFunc(requests, func(r *request) bool { return !r.Probe.IsZero() || r.identified() })
	if len(requests) > 1 && !oneRow || holds {
		stmts = append(stmts, store.HoldUser(first.User))
	}
	if first.keySet != last.keySet {
		for i, r := range requests {
			if !r.keySet.IsZero() && (i == 0 || r.keySet != requests[i-1].keySet) {
				stmts = append(stmts, store.HoldCursor(r.User, r.keySet))
			}
		}
	}
	for left := requests; len(left) > 0; {
		n := 1
		for n < len(left) && n < store.MaxDemands && left[0].joins(left[n]) {
			n++
		}
		stmts = appendReserve(left[0].appendTurn(stmts), left[:n])
		left = left[n:]
	}
	return stmts
}

// joins reports whether one statement can make the reservations of both: they differ in what they hold alone.
func (r *request) joins(o *request) bool {
	d, other := &r.Demand, &o.Demand
	return !r.alone && !o.alone && r.identified() && o.identified() && r.keySet.IsZero() && o.keySet.IsZero() && r.Probe.IsZero() && o.Probe.IsZero() &&
		r.Principal == o.Principal && r.Revision == o.Revision && r.Targets[0] == o.Targets[0] && r.IgnoreTransient == o.IgnoreTransient &&
		store.SpanMinute.Start(r.Now) == store.SpanMinute.Start(o.Now) && !d.Strict && !other.Strict && d.Party == other.Party && d.Each == other.Each &&
		slices.Equal(d.Limits, other.Limits)
}

func (r *request) rotation() *store.Rotation {
	return &store.Rotation{Targets: r.Targets, Set: r.keySet, Conversation: r.Conversation}
}

// appendTurn takes the next turn of the request's set of keys, if there are several.
func (r *request) appendTurn(stmts []store.Stmt) []store.Stmt {
	if r.keySet.IsZero() {
		return stmts
	}
	return append(stmts, store.AdvanceCursor(r.User, r.Now, r.rotation()))
}

// appendReserve takes the leases that the requests need, and makes their reservations. There are several if they join.
func appendReserve(stmts []store.Stmt, requests []*request) []store.Stmt {
	r := requests[0]
	if !r.Probe.IsZero() {
		stmts = append(stmts, store.TakeLease(r.Targets[0], r.Probe, r.Now, r.ProbeEnd))
	}
	if !r.identified() {
		return append(stmts, r.reserve())
	}
	return append(stmts, hold(requests), reserveHeld(requests))
}

func (r *request) passage() store.Passage {
	return store.Passage{Lease: r.Probe, IgnoreTransient: r.IgnoreTransient}
}

// hold returns the statement that chooses the key and holds what the requests demand.
func hold(requests []*request) store.Stmt {
	r := requests[0]
	var stmt store.Stmt
	if r.keySet.IsZero() {
		now := r.Now // in the same minute
		for _, r := range requests {
			now = max(now, r.Now)
		}
		stmt = store.HoldKeys(r.Principal, r.Revision, now, r.Targets[0], r.passage(), demands(requests))
	} else {
		stmt = store.HoldRotated(r.Principal, r.Revision, r.Now, r.rotation(), &r.Demand)
	}
	for _, r := range requests {
		r.made.Holds = nil
	}
	stmt.Each = func(row store.Row) error {
		var id store.ID
		var h store.Hold
		err := store.ScanHold(row, &id, &h)
		for _, r := range requests {
			if r.Demand.ID == id {
				r.made.Holds = append(r.made.Holds, h)
			}
		}
		return err
	}
	return stmt
}

func demands(requests []*request) []*store.Demand {
	all := make([]*store.Demand, len(requests))
	for i, r := range requests {
		all[i] = &r.Demand
	}
	return all
}

// reserveHeld returns the statement that counts the requests that hold what they demand. It follows that of [hold].
func reserveHeld(requests []*request) store.Stmt {
	for _, r := range requests {
		r.reserved, r.joined = false, len(requests) > 1 && len(r.Demand.Limits) > 0
	}
	stmt := store.ReserveHeld(demands(requests), requests[0].Now)
	stmt.Each = func(row store.Row) error {
		var made Reservation
		if err := row.Scan(&made.Key, &made.Used, &made.Gen); err != nil {
			return err
		}
		for _, r := range slices.Backward(requests) {
			if len(r.made.Holds) == 0 {
				continue
			}
			r.reserved, r.joined = true, false
			r.made.Day, r.made.Key, r.made.Used, r.made.Gen = store.DayOf(r.Now), made.Key, made.Used, made.Gen
			made.Used--
		}
		return nil
	}
	return stmt
}

// reserve returns the statement that makes a reservation without an identity.
func (r *request) reserve() store.Stmt {
	r.reserved = false
	var stmt store.Stmt
	if r.keySet.IsZero() {
		stmt = store.ReserveKey(r.Principal, r.Revision, r.Now, r.Targets[0], r.passage())
	} else {
		stmt = store.ReserveRotated(r.Principal, r.Revision, r.Now, r.rotation())
	}
	stmt.Each = func(row store.Row) error {
		r.reserved = true
		r.made.Day = store.DayOf(r.Now)
		return row.Scan(&r.made.Key, &r.made.Used, &r.made.Gen)
	}
	return stmt
}

// Release returns the statements that release a reservation, see [store.ReleaseHeld] and [store.ReleaseReservation].
func Release(r Reservation) []store.Stmt {
	if !r.ID.IsZero() {
		return store.ReleaseHeld(r.ID, r.Day)
	}
	return []store.Stmt{store.ReleaseReservation(r.Key, r.Day, r.Gen)}
}

// ReserveNext runs the statements that end a failed attempt (a release, a cooldown), replaces the holds of attempts that
// are not released, and makes the next reservation, all in one trip. before and spent may be empty.
func (q *Quota) ReserveNext(ctx context.Context, before []store.Stmt, spent []store.Spending, r Request) (Reservation, bool, error) {
	m := newRequest(r)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.db.Timeout()+graceTime)
	defer cancel()
	// The released row may be the one that is reserved again, and the cooldowns that of the next target, so both come
	// first.
	end := store.SplitEnd(before)
	stmts := store.AddLabels(r.Labels, r.Now)
	if m.holdsGateway() {
		stmts = append(stmts, store.HoldGateway())
	}
	stmts = m.appendTurn(append(stmts, store.HoldUser(r.User)))
	stmts = appendReserve(slices.Concat(stmts, end.Cooldowns, end.Releases), []*request{m})
	stmts = store.AppendCharges(append(stmts, end.Others...), spent)
	for {
		err := q.db.Run(ctx, stmts...)
		if store.CodeOf(err) != store.CodeDeadlock || ctx.Err() != nil {
			return m.made, m.reserved, err
		}
	}
}

// digest names the set of keys of the targets, which are in the order of their ids, for the cursor's row.
func digest(targets []store.Target) store.ID {
	var h store.ID
	sum := sha256.New()
	for _, t := range targets {
		sum.Write(t.Key[:])
	}
	copy(h[:], sum.Sum(nil))
	return h
}

// NextTurn returns the index of the target that the request would get, without taking its turn. The targets are in the order
// of their ids.
func (q *Quota) NextTurn(ctx context.Context, r Request) (int, error) {
	if !r.Conversation.IsZero() {
		key, err := store.KeptKey(ctx, q.db, r.User, r.Conversation, r.Now)
		if err != nil {
			return 0, err
		}
		if i := slices.IndexFunc(r.Targets, func(t store.Target) bool { return t.Key == key }); i >= 0 {
			return i, nil
		}
	}
	turn, err := store.CursorOf(ctx, q.db, r.User, digest(r.Targets))
	return int((turn + 1) % int64(len(r.Targets))), err
}
