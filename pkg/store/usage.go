package store

import (
	"context"
	"strconv"
)

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// Counts are sums over requests.
type Counts struct {
	Requests   int64
	Errors     int64
	Unpriced   int64 // requests whose cost is unknown
	Cost       int64 // nano-dollars
	Input      int64 // tokens, all classes of input together
	Cached     int64 // of input
	CacheWrite int64 // of input
	Output     int64
	Reasoning  int64 // of output
}

const countColumns = `cast(sum(requests) as bigint), cast(sum(errors) as bigint), cast(sum(unpriced) as bigint),
	cast(sum(cost) as bigint), cast(sum(input) as bigint), cast(sum(cached) as bigint), cast(sum(cache_write) as bigint),
	cast(sum(output) as bigint), cast(sum(reasoning) as bigint)`

func scanCounts(c *Counts) []any {
	return []any{&c.Requests, &c.Errors, &c.Unpriced, &c.Cost, &c.Input, &c.Cached, &c.CacheWrite, &c.Output, &c.Reasoning}
}

// By is what usage is summed by.
type By string

// The ways to sum.
const (
	ByHour     By = "hour"
	ByDay      By = "day"
	ByModel    By = "model"
	ByProvider By = "provider"
	ByKey      By = "key"
	ByToken    By = "token"
	ByUser     By = "user"
	// These have sums of their own, see [LabelUsageBetween].
	ByEndUser By = "endUser"
	ByTag     By = "tag"
)

// Usage is one bar of a chart, or one part of a stacked bar. By says which of the first three fields is set.
type Usage struct {
	At   int64  // hour, day: when it begins, Unix milliseconds UTC
	Text string // model, provider; empty provider: none was called
	ID   ID     // key, token, user; zero: no key was called, the dashboard's requests
	Counts
}

// UsageReport is the usage of a user in some time.
type UsageReport struct {
	Usage     []Usage   // in the order of time, or the most requests first
	Latency   Histogram // of whole requests
	FirstByte Histogram // of the time to the first byte
}

// usageOf returns the condition and the arguments of the user's sums; the zero user stands for all.
func usageOf(user ID, from, to int64) (where string, args []any) {
	args = []any{HourOf(from), HourOf(to - 1)}
	if user.IsZero() {
		return "hour between $1 and $2", args
	}
	return "user_id = $3 and hour between $1 and $2", append(args, user)
}

// UsageBetween sums up the requests of a user (zero: of all) from the hour of from to the hour before to or
// that to lies in (Unix milliseconds; from is included, to is not). by must be one of the constants.
func UsageBetween(ctx context.Context, r Runner, userID ID, from, to int64, by By) (UsageReport, error) {
	rep := UsageReport{Usage: []Usage{}}
	group, order := by.sql()
	where, args := usageOf(userID, from, to)
	err := r.Run(ctx,
		Stmt{
			SQL: "select " + group + ", " + countColumns + ` from usage_hours
				where ` + where + ` group by 1 order by ` + order,
			Args: args,
			Each: appendTo(&rep.Usage, func(u *Usage) []any { return append([]any{by.dest(u)}, scanCounts(&u.Counts)...) }),
		},
		Stmt{
			SQL: `select kind, bucket, cast(sum(requests) as bigint) from latency_hours
				where ` + where + ` group by kind, bucket`,
			Args: args,
			Each: rep.addLatency,
		},
	)
	if err != nil {
		return UsageReport{}, err
	}
	for i := range rep.Usage {
		rep.Usage[i].At *= by.unit()
	}
	return rep, nil
}

// UsageOver sums up as UsageBetween does, over time and by a second measure: a row for each hour or
// day (per) and model, provider, key or token (by) that has requests, in the order of time and
// then the most requests first.
func UsageOver(ctx context.Context, r Runner, userID ID, from, to int64, per, by By) ([]Usage, error) {
	at, _ := per.sql()
	part, _ := by.sql()
	where, args := usageOf(userID, from, to)
	usage := []Usage{}
	err := r.Run(ctx, Stmt{
		SQL: "select " + at + ", " + part + ", " + countColumns + ` from usage_hours
			where ` + where + ` group by 1, 2 order by 1, cast(sum(requests) as bigint) desc, 2`,
		Args: args,
		Each: appendTo(&usage, func(u *Usage) []any { return append([]any{&u.At, by.dest(u)}, scanCounts(&u.Counts)...) }),
	})
	if err != nil {
		return nil, err
	}
	for i := range usage {
		usage[i].At *= per.unit()
	}
	return usage, nil
}

func (by By) sql() (group, order string) {
	const most = "cast(sum(requests) as bigint) desc, 1"
	switch by {
	case ByHour:
		return "hour", "1"
	case ByDay:
		return "hour / 24", "1"
	case ByProvider:
		return "provider", most
	case ByKey:
		return "key_id", most
	case ByToken:
		return "token_id", most
	case ByUser:
		return "user_id", most
	}
	return "model", most
}

func (by By) dest(u *Usage) any {
	switch by {
	case ByHour, ByDay:
		return &u.At
	case ByKey, ByToken, ByUser:
		return &u.ID
	}
	return &u.Text
}

// unit is the length of an hour or a day in milliseconds.
func (by By) unit() int64 {
	if by == ByDay {
		return dayMs
	}
	return hourMs
}

func (rep *UsageReport) addLatency(row Row) error {
	var kind, bucket int
	var n int64
	if err := row.Scan(&kind, &bucket, &n); err != nil {
		return err
	}
	switch kind {
	case KindLatency:
		rep.Latency.Add(bucket, n)
	case KindFirstByte:
		rep.FirstByte.Add(bucket, n)
	}
	return nil
}

// KeyDay is the usage of a key on a day.
type KeyDay struct {
	Day int64 // since the epoch, UTC
	Counts
}

// KeyDays lists the last days (at most limit, today is the last) on which a key of the user was called,
// newest first: [ErrNotFound].
func KeyDays(ctx context.Context, r Runner, userID, keyID ID, today int64, limit int) ([]KeyDay, error) {
	days := []KeyDay{}
	var exists Stmt
	exists.SQL = "select 1 from provider_keys where id = $1 and user_id = $2"
	exists.Args = []any{keyID, userID}
	err := one(ctx, r, exists, []any{nil}, Stmt{
		SQL: "select hour / 24, " + countColumns + ` from usage_hours
			where user_id = $1 and key_id = $2 and hour >= $3 group by 1 order by 1 desc`,
		Args: []any{userID, keyID, max(0, today-int64(limit)+1) * 24},
		Each: appendTo(&days, func(d *KeyDay) []any { return append([]any{&d.Day}, scanCounts(&d.Counts)...) }),
	})
	if err != nil {
		return nil, err
	}
	return days, nil
}
