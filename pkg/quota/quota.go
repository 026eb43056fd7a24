// Package quota counts what provider keys may still do today, exactly, whatever
// the number of processes: every request reserves its place in the database
// before it is sent. It also holds the turn of round-robin, and throttles.
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

// Request is what one request needs: a reservation in the daily quota of Keys[0] or,
// under rotation, of the key whose turn it is.
type Request struct {
	store.Principal
	// Revision is that of the routing table from which the keys were chosen.
	Revision int64
	Now      int64 // Unix milliseconds
	// Keys are one key, or the equal keys among which to rotate, in the order of their ids.
	Keys []store.ID
}

// Reservation is a place in a key's quota of a day.
type Reservation struct {
	Key  store.ID
	Day  int64
	Gen  int64 // of the day's row: a reset starts a new one
	Used int64 // of the day, this place included
}

// Quota reserves and gives back.
type Quota struct {
	db    store.DB
	group *store.Group[*request]
}

type request struct {
	Request
	turn  store.ID // digest of the set of keys, for the cursor
	made  Reservation
	found bool
}

// The bounds of a group: what one transaction may hold, and how long it may take.
const (
	groupLimit   = 64
	groupTimeout = 10 * time.Second
)

// New returns a Quota that keeps its counts in db.
func New(db store.DB) *Quota {
	q := &Quota{db: db}
	q.group = store.NewGroup(groupLimit, groupTimeout, q.write)
	return q
}

// The callers of the two kinds of reserve statement. $1 is the caller, $2 now,
// $3 the revision.
const (
	fromToken = `from tokens t join users u on u.id = t.user_id
 join provider_keys k on k.user_id = u.id
where t.id = $1 and t.enabled and not t.blocked and (t.expires_at is null or t.expires_at > $2)`
	fromSession = `from sessions t join users u on u.id = t.user_id
 join provider_keys k on k.user_id = u.id
where t.id = $1 and t.expires_at > $2`
)

// ready says that a key may be used now, apart from its quota.
const ready = ` and u.enabled and u.revision = $3
 and k.enabled and not k.blocked and k.rest_until <= $2 and coalesce(k.daily_limit, 1) > 0`

// A day's row is made by its first request. Every later one adds to it, and only below
// the limit: no row comes back from a key that is spent.
const (
	insertDay = `insert into key_days (key_id, day, used) select k.id, $4, 1 `
	addToDay  = `
on conflict (key_id, day) do update set used = key_days.used + 1
 where key_days.used < (select coalesce(p.daily_limit, 9223372036854775807) from provider_keys p where p.id = key_days.key_id)
returning key_id, used, gen`

	thisKey = ` and k.id = $5`
	// The key whose turn it is: $5 holds the ids one after the other, $6 their number, $7 the
	// cursor. coalesce tells PostgreSQL the type of $5, which substr does not.
	turnKey = ` and k.id = substr(coalesce($5, t.id), cast(1 + 16 * ((select c.turn from cursors c where c.user_id = u.id and c.key_set = $7) % $6) as integer), 16)`

	advance = `insert into cursors (user_id, key_set, turn) values ($1, $2, 1)
on conflict (user_id, key_set) do update set turn = cursors.turn + 1`
)

const (
	reserveByToken   = insertDay + fromToken + ready + thisKey + addToDay
	reserveBySession = insertDay + fromSession + ready + thisKey + addToDay
	rotateByToken    = insertDay + fromToken + ready + turnKey + addToDay
	rotateBySession  = insertDay + fromSession + ready + turnKey + addToDay
)

// Reserve takes a place. It is false if there was none: the caller's access was
// withdrawn, the revision is old, the key rests or its quota is spent; [Quota.Refresh] tells which.
func (q *Quota) Reserve(ctx context.Context, c Request) (Reservation, bool, error) {
	m := &request{Request: c}
	if len(c.Keys) > 1 {
		m.turn = keySet(c.Keys)
	}
	err := q.group.Do(ctx, m)
	return m.made, m.found, err
}

// write reserves for every member, in the order of package store's locks.
func (q *Quota) write(ctx context.Context, batch []*request) error {
	slices.SortFunc(batch, func(a, b *request) int {
		return cmp.Or(bytes.Compare(a.User[:], b.User[:]), bytes.Compare(a.turn[:], b.turn[:]), bytes.Compare(a.Keys[0][:], b.Keys[0][:]),
			cmp.Compare(store.DayOf(a.Now), store.DayOf(b.Now)))
	})
	stmts := make([]store.Stmt, 0, 2*len(batch)+2)
	for rest := batch; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].User == rest[0].User {
			n++
		}
		stmts = appendOfUser(stmts, rest[:n])
		rest = rest[n:]
	}
	return q.db.Run(ctx, stmts...)
}

// appendOfUser appends the statements of one user's claims. Several places of one user are locked only by
// who holds the user, and after all cursors. A key is one place in each day: around midnight a batch may want two.
func appendOfUser(stmts []store.Stmt, claims []*request) []store.Stmt {
	first, last := claims[0], claims[len(claims)-1]
	onePlace := last.turn.IsZero() && first.Keys[0] == last.Keys[0] && store.DayOf(first.Now) == store.DayOf(last.Now)
	if len(claims) > 1 && !onePlace {
		stmts = append(stmts, store.HoldUser(first.User))
	}
	if first.turn != last.turn {
		for i, c := range claims {
			if !c.turn.IsZero() && (i == 0 || c.turn != claims[i-1].turn) {
				stmts = append(stmts, store.HoldCursor(c.User, c.turn))
			}
		}
	}
	for _, c := range claims {
		stmts = append(c.appendTurn(stmts), c.reserve())
	}
	return stmts
}

// appendTurn takes the next turn of the claim's set of keys, if it has several.
func (c *request) appendTurn(stmts []store.Stmt) []store.Stmt {
	if len(c.Keys) == 1 {
		return stmts
	}
	return append(stmts, store.Stmt{SQL: advance, Args: []any{c.User, c.turn}})
}

func (c *request) reserve() store.Stmt {
	who, sql, rotate := c.Token, reserveByToken, rotateByToken
	if who.IsZero() {
		who, sql, rotate = c.Session, reserveBySession, rotateBySession
	}
	day := store.DayOf(c.Now)
	c.found = false
	each := func(r store.Row) error {
		c.found = true
		c.made.Day = day
		return r.Scan(&c.made.Key, &c.made.Used, &c.made.Gen)
	}
	if len(c.Keys) == 1 {
		return store.Stmt{SQL: sql, Each: each, Args: []any{who, c.Now, c.Revision, day, c.Keys[0]}}
	}
	ids := make([]byte, 0, 16*len(c.Keys))
	for _, id := range c.Keys {
		ids = append(ids, id[:]...)
	}
	return store.Stmt{SQL: rotate, Each: each, Args: []any{who, c.Now, c.Revision, day, ids, int64(len(c.Keys)), c.turn}}
}

// Release is the statement that releases a reservation, see [store.ReleaseReservation].
func Release(r Reservation) store.Stmt { return store.ReleaseReservation(r.Key, r.Day, r.Gen) }

// Cooldown is the statement that keeps a key unused until the time given (Unix
// milliseconds), for a reason: an error class, and the provider's words about the key,
// redacted. A longer cooldown stands. It does nothing if the revision of the key's user is another by now: what
// failed may have been a secret that its owner has replaced since.
func Cooldown(key store.ID, revision, until int64, class, note string) store.Stmt {
	return store.Stmt{
		SQL: `update provider_keys set rest_until = $2, rest_class = $3, rest_note = $4 where id = $1 and rest_until < $2
 and $5 = (select u.revision from users u where u.id = provider_keys.user_id)`,
		Args: []any{key, until, class, note, revision},
	}
}

// ReserveNext releases a reservation, starts a cooldown where there is a reason, and
// reserves the next key, all in one trip. before may be empty.
func (q *Quota) ReserveNext(ctx context.Context, before []store.Stmt, c Request) (Reservation, bool, error) {
	m := &request{Request: c}
	if len(c.Keys) > 1 {
		m.turn = keySet(c.Keys)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTimeout)
	defer cancel()
	// A place that is given back may be the one that is reserved again, so that comes first.
	places, others := store.SplitReleases(before)
	stmts := m.appendTurn([]store.Stmt{store.HoldUser(c.User)})
	stmts = append(append(append(stmts, places...), m.reserve()), others...)
	for {
		err := q.db.Run(ctx, stmts...)
		if store.CodeOf(err) != store.CodeDeadlock || ctx.Err() != nil {
			return m.made, m.found, err
		}
	}
}

// keySet digests the ids of a set of keys, which are in order, for the cursor's row.
func keySet(keys []store.ID) store.ID {
	var h store.ID
	sum := sha256.New()
	for _, id := range keys {
		sum.Write(id[:])
	}
	copy(h[:], sum.Sum(nil))
	return h
}
