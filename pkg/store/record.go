package store

import (
	"cmp"
	"slices"
	"strings"
)

// Outcome is how a request ended.
type Outcome int

// The outcomes. Their numbers are stored.
const (
	Answered       Outcome = 1 // the whole answer was given
	Failed         Outcome = 2 // an error instead of an answer
	Broken         Outcome = 3 // an error in the middle of a stream
	CallerLeft     Outcome = 4 // the caller hung up before the end
	DeadlinePassed Outcome = 5 // the gateway's total deadline ended it
)

// Record is the entry of one request in the log.
type Record struct {
	ID       ID // holds the time at which the request began
	User     ID
	Token    ID // zero: sent from the dashboard
	Key      ID // the last key that was called; zero: none was
	Provider string
	Model    string
	Asked    string // the model that was asked for, if another served; else empty
	Cost     *int64 // nano-dollars; nil: unpriced
	Status   int
	Outcome  Outcome
	Attempts int
	Flags    int
	// LatencyMs is the time until the answer was whole, FirstByteMs until its first
	// substantive piece; nil if there was none.
	LatencyMs   int64
	FirstByteMs *int64
	// StartedMs is when the attempt that answered began; nil if none did, or no trace is kept.
	StartedMs *int64
	// Tokens. Cached and CacheWrite are parts of Input, Reasoning of Output.
	Input, Cached, CacheWrite, Output, Reasoning int64
	// Trace is JSON, kept for a shorter time; empty if nothing but the attempt that answered is to be told.
	Trace string
	// Latencies were measured for the strategy least-latency. Learn, if set, gets each latency of the user afterwards.
	Latencies []Measurement
	Learn     func(Latency)
	// Labels are the end user and the tags.
	Labels []Label
	// Spent replaces the holds of the request's reservations.
	Spent []Spending
	// Statements belong to the end of this request: releases of reservations, cooldowns. They run in the same
	// transaction, in the order of [EndOfAttempt].
	Statements []Stmt
}

const (
	insertRequests = `insert into requests (user_id, id, token_id, key_id, provider, model, cost, status, outcome, attempts, flags,
 latency_ms, first_byte_ms, input, cached, cache_write, output, reasoning, asked, started_ms)
values `
	requestCells = 20

	addedUsage = ` requests = usage_hours.requests + excluded.requests, errors = usage_hours.errors + excluded.errors,
 unpriced = usage_hours.unpriced + excluded.unpriced, cost = usage_hours.cost + excluded.cost,
 input = usage_hours.input + excluded.input, cached = usage_hours.cached + excluded.cached,
 cache_write = usage_hours.cache_write + excluded.cache_write, output = usage_hours.output + excluded.output,
 reasoning = usage_hours.reasoning + excluded.reasoning,
 last_at = case when excluded.last_at > usage_hours.last_at then excluded.last_at else usage_hours.last_at end`

	insertTrace = `insert into request_traces (user_id, id, trace) values ($1, $2, $3)`

	addToUsageHour = `insert into usage_hours (user_id, hour, token_id, key_id, provider, model,
 requests, errors, unpriced, cost, input, cached, cache_write, output, reasoning, last_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (user_id, hour, token_id, key_id, provider, model) do update set
` + addedUsage

	addToLatencyHour = `insert into latency_hours (user_id, hour, kind, bucket, requests) values ($1, $2, $3, $4, $5)
on conflict (user_id, hour, kind, bucket) do update set requests = latency_hours.requests + excluded.requests`
)

type usageHour struct {
	user, token, key ID
	hour             int64
	provider, model  string
}

type usageSums struct {
	requests, errors, unpriced, cost                     int64
	input, cached, cacheWrite, output, reasoning, lastAt int64
}

type latencyHour struct {
	user         ID
	hour         int64
	kind, bucket int
}

// Settle returns the statements that write the records: a row each, and one addition to each
// hourly sum that they share. The sums come in the order of their keys, so that two
// processes that settle at once wait for each other instead of deadlocking. Records that come a day late are added to
// the totals, see [CountUses]; now is in Unix milliseconds.
func Settle(records []Record, now int64) []Stmt {
	stmts := appendStatements(make([]Stmt, 0, 2*len(records)+4), records)
	hours := make(map[usageHour]usageSums, 1)
	latencies := make(map[latencyHour]int64, 4)
	requests := make([]any, 0, requestCells*len(records))
	for i := range records {
		r := &records[i]
		cost := r.PlausibleCost()
		requests = append(requests, r.columns(cost)...)
		if r.Trace != "" {
			stmts = append(stmts, Stmt{SQL: insertTrace, Args: []any{r.User, r.ID, r.Trace}})
		}
		at := usageHour{r.User, r.Token, r.Key, HourOf(r.ID.Time()), r.Provider, r.Model}
		hours[at] = hours[at].add(r, cost)
		latencies[latencyHour{r.User, at.hour, KindLatency, BucketOf(r.LatencyMs)}]++
		if r.FirstByteMs != nil {
			latencies[latencyHour{r.User, at.hour, KindFirstByte, BucketOf(*r.FirstByteMs)}]++
		}
	}
	stmts = appendRequests(stmts, requests)
	first := lateUses(hours, now)
	if labels := labelsOf(records); len(labels) > 0 {
		first = append(first, AddLabels(labels, now)...)
	}
	if len(first) > 0 {
		stmts = append(first, stmts...)
	}
	stmts = appendUsageHours(stmts, hours)
	stmts = appendLatencyHours(stmts, latencies)
	stmts = appendLatencies(stmts, records)
	stmts = appendLabelDays(stmts, records)
	var spent []Spending
	for i := range records {
		spent = append(spent, records[i].Spent...)
	}
	return AppendCharges(stmts, spent)
}

// repeats reports whether the record's holds may have been replaced already.
func (r *Record) repeats() bool {
	return slices.ContainsFunc(r.Spent, func(s Spending) bool { return s.Repeated })
}

// columns returns the values of a row of requests.
func (r *Record) columns(cost *int64) []any {
	var provider, asked any
	if r.Provider != "" {
		provider = r.Provider
	}
	if r.Asked != "" {
		asked = r.Asked
	}
	return []any{
		r.User, r.ID, r.Token, r.Key, provider, r.Model, cost, int64(r.Status), int64(r.Outcome), int64(r.Attempts), int64(r.Flags),
		clampInt32(r.LatencyMs), clampInt32Ptr(r.FirstByteMs),
		clampInt32(r.Input), clampInt32(r.Cached), clampInt32(r.CacheWrite), clampInt32(r.Output), clampInt32(r.Reasoning), asked,
		clampInt32Ptr(r.StartedMs),
	}
}

// requestTexts are the statements that insert so many rows.
var requestTexts = func() map[int]string {
	texts := map[int]string{}
	for _, n := range requestRows {
		rows := make([]string, n)
		for i := range rows {
			cells := make([]string, requestCells)
			for j := range cells {
				cells[j] = placeholder(requestCells*i + j + 1)
			}
			rows[i] = "(" + strings.Join(cells, ", ") + ")"
		}
		texts[n] = insertRequests + strings.Join(rows, ", ")
	}
	return texts
}()

// requestRows are the numbers of rows for which there is a statement.
var requestRows = [...]int{16, 4, 1}

// appendRequests appends the statements that insert the rows of requests, in their order.
func appendRequests(stmts []Stmt, values []any) []Stmt {
	for _, n := range requestRows {
		for len(values) >= n*requestCells {
			stmts = append(stmts, Stmt{SQL: requestTexts[n], Args: values[: n*requestCells : n*requestCells]})
			values = values[n*requestCells:]
		}
	}
	return stmts
}

// clampInt32 keeps a provider's absurd count from failing the whole row: the columns are 32 bits wide.
func clampInt32(n int64) int64 { return max(0, min(n, 1<<31-1)) }

func clampInt32Ptr(n *int64) any {
	if n == nil {
		return nil
	}
	return clampInt32(*n)
}

// maxCost is the largest plausible cost of a single request: 10,000 dollars. The sums can hold almost a million
// requests of that cost.
const maxCost = 10_000 * 1_000_000_000

// PlausibleCost returns the cost, or nil (unpriced) where a provider reported an impossible one. That would overflow
// the sums, and every later settle of the hour would fail.
func (r *Record) PlausibleCost() *int64 {
	if r.Cost != nil && (*r.Cost < 0 || *r.Cost > maxCost) {
		return nil
	}
	return r.Cost
}

func (s usageSums) add(r *Record, cost *int64) usageSums {
	s.requests++
	if r.Outcome != Answered {
		s.errors++
	}
	switch {
	case cost != nil:
		s.cost += *cost
	case r.Outcome == Answered:
		s.unpriced++
	}
	s.input += clampInt32(r.Input)
	s.cached += clampInt32(r.Cached)
	s.cacheWrite += clampInt32(r.CacheWrite)
	s.output += clampInt32(r.Output)
	s.reasoning += clampInt32(r.Reasoning)
	s.lastAt = max(s.lastAt, r.ID.Time())
	return s
}

func appendUsageHours(stmts []Stmt, hours map[usageHour]usageSums) []Stmt {
	keys := make([]usageHour, 0, len(hours))
	for k := range hours {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b usageHour) int {
		return cmp.Or(cmp.Compare(string(a.user[:]), string(b.user[:])), cmp.Compare(a.hour, b.hour),
			cmp.Compare(string(a.token[:]), string(b.token[:])), cmp.Compare(string(a.key[:]), string(b.key[:])),
			strings.Compare(a.provider, b.provider), strings.Compare(a.model, b.model))
	})
	for _, k := range keys {
		s := hours[k]
		stmts = append(stmts, Stmt{SQL: addToUsageHour, Args: []any{
			k.user, k.hour, k.token[:], k.key[:], k.provider, k.model,
			s.requests, s.errors, s.unpriced, s.cost, s.input, s.cached, s.cacheWrite, s.output, s.reasoning, s.lastAt,
		}})
	}
	return stmts
}

func appendLatencyHours(stmts []Stmt, latencies map[latencyHour]int64) []Stmt {
	keys := make([]latencyHour, 0, len(latencies))
	for k := range latencies {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b latencyHour) int {
		return cmp.Or(cmp.Compare(string(a.user[:]), string(b.user[:])), cmp.Compare(a.hour, b.hour),
			cmp.Compare(a.kind, b.kind), cmp.Compare(a.bucket, b.bucket))
	})
	for _, k := range keys {
		stmts = append(stmts, Stmt{SQL: addToLatencyHour, Args: []any{k.user, k.hour, int64(k.kind), int64(k.bucket), latencies[k]}})
	}
	return stmts
}
