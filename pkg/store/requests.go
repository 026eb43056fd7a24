package store

import (
	"context"
	"strings"
	"unicode/utf8"
)

// Flags of a request.
const (
	FlagStreamed  = 1
	FlagEstimated = 2 // the tokens, or the cost, are an estimate because the provider reported none
	FlagSteered   = 4 // another model served than the one asked for, because a limit is reached

	// The strategy is a number of three bits, 0 if it is not kept.
	StrategyShift = 9
	strategyMask  = 7
)

// Request is an entry of the request log. Its time is in the id.
type Request struct {
	ID          ID
	TokenID     ID     // zero: sent from the dashboard
	KeyID       ID     // zero: no key was called
	Provider    string // empty: no key was called
	Model       string // as the provider got it; as the principal asked if no provider was called
	Asked       string // the model that was asked for, if another served; else empty
	Cost        *int64 // nano-dollars; nil: unpriced
	Status      int    // HTTP status of the answer
	Outcome     int
	Attempts    int // providers called
	Flags       int
	LatencyMs   int64
	FirstByteMs *int64
	StartedMs   *int64 // when the attempt that answered began; nil: none did, or no trace is kept
	Input       int64  // tokens, all classes of input together
	Cached      int64  // of input
	CacheWrite  int64  // of input
	Output      int64
	Reasoning   int64 // of output
}

// Strategy is the number of the strategy that chose the key; 0: it was not kept.
func (q *Request) Strategy() int { return q.Flags >> StrategyShift & strategyMask }

const requestColumns = `q.id, q.token_id, q.key_id, coalesce(q.provider, ''), q.model, q.cost, q.status, q.outcome, q.attempts, q.flags,
	q.latency_ms, q.first_byte_ms, q.input, q.cached, q.cache_write, q.output, q.reasoning, coalesce(q.asked, ''), q.started_ms`

func scanRequest(q *Request) []any {
	return []any{&q.ID, &q.TokenID, &q.KeyID, &q.Provider, &q.Model, &q.Cost, &q.Status, &q.Outcome, &q.Attempts, &q.Flags,
		&q.LatencyMs, &q.FirstByteMs, &q.Input, &q.Cached, &q.CacheWrite, &q.Output, &q.Reasoning, &q.Asked, &q.StartedMs}
}

// RequestFilter narrows the request log.
type RequestFilter struct {
	// Before is the last id of the page before; zero for the first page.
	Before ID
	// Limit is the largest number of entries, at least 1.
	Limit int
	// StatusClass is the first digit of the status: 2 for 200 … 299; 0: any.
	StatusClass int
	// Status is one status, such as 429; 0: any.
	Status   int
	Provider string // empty: any
	// Model is a model, or the beginning of its name and a "*"; empty: any.
	Model   string
	KeyID   ID    // zero: any
	TokenID ID    // zero: any
	From    int64 // Unix milliseconds, included; 0: no bound
	To      int64 // Unix milliseconds, excluded; 0: no bound
}

// Requests lists a user's requests, newest first.
func Requests(ctx context.Context, r Runner, userID ID, f RequestFilter) ([]Request, error) {
	where := parts{args: []any{userID}}
	if !f.Before.IsZero() {
		where.and("q.id < ?", f.Before)
	}
	if f.To != 0 {
		where.and("q.id < ?", FirstID(f.To))
	}
	if f.From != 0 {
		where.and("q.id >= ?", FirstID(f.From))
	}
	if f.StatusClass != 0 {
		where.and("q.status between ? and ?", f.StatusClass*100, f.StatusClass*100+99)
	}
	if f.Status != 0 {
		where.and("q.status = ?", f.Status)
	}
	if f.Provider != "" {
		where.and("q.provider = ?", f.Provider)
	}
	if prefix, pattern := strings.CutSuffix(f.Model, "*"); pattern {
		where.and("substr(q.model, 1, cast(? as integer)) = ?", utf8.RuneCountInString(prefix), prefix)
	} else if f.Model != "" {
		where.and("q.model = ?", f.Model)
	}
	if !f.KeyID.IsZero() {
		where.and("q.key_id = ?", f.KeyID)
	}
	if !f.TokenID.IsZero() {
		where.and("q.token_id = ?", f.TokenID)
	}
	where.add(" order by q.id desc limit ", "?", []any{f.Limit})
	return list(ctx, r, Stmt{
		SQL:  "select " + requestColumns + " from requests q where q.user_id = $1" + where.String(),
		Args: where.args,
	}, scanRequest)
}

// RequestByID finds a request of the user, with its trace (JSON, empty if none was kept): [ErrNotFound].
func RequestByID(ctx context.Context, r Runner, userID, id ID) (Request, string, error) {
	var q Request
	var trace string
	err := one(ctx, r, Stmt{
		SQL: "select " + requestColumns + `, coalesce(t.trace, '') from requests q
			left join request_traces t on t.user_id = q.user_id and t.id = q.id
			where q.user_id = $1 and q.id = $2`,
		Args: []any{userID, id},
	}, append(scanRequest(&q), &trace))
	return q, trace, err
}

// Retention says what is kept, as times (Unix milliseconds): older rows are deleted.
type Retention struct {
	RequestsFrom int64
	TracesFrom   int64
}

// Purge deletes what is older than the retention, user by user, at most batch rows a
// statement so that no lock is held for long, until nothing is left or ctx ends. It
// returns the number of rows.
func Purge(ctx context.Context, r Runner, keep Retention, batch int) (n int64, err error) {
	err = eachUser(ctx, r, func(user ID) error {
		for table, from := range map[string]int64{"requests": keep.RequestsFrom, "request_traces": keep.TracesFrom} {
			gone, err := purgeUser(ctx, r, table, user, from, batch)
			n += gone
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

func purgeUser(ctx context.Context, r Runner, table string, user ID, from int64, batch int) (n int64, err error) {
	for {
		var gone int64
		err := r.Run(ctx, Stmt{
			SQL: "delete from " + table + " where user_id = $1 and id in (select id from " + table +
				" where user_id = $1 and id < $2 order by id limit $3)",
			Args: []any{user, FirstID(from), batch}, Affected: &gone,
		})
		n += gone
		if err != nil || gone < int64(batch) {
			return n, err
		}
	}
}
