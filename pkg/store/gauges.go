package store

import "context"

// PoolStats describes the connections of a process to its database.
type PoolStats struct {
	Max, Open, InUse int
	Waiting          int // runs that wait for a connection
}

// Pooled is a [DB] that knows the state of its connections.
type Pooled interface{ PoolStats() PoolStats }

// Gauges are states of the whole installation, over all its processes and users.
type Gauges struct {
	// Cooldowns that have not ended, by error class.
	Cooldowns map[string]int64
	// Jobs that are queued and whose time has come, jobs that are queued for later, and running jobs.
	DueJobs, LaterJobs, RunningJobs int64
	// OldestDue is the time since the oldest of the due jobs was submitted, in milliseconds.
	OldestDue int64
	Limits    []LimitUse
}

// LimitUse counts the limits of a kind.
type LimitUse struct {
	Subject LimitSubject
	Metric  Metric
	Limits  int64
	// Windows that run, whose use has reached that part of the amount. A limit of each end user has one for each of these.
	Half, MostlyUsed, NearlySpent, Spent int64 // 50, 80, 95 and 100 %
}

// ReadGauges reads the gauges in one round trip. What running requests hold of limits is not among their use.
func ReadGauges(ctx context.Context, db DB, now int64) (Gauges, error) {
	g := Gauges{Cooldowns: map[string]int64{}}
	err := db.Run(ctx,
		Stmt{SQL: "select class, count(*) from cooldowns where until > $1 group by class", Args: []any{now},
			Each: func(r Row) error {
				var class string
				var n int64
				err := r.Scan(&class, &n)
				g.Cooldowns[class] = n
				return err
			}},
		Stmt{SQL: `select count(*) filter (where state = 1 and due_at <= $1), count(*) filter (where state = 1 and due_at > $1),
 count(*) filter (where state = 2) from jobs where state <= 2`,
			Args: []any{now}, Each: func(r Row) error { return r.Scan(&g.DueJobs, &g.LaterJobs, &g.RunningJobs) }},
		Stmt{SQL: "select id from jobs where state <= 2 and state = 1 and due_at <= $1 order by id limit 1", Args: []any{now},
			Each: func(r Row) error {
				var id ID
				err := r.Scan(&id)
				g.OldestDue = max(0, now-id.Time())
				return err
			}},
		Stmt{SQL: `select l.subject, l.metric, count(distinct l.id), count(*) filter (where w.used >= l.amount / 2.0),
 count(*) filter (where w.used >= l.amount * 0.8), count(*) filter (where w.used >= l.amount * 0.95), count(*) filter (where w.used >= l.amount)
 from limits l left join limit_windows w on w.limit_id = l.id
 and w.starts = case l.span when 1 then cast($1 as bigint) when 2 then cast($2 as bigint) when 3 then cast($3 as bigint) when 4 then cast($4 as bigint) when 5 then cast($5 as bigint) else 0 end
 where l.metric <> 4 group by l.subject, l.metric order by l.subject, l.metric`,
			Args: []any{SpanMinute.Start(now), SpanHour.Start(now), SpanDay.Start(now), SpanWeek.Start(now), SpanMonth.Start(now)},
			Each: func(r Row) error {
				var u LimitUse
				err := r.Scan((*int)(&u.Subject), (*int)(&u.Metric), &u.Limits, &u.Half, &u.MostlyUsed, &u.NearlySpent, &u.Spent)
				g.Limits = append(g.Limits, u)
				return err
			}},
	)
	return g, err
}
