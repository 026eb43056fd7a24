package store

import (
	"context"
	"errors"
	"time"
)

// LimitSubject is what a limit is about. The numbers are stored.
type LimitSubject int

// The subjects. An EndUser limit belongs to a token.
const (
	LimitToken   LimitSubject = 1
	LimitKey     LimitSubject = 2
	LimitUser    LimitSubject = 3
	LimitEndUser LimitSubject = 4
	LimitGateway LimitSubject = 5
)

// Metric is what a limit counts. The numbers are stored.
type Metric int

// The metrics. Concurrent counts requests that run at the same time: a token's maxConcurrent is such a limit.
const (
	MetricRequests   Metric = 1
	MetricTokens     Metric = 2
	MetricCost       Metric = 3 // nano-dollars
	MetricConcurrent Metric = 4
)

// Span is the length of a limit's windows. The numbers are stored.
type Span int

// The spans. Windows begin at multiples of their span in UTC, weeks on Monday.
const (
	SpanMinute Span = 1
	SpanHour   Span = 2
	SpanDay    Span = 3
	SpanWeek   Span = 4
	SpanMonth  Span = 5
	SpanTotal  Span = 6
)

const (
	minuteMs = 60_000
	weekMs   = 7 * dayMs
	// firstMonday is 1970-01-05.
	firstMonday = 4 * dayMs
)

// Start returns the beginning of the window in which now lies, in Unix milliseconds. That of SpanTotal is 0.
func (s Span) Start(now int64) int64 {
	switch s {
	case SpanMinute:
		return floorDiv(now, minuteMs) * minuteMs
	case SpanHour:
		return floorDiv(now, hourMs) * hourMs
	case SpanDay:
		return floorDiv(now, dayMs) * dayMs
	case SpanWeek:
		return floorDiv(now-firstMonday, weekMs)*weekMs + firstMonday
	case SpanMonth:
		t := time.UnixMilli(now).UTC()
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	}
	return 0
}

// End returns the end of the window in which now lies; 0 for SpanTotal, which has none.
func (s Span) End(now int64) int64 {
	start := s.Start(now)
	switch s {
	case SpanMinute:
		return start + minuteMs
	case SpanHour:
		return start + hourMs
	case SpanDay:
		return start + dayMs
	case SpanWeek:
		return start + weekMs
	case SpanMonth:
		return time.UnixMilli(start).UTC().AddDate(0, 1, 0).UnixMilli()
	}
	return 0
}

// Limit bounds what a subject spends in each window.
type Limit struct {
	ID        ID
	User      ID // whose requests it counts; zero: everybody's
	Subject   LimitSubject
	SubjectID ID      // a token, also of an end user, a key or a user; zero: the gateway
	EndUser   *string // of an end user's limit: which one; nil: each
	Metric    Metric
	Span      Span
	Amount    int64
	Models    []string // exact, prefix*, or *; empty: all
	Strict    bool     // what is held is an upper bound
	Fallback  string   // once the limit is reached this model serves; empty: it is a cap
	CreatedAt int64
	UpdatedAt int64
}

// The largest amounts. The statement that holds multiplies an amount by 1,000.
const (
	MaxAmount     = 1_000_000_000_000_000 // requests, tokens, and nano-dollars: a million dollars
	MaxConcurrent = 100_000
)

// The largest numbers of limits.
const (
	LimitsPerSubject = 20
	LimitsPerUser    = 200
)

// ErrTooManyLimits is returned for a limit beyond [LimitsPerSubject] or [LimitsPerUser].
var ErrTooManyLimits = errors.New("too many limits")

const limitColumns = `l.id, l.user_id, l.subject, l.subject_id, l.end_user, l.metric, l.span, l.amount, l.models, l.strict,
 coalesce(l.fallback, ''), l.created_at, l.updated_at`

func scanLimit(l *Limit) []any {
	return []any{&l.ID, &l.User, (*int)(&l.Subject), &l.SubjectID, &l.EndUser, (*int)(&l.Metric), (*int)(&l.Span), &l.Amount,
		(*modelList)(&l.Models), &l.Strict, &l.Fallback, &l.CreatedAt, &l.UpdatedAt}
}

// subjectExists holds where the limit's subject is the user's own, or there.
func (l *Limit) subjectExists() string {
	switch l.Subject {
	case LimitToken, LimitEndUser:
		return "exists (select 1 from tokens t where t.id = $4 and t.user_id = $2)"
	case LimitKey:
		return "exists (select 1 from provider_keys k where k.id = $4 and k.user_id = $2)"
	case LimitUser:
		return "exists (select 1 from users u where u.id = $4 and u.id = $2)"
	}
	return "$2 is null and $4 is not null"
}

// CreateLimit adds a limit. It counts from then on: requests under way do not count. Errors: [ErrNotFound] (the subject
// does not exist or is another user's), [ErrTooManyLimits].
func CreateLimit(ctx context.Context, db DB, l Limit) error {
	return db.Tx(ctx, func(r Runner) error {
		if err := r.Run(ctx, l.lock()); err != nil {
			return err
		}
		var ofSubject, ofUser int64
		err := r.Run(ctx, Stmt{
			SQL: `select coalesce(cast(sum(case when l.subject_id = $1 and l.subject = $2 then 1 else 0 end) as bigint), 0), count(*) from limits l
				where l.metric <> 4 and ` + l.sameOwner("$3"),
			Args: l.ownerArgs(l.SubjectID[:], int64(l.Subject)),
			Each: func(row Row) error { return row.Scan(&ofSubject, &ofUser) },
		})
		if err != nil {
			return err
		}
		if ofSubject >= LimitsPerSubject || ofUser >= LimitsPerUser {
			return ErrTooManyLimits
		}
		return one(ctx, r, l.insert(), nil, l.bump())
	})
}

// lock returns the statement that keeps requests which the limit is about from reserving meanwhile.
func (l *Limit) lock() Stmt {
	if l.User.IsZero() {
		return HoldGateway()
	}
	return HoldUser(l.User)
}

func (l *Limit) sameOwner(placeholder string) string {
	if l.User.IsZero() {
		return "l.user_id is null"
	}
	return "l.user_id = " + placeholder
}

func (l *Limit) ownerArgs(args ...any) []any {
	if l.User.IsZero() {
		return args
	}
	return append(args, l.User)
}

// bump makes every process read the limits again, before the next request that they are about reserves.
func (l *Limit) bump() Stmt {
	if l.User.IsZero() {
		return Stmt{SQL: "update users set revision = revision + 1"}
	}
	return bumpRevision(l.User)
}

func (l *Limit) insert() Stmt {
	return Stmt{
		SQL: `insert into limits (id, user_id, subject, subject_id, end_user, metric, span, amount, models, strict, fallback, created_at, updated_at)
			select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, nullif($11, ''), $12, $12 where ` + l.subjectExists(),
		Args: []any{l.ID, l.User, int64(l.Subject), l.SubjectID[:], l.EndUser, int64(l.Metric), int64(l.Span), l.Amount,
			modelList(l.Models).text(), l.Strict, l.Fallback, l.CreatedAt},
	}
}

// LimitChange is what a person changes about a limit. What was counted stays.
type LimitChange struct {
	Amount   Field[int64]
	Models   Field[[]string]
	Strict   Field[bool]
	Fallback Field[string] // empty: the limit becomes a cap
}

// UpdateLimit changes a limit: [ErrNotFound].
func UpdateLimit(ctx context.Context, r Runner, l Limit, c LimitChange, now int64) error {
	set := parts{args: []any{l.ID, now}}
	if c.Amount.Set {
		set.comma("amount = ?", c.Amount.To)
	}
	if c.Models.Set {
		set.comma("models = ?", modelList(c.Models.To).text())
	}
	if c.Strict.Set {
		set.comma("strict = ?", c.Strict.To)
	}
	if c.Fallback.Set {
		set.comma("fallback = nullif(?, '')", c.Fallback.To)
	}
	return oneAfter(ctx, r, []Stmt{l.lock()},
		Stmt{SQL: "update limits set updated_at = $2" + set.String() + " where id = $1", Args: set.args}, nil, l.bump())
}

// DeleteLimit deletes a limit and what it counted: [ErrNotFound].
func DeleteLimit(ctx context.Context, r Runner, l Limit) error {
	return oneAfter(ctx, r, []Stmt{l.lock()},
		Stmt{SQL: "delete from limits where id = $1", Args: []any{l.ID}}, nil,
		Stmt{SQL: "delete from limit_windows where limit_id = $1", Args: []any{l.ID}},
		Stmt{SQL: "delete from holds where subject = $1 and subject <> key_id", Args: []any{l.ID}}, l.bump())
}

// deleteLimitsOf returns the statements that delete the limits of a token or key, and what they counted.
func deleteLimitsOf(user, subject ID) []Stmt {
	const of = " in (select l.id from limits l where l.subject_id = $1 and l.user_id = $2)"
	return []Stmt{
		{SQL: "delete from limit_windows where limit_id" + of, Args: []any{subject, user}},
		{SQL: "delete from holds where subject <> key_id and subject" + of, Args: []any{subject, user}},
		{SQL: "delete from limits where subject_id = $1 and user_id = $2", Args: []any{subject, user}},
	}
}

// ResetLimit begins a new count of the window of now, for every end user if the limit is for each. Requests under way
// stay in the old count, and change nothing when they end.
func ResetLimit(ctx context.Context, r Runner, l Limit, now int64) error {
	starts := l.Span.Start(now)
	return oneAfter(ctx, r, []Stmt{l.lock()},
		Stmt{SQL: "update limits set updated_at = $2 where id = $1", Args: []any{l.ID, now}}, nil,
		// A window in which nothing has been settled has no row yet.
		Stmt{
			SQL: `insert into limit_windows (limit_id, party, starts, used, unconfirmed, gen)
				select h.subject, h.party, h.starts, 0, 0, min(h.gen) from holds h where h.subject = $1 and h.subject <> h.key_id and h.starts = $2
				group by h.subject, h.party, h.starts order by h.party on conflict (limit_id, party, starts) do nothing`,
			Args: []any{l.ID, starts},
		},
		Stmt{SQL: "update limit_windows set used = 0, unconfirmed = 0, gen = gen + 1 where limit_id = $1 and starts = $2", Args: []any{l.ID, starts}},
		Stmt{SQL: "delete from holds where subject = $1 and subject <> key_id and starts = $2", Args: []any{l.ID, starts}},
		l.bump(),
	)
}

// LimitFilter says whose limits are read.
type LimitFilter struct {
	ID   ID // zero: any
	User ID // zero: those of the gateway
	// Everybody adds the limits of all users and of the gateway.
	Everybody bool
}

// Limits lists limits, oldest first, without those of [MetricConcurrent].
func Limits(ctx context.Context, r Runner, f LimitFilter, p Page) ([]Limit, error) {
	where := parts{args: []any{p.After[:], p.Limit}}
	switch {
	case f.Everybody:
	case f.User.IsZero():
		where.and("l.user_id is null")
	default:
		where.and("l.user_id = ?", f.User)
	}
	if !f.ID.IsZero() {
		where.and("l.id = ?", f.ID)
	}
	return list(ctx, r, Stmt{
		SQL:  "select " + limitColumns + " from limits l where l.metric <> 4 and l.id > $1" + where.String() + " order by l.id limit $2",
		Args: where.args,
	}, scanLimit)
}

// limitsOfRouting returns the statement that reads the limits which may hold for the user's requests: $1 is the user, or
// condition finds the token.
func limitsOfRouting(all *[]Limit, condition string, args []any) Stmt {
	s := Stmt{SQL: "select " + limitColumns + " from limits l where l.user_id = $1 or l.user_id is null order by l.id",
		Args: args, Each: appendTo(all, scanLimit)}
	if condition != "" {
		s.SQL = "select " + limitColumns + " from limits l where l.user_id = (select t.user_id from tokens t where " + condition +
			") or l.user_id is null order by l.id"
	}
	return s
}
