package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A hold is what a request may still spend of a limit. It is taken when the request reserves and replaced by what the
// request did spend when it is settled; both happen once, because a hold has the identity of its reservation. A hold that
// has expired counts as spent until then. The holds of a reservation are rows of one id: one for each limit or, for a key
// with a daily limit to which no other limit applies, one for the key.

// Demand is what a request takes of the limits.
type Demand struct {
	// ID is the reservation's. Zero: it needs no identity, because there is no limit at all.
	ID        ID
	ExpiresAt int64 // when the holds end
	// Limits are those that apply, whatever key serves, and those of the keys.
	Limits []ID
	// Strict reports that one of them, of tokens or cost, is strict: then the output may be lowered.
	Strict bool
	// Gateway reports that one of them is the gateway's: it is locked as well.
	Gateway bool
	// Party is that of the end user, see [Label]; Each reports that one of the limits is for each end user.
	Party ID
	Each  bool
	// Estimate is held by limits that are not strict, Bound by strict ones.
	Estimate, Bound Need
}

// Need is what a request takes of limits of tokens and cost: that of its input, and more for each token of output.
type Need struct {
	Tokens int64 // of input
	Cost   int64 // of input, in nano-dollars
	// TokensEach and CostEach are for 1,000 tokens of output: there may be several answers.
	TokensEach, CostEach int64
	// Most is how many tokens of output one answer may have. If the limits do not leave that, the request takes what
	// they leave, if it is at least Least.
	Least, Most int64
}

// Hold is what a reservation holds of a limit.
type Hold struct {
	Limit  ID
	Party  ID
	Starts int64 // the window
	Amount int64
	Gen    int64 // of the window
	// Output is how many tokens of output the amount pays for.
	Output int64
	// Total is what the window has used and held, this hold included.
	Total int64
}

// unbounded is the room in a limit that does not depend on the output. It is less than the largest bigint, so that sums
// do not overflow.
const unbounded = "4000000000000000000"

// MaxDemands is how many demands one statement of [HoldKeys] takes.
const MaxDemands = 16

// The parameters of a hold beside those of a reservation.
const (
	pIDs     = iota // of the reservations, one after the other
	pDemands        // their number
	pExpires
	pParty
	pMinute
	pHour
	pDay
	pWeek
	pMonth
	pLimits // the first limit's id; after the limits come the numbers of the demands
)

// The numbers of a strict demand.
const (
	pTokens = iota
	pCost
	pTokensEach
	pCostEach
	pOutput
	pBoundTokens
	pBoundCost
	pBoundCostEach
	pBoundLeast
	pBoundMost
	strictNumbers
)

const (
	// holdColumns are in the order in which the statements select them.
	holdColumns   = "insert into holds (id, subject, key_id, day_gen, party, starts, amount, gen, output, total, expires_at)\n"
	holdReturning = "\nreturning id, subject, party, starts, amount, gen, output, total"

	holdDay     = "\n left join key_days d on d.key_id = k.id and d.day = $4"
	usedOfDay   = "coalesce(d.used, 0)"
	limitOfDay  = "coalesce(k.daily_limit, 9223372036854775807)"
	dayNotSpent = usedOfDay + " < " + limitOfDay
)

// holdText names a statement: it holds for demands in limits. from selects the key, and first is the number of the first
// parameter that is the hold's own.
type holdText struct {
	from            string
	first           int
	limits, demands int
	strict, each    bool
}

func (t holdText) p(name int) string { return placeholder(t.first + name) }

func (t holdText) build() string {
	switch {
	case t.limits == 0:
		return t.ofKey()
	case t.strict:
		return t.bounded()
	}
	return t.estimated()
}

// ofKey holds nothing but the key's daily limit.
func (t holdText) ofKey() string {
	joins, where, _ := strings.Cut(t.from, " where ")
	if t.demands == 1 {
		return holdColumns + "select substr(coalesce(" + t.p(pIDs) + ", k.id), 1, 16), k.id, k.id, coalesce(d.gen, 0), $8, 0, 1, 0, 0, 0, " + t.p(pExpires) + " " +
			joins + holdDay + " where " + where + " and " + dayNotSpent + holdReturning
	}
	numbers := make([]string, t.demands)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("(%d)", i)
	}
	return holdColumns + "with asked (i) as (values " + strings.Join(numbers, ", ") + ")\nselect substr(coalesce(" + t.p(pIDs) +
		", k.id), 16 * asked.i + 1, 16), k.id, k.id, coalesce(d.gen, 0), $8, 0, 1, 0, 0, 0, " + t.p(pExpires) + " " + joins + holdDay +
		" cross join asked where " + where + " and asked.i < " + t.p(pDemands) + " and " + usedOfDay + " + asked.i < " + limitOfDay + holdReturning
}

// claims selects the limits that apply to the key with what they have used and held; one row without a limit if none does.
func (t holdText) claims(more string) string {
	joins, where, _ := strings.Cut(t.from, " where ")
	ids := make([]string, t.limits)
	for i := range ids {
		ids[i] = t.p(pLimits + i)
	}
	who := t.p(pParty)
	if t.each { // the zero party stands for the end users beyond the largest number
		who = "coalesce((select e.party from labels e where e.user_id = l.user_id and e.party = " + who + "), $8)"
	}
	party := "case when l.subject = 4 and l.end_user is null then " + who + " else $8 end"
	starts := fmt.Sprintf("case l.span when 1 then %s when 2 then %s when 3 then %s when 4 then %s when 5 then %s else 0 end",
		t.p(pMinute), t.p(pHour), t.p(pDay), t.p(pWeek), t.p(pMonth))
	return "claims as materialized (select k.id as key_id, coalesce(d.gen, 0) as day_gen, coalesce(l.id, k.id) as subject, " + party + " as party, " + starts +
		" as starts,\n coalesce(l.amount, " + unbounded + ") as cap, coalesce(w.gen, 0) as gen, " + more + ",\n coalesce(w.used, 0) + " +
		"coalesce((select cast(sum(h.amount) as bigint) from holds h\n  where h.subject <> h.key_id and h.subject = l.id and h.party = " + party + " and h.starts = " + starts +
		" and (l.metric <> 4 or h.expires_at > $2)), 0) as taken\n " +
		joins + holdDay + "\n left join limits l on l.id in (" + strings.Join(ids, ", ") + ") and (l.subject <> 2 or l.subject_id = k.id)" +
		"\n left join limit_windows w on w.limit_id = l.id and w.party = " + party + " and w.starts = " + starts +
		"\n where " + where + " and " + dayNotSpent + ")"
}

// estimated holds estimates: those of the first demands that the limits leave, together.
func (t holdText) estimated() string {
	rows := make([]string, t.demands)
	for i := range rows {
		at := t.first + pLimits + t.limits + 5*i
		cells := make([]string, 5)
		for j := range cells {
			cells[j] = placeholder(at + j)
			if i == 0 { // the types of the columns
				cells[j] = "cast(" + placeholder(at+j) + " as bigint)"
			}
		}
		rows[i] = fmt.Sprintf("(%d, %s)", i, strings.Join(cells, ", "))
	}
	const metric = "case metric when 2 then tokens%[1]s when 3 then cost%[1]s else %[2]s end"
	share, sum := fmt.Sprintf(metric, "", "1"), fmt.Sprintf(metric, "_sum", "i + 1")
	// The values stand last: SQLite plans a statement again whenever a value that is compared with a column changes to or
	// from 0 or 1, and takes all parameters after the 31st in the text for one.
	return holdColumns + "with " + t.claims("l.metric as metric, "+usedOfDay+" as day_used, "+limitOfDay+" as day_limit") +
		",\nasked (i, output, tokens, cost, tokens_sum, cost_sum) as (values " + strings.Join(rows, ", ") + "),\nadmitted as materialized (select * from asked where i < " + t.p(pDemands) +
		"\n and not exists (select 1 from claims where day_used + i >= day_limit or taken + " + sum + " > cap))" +
		"\nselect substr(coalesce(" + t.p(pIDs) + ", key_id), 16 * i + 1, 16), subject, key_id, day_gen, party, starts, " + share +
		", gen, output, taken + " + sum + ", " + t.p(pExpires) + "\n from admitted cross join claims" + holdReturning
}

// bounded holds upper bounds in strict limits, and estimates in others.
func (t holdText) bounded() string {
	n := func(number int) string { return placeholder(t.first + pLimits + t.limits + number) }
	perMetric := func(requests, tokens, cost string) string {
		return "case l.metric when 2 then " + tokens + " when 3 then " + cost + " else " + requests + " end"
	}
	perStrength := func(estimate, bound string) string {
		return "case when l.strict then " + bound + " else " + estimate + " end"
	}
	lowest := perStrength(n(pOutput), n(pBoundLeast))
	// room is the output that a limit leaves; below 0, it does not even leave the input. Without "materialized", both
	// engines would sum up the holds for each mention of taken.
	return holdColumns + "with " + t.claims("coalesce(l.strict, false) as strict,\n "+
		perMetric("1", perStrength(n(pTokens), n(pBoundTokens)), perStrength(n(pCost), n(pBoundCost)))+" as base,\n "+
		perMetric("0", n(pTokensEach), perStrength(n(pCostEach), n(pBoundCostEach)))+" as per,\n "+
		perMetric("0", lowest, lowest)+" as lowest,\n "+perStrength(n(pOutput), n(pBoundMost))+" as most") +
		",\nrooms as (select claims.*, case when taken + base > cap then -1 when per = 0 then " + unbounded +
		" else (cap - taken - base) * 1000 / per end as room from claims),\n" +
		"leaves as (select rooms.*, min(room - lowest) over () as spare, min(case when strict then room else " + unbounded + " end) over () as leave from rooms),\n" +
		"shares as (select leaves.*, case when strict and leave < most then leave else most end as output from leaves where spare >= 0)\n" +
		"select substr(coalesce(" + t.p(pIDs) + ", key_id), 1, 16), subject, key_id, day_gen, party, starts, base + (output * per + 999) / 1000, gen, output,\n" +
		" taken + base + (output * per + 999) / 1000, " + t.p(pExpires) + " from shares" + holdReturning
}

// holdSQLs caches the texts: they are long, and few.
var holdSQLs sync.Map

func (t holdText) sql() string {
	if sql, ok := holdSQLs.Load(t); ok {
		return sql.(string)
	}
	sql := t.build()
	holdSQLs.Store(t, sql)
	return sql
}

// paddedLimits is the number of ids in the statement for n limits. Few different numbers keep the texts few.
func paddedLimits(n int) int {
	if n <= 4 {
		return n
	}
	padded := 8
	for padded < n {
		padded *= 2
	}
	return padded
}

// paddedDemands is the number of demands in the statement for n.
func paddedDemands(n int) int {
	switch {
	case n == 1:
		return 1
	case n <= 4:
		return 4
	}
	return MaxDemands
}

// holdArgs returns the hold's own arguments.
func holdArgs(now int64, demands []*Demand) []any {
	d := demands[0]
	padded := paddedDemands(len(demands))
	args := make([]any, 0, pLimits+paddedLimits(len(d.Limits))+max(strictNumbers, 5*padded))
	ids := make([]byte, 0, len(d.ID)*len(demands))
	var expires int64
	for _, d := range demands {
		ids = append(ids, d.ID[:]...)
		expires = max(expires, d.ExpiresAt)
	}
	args = append(args, ids, int64(len(demands)), expires)
	if len(d.Limits) == 0 {
		return args
	}
	args = append(args, d.Party[:], SpanMinute.Start(now), SpanHour.Start(now), SpanDay.Start(now), SpanWeek.Start(now), SpanMonth.Start(now))
	for i := range paddedLimits(len(d.Limits)) {
		args = append(args, d.Limits[min(i, len(d.Limits)-1)])
	}
	if d.Strict {
		return append(args, d.Estimate.Tokens, d.Estimate.Cost, d.Estimate.TokensEach, d.Estimate.CostEach, d.Estimate.Most,
			d.Bound.Tokens, d.Bound.Cost, d.Bound.CostEach, d.Bound.Least, d.Bound.Most)
	}
	var tokens, cost int64 // of the demands so far
	for i := range padded {
		if i >= len(demands) {
			args = append(args, int64(0), int64(0), int64(0), int64(0), int64(0))
			continue
		}
		e := &demands[i].Estimate
		t, c := e.Tokens+(e.Most*e.TokensEach+999)/1000, e.Cost+(e.Most*e.CostEach+999)/1000
		tokens, cost = addAmounts(tokens, t), addAmounts(cost, c)
		args = append(args, e.Most, t, c, tokens, cost)
	}
	return args
}

// addAmounts adds what is held for demands; a sum that no limit could leave is cut off.
func addAmounts(a, b int64) int64 {
	const most = 1 << 60
	return min(a, most) + min(b, most)
}

// HoldKeys returns the statement that holds what requests demand, for the key of the target. The requests, at most
// [MaxDemands], are of one principal and day, and their demands differ in their IDs, ends and estimates alone; only one of
// them may be Strict. Its rows are read by [ScanHold], one for each request and limit; there is none for a request if the
// principal is not valid, the user's revision is another, the key is not ready or its daily limit is spent, a cooldown
// holds for the target, or a limit does not leave enough for it and all requests before it. [ReserveHeld] follows in the
// same transaction, and [HoldUser] and [HoldGateway] come before.
func HoldKeys(p Principal, revision, now int64, t Target, pass Passage, demands []*Demand) Stmt {
	from := holdByToken + thisKey
	switch {
	case pass.IgnoreTransient && p.Token.IsZero():
		from = holdBySession + soonestKey
	case pass.IgnoreTransient:
		from = holdByToken + soonestKey
	case p.Token.IsZero():
		from = holdBySession + thisKey
	}
	return hold(from, []any{p.credential(), now, revision, DayOf(now), t.Key, t.Host, t.Model[:], AllModels[:], pass.Lease[:]}, now, demands)
}

// HoldRotated is [HoldKeys] for one request, and the key whose turn it is, see [ReserveRotated].
func HoldRotated(p Principal, revision, now int64, t *Rotation, d *Demand) Stmt {
	by, key := holdByToken, rotatedKey
	if p.Token.IsZero() {
		by = holdBySession
	}
	if !t.Conversation.IsZero() {
		key = keptKey
	}
	return hold(by+key, t.args(p, revision, now), now, []*Demand{d})
}

func hold(from string, args []any, now int64, demands []*Demand) Stmt {
	d := demands[0]
	text := holdText{from: from, first: len(args) + 1, limits: paddedLimits(len(d.Limits)), demands: paddedDemands(len(demands)), strict: d.Strict, each: d.Each}
	return Stmt{SQL: text.sql(), Args: append(args, holdArgs(now, demands)...)}
}

// ScanHold reads a row of [HoldKeys]: a hold, and the ID of the demand.
func ScanHold(row Row, id *ID, h *Hold) error {
	return row.Scan(id, &h.Limit, &h.Party, &h.Starts, &h.Amount, &h.Gen, &h.Output, &h.Total)
}

const (
	holdByToken   = fromToken + " join provider_keys k on k.user_id = u.id where t.id = $1 and " + tokenValid + " and u.revision = cast($3 as bigint) and " + keyReady
	holdBySession = fromSession + " join provider_keys k on k.user_id = u.id where s.id = $1 and " + sessionValid + " and u.revision = cast($3 as bigint) and " +
		keyReady

	reserveHeld = "insert into key_days (key_id, day, used) select h.key_id, $1, count(distinct h.id) from holds h where h.id in "
	addHeld     = ` group by h.key_id
on conflict (key_id, day) do update set used = key_days.used + excluded.used
 where key_days.used + excluded.used <= (
  select coalesce(p.daily_limit, 9223372036854775807) from provider_keys p where p.id = key_days.key_id)
returning key_id, used, gen`

	// A release finds the key and the generation in the hold, so that it happens once however often it is tried.
	releaseHeld = `update key_days set used = used - 1 where day = $2 and used > 0
 and key_id = (select h.key_id from holds h where h.id = $1 limit 1) and gen = (select h.day_gen from holds h where h.id = $1 limit 1)`
	dropHolds = "delete from holds where id = $1"

	// The row of the gateway is otherwise written by its set-up alone.
	holdGateway = "update instance set set_up = set_up where id = 1"
)

// ReserveHeld returns the statement that adds the requests whose demands were held to the day of their key. Its row is that
// of [ReserveKey], used with all of them; there is none if nothing was held.
func ReserveHeld(demands []*Demand, now int64) Stmt {
	n := paddedDemands(len(demands))
	args := make([]any, 1, 1+n)
	args[0] = DayOf(now)
	for i := range n {
		args = append(args, demands[min(i, len(demands)-1)].ID)
	}
	return Stmt{SQL: reserveHeldTexts[n], Args: args}
}

var reserveHeldTexts = func() map[int]string {
	texts := map[int]string{}
	for _, n := range []int{1, 4, MaxDemands} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = placeholder(2 + i)
		}
		texts[n] = reserveHeld + "(" + strings.Join(ids, ", ") + ")" + addHeld
	}
	return texts
}()

// ReleaseHeld returns the statements that release a reservation of the day with all its holds. They change nothing if it
// was not made, or was released or settled before.
func ReleaseHeld(id ID, day int64) []Stmt {
	return []Stmt{{SQL: releaseHeld, Args: []any{id, day}}, {SQL: dropHolds, Args: []any{id}}}
}

// DropHolds returns the statement that deletes the holds of a reservation that was not made.
func DropHolds(id ID) Stmt { return Stmt{SQL: dropHolds, Args: []any{id}} }

// HoldGateway returns the statement that makes transactions which read and hold a limit of the gateway run one after
// another.
func HoldGateway() Stmt { return Stmt{SQL: holdGateway} }

// Spending is the end of a reservation that is not released.
type Spending struct {
	ID ID // the reservation's
	// Repeated reports that the holds may have been replaced already: by a try whose outcome is unknown, or because they
	// expired long ago.
	Repeated bool
	Charges  []Charge
}

// Charge is what a request spent of a limit.
type Charge struct {
	Hold
	Spent       int64
	Unconfirmed int64 // the part of Spent that is not known
}

const (
	chargeWindow = `insert into limit_windows (limit_id, party, starts, used, unconfirmed, gen)
select l.id, $2, $3, $4, $5, $6 from limits l where l.id = $1 and l.metric <> 4
on conflict (limit_id, party, starts) do update set used = limit_windows.used + excluded.used,
 unconfirmed = limit_windows.unconfirmed + excluded.unconfirmed where limit_windows.gen = excluded.gen`

	// A hold that is gone was added to the window as it was.
	uncharge = `update limit_windows set used = case when used < $5 then 0 else used - $5 end,
 unconfirmed = case when unconfirmed < $5 then 0 else unconfirmed - $5 end
where limit_id = $1 and party = $2 and starts = $3 and gen = $4 and not exists (select 1 from holds h where h.id = $6 and h.subject = $1)`
)

type limitWindow struct {
	limit, party ID
	starts, gen  int64
}

// AppendCharges appends the statements that replace holds by what was spent: an addition to each window, in the order of
// their keys, and then one statement that deletes the holds.
func AppendCharges(stmts []Stmt, spent []Spending) []Stmt {
	if len(spent) == 0 {
		return stmts
	}
	windows := map[limitWindow][2]int64{}
	gone := map[limitWindow][]Stmt{}
	for i := range spent {
		for _, c := range spent[i].Charges {
			w := limitWindow{c.Limit, c.Party, c.Starts, c.Gen}
			sum := windows[w]
			windows[w] = [2]int64{sum[0] + c.Spent, sum[1] + c.Unconfirmed}
			if spent[i].Repeated {
				gone[w] = append(gone[w], Stmt{SQL: uncharge, Args: []any{c.Limit, c.Party[:], c.Starts, c.Gen, c.Amount, spent[i].ID}})
			}
		}
	}
	keys := make([]limitWindow, 0, len(windows))
	for w := range windows {
		keys = append(keys, w)
	}
	slices.SortFunc(keys, func(a, b limitWindow) int {
		return cmp.Or(bytes.Compare(a.limit[:], b.limit[:]), bytes.Compare(a.party[:], b.party[:]), cmp.Compare(a.starts, b.starts),
			cmp.Compare(a.gen, b.gen))
	})
	for _, w := range keys {
		stmts = append(stmts, Stmt{SQL: chargeWindow, Args: []any{w.limit, w.party[:], w.starts, windows[w][0], windows[w][1], w.gen}})
		stmts = append(stmts, gone[w]...)
	}
	return append(stmts, deleteHolds(spent))
}

// deleteHolds returns the statement that deletes the holds of all the reservations.
func deleteHolds(spent []Spending) Stmt {
	n := paddedLimits(len(spent))
	marks, args := make([]string, n), make([]any, n)
	for i := range marks {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), spent[min(i, len(spent)-1)].ID
	}
	return Stmt{SQL: "delete from holds where id in (" + strings.Join(marks, ", ") + ")", Args: args}
}

// sweepAfter is how long, in milliseconds, holds that have expired stay as they are: mostly the request is settled late.
const sweepAfter = hourMs

// SettlesLate reports whether the holds of a reservation may have been swept when it is settled now.
func SettlesLate(expiresAt, now int64) bool { return now > expiresAt+sweepAfter/2 }

// keptWindows says until when the windows of a span are kept after they have ended.
const keptWindows = `case l.span when 1 then $1 when 2 then $1 else $2 end`

// SweepHolds returns the statements that add holds which expired long ago to their windows, unconfirmed, and delete windows
// that nobody asks for any more. They stand at the end of a transaction that has [HoldUser] and, if one of the limits is
// the gateway's, [HoldGateway].
func SweepHolds(limits []ID, now int64) []Stmt {
	n := paddedLimits(len(limits))
	in := func(first int) string {
		marks := make([]string, n)
		for i := range marks {
			marks[i] = placeholder(first + i)
		}
		return " in (" + strings.Join(marks, ", ") + ")"
	}
	ids := make([]any, n)
	for i := range ids {
		ids[i] = limits[min(i, len(limits)-1)]
	}
	with := func(args ...any) []any { return append(args, ids...) }
	expired := now - sweepAfter
	return []Stmt{
		{
			SQL: `insert into limit_windows (limit_id, party, starts, used, unconfirmed, gen)
select h.subject, h.party, h.starts, cast(sum(h.amount) as bigint), cast(sum(h.amount) as bigint), h.gen
 from holds h join limits l on l.id = h.subject and l.metric <> 4 where h.expires_at <= $1 and h.subject <> h.key_id and h.subject` + in(2) + `
 group by h.subject, h.party, h.starts, h.gen order by h.subject, h.party, h.starts, h.gen
on conflict (limit_id, party, starts) do update set used = limit_windows.used + excluded.used,
 unconfirmed = limit_windows.unconfirmed + excluded.unconfirmed where limit_windows.gen = excluded.gen`,
			Args: with(expired),
		},
		{SQL: "delete from holds where expires_at <= $1 and subject <> key_id and subject" + in(2), Args: with(expired)},
		{
			SQL: "delete from limit_windows where starts > 0 and starts < (select " + keptWindows +
				" from limits l where l.id = limit_windows.limit_id) and limit_id" + in(3),
			Args: with(now-keepShort, now-keepLong),
		},
	}
}

// PurgeHolds deletes holds, of about limit rows, that expired long ago and are not of a limit: those of a key are counted
// in its day. It returns their number.
func PurgeHolds(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	err = r.Run(ctx, Stmt{
		SQL: `delete from holds where id in (select h.id from holds h where h.id < $1 and h.expires_at <= $2
 and not exists (select 1 from limits l where l.id = h.subject) order by h.id limit $3)
 and not exists (select 1 from limits l where l.id = holds.subject)`,
		Args: []any{FirstID(now - keepShort), now - sweepAfter, limit}, Affected: &n,
	})
	return n, err
}

// How long windows are kept: minutes and hours, and longer ones.
const (
	keepShort = 2 * dayMs
	keepLong  = 400 * dayMs
)

// LimitStatus is the window of a limit.
type LimitStatus struct {
	Limit       ID
	Used        int64 // expired holds included
	Held        int64
	Unconfirmed int64 // of Used
}

// LimitStatuses returns the statement that reads the windows of now, of all limits of the user and of the gateway, for the
// end user's party; without one, a limit for each has the window of the end user who has used most.
func LimitStatuses(user, party ID, now int64, each func(LimitStatus)) Stmt {
	return limitStatuses("l.user_id = $1 or l.user_id is null", user, party, now, each)
}

// LimitStatusOf is [LimitStatuses] of one limit.
func LimitStatusOf(limit ID, now int64, each func(LimitStatus)) Stmt {
	return limitStatuses("l.id = $1", limit, ID{}, now, each)
}

func limitStatuses(which string, of, party ID, now int64, each func(LimitStatus)) Stmt {
	const (
		starts  = "case l.span when 1 then $5 when 2 then $6 when 3 then $7 when 4 then $8 when 5 then $9 else 0 end"
		busiest = "(select b.party from limit_windows b where b.limit_id = l.id and b.starts = " + starts + " order by b.used desc, b.party limit 1)"
		known   = "(select e.party from labels e where e.user_id = l.user_id and e.party = $2)"
		partyOf = "case when l.subject = 4 and l.end_user is null then coalesce(case when $2 = $3 then " + busiest + " else " + known + " end, $3) else $3 end"
		sum     = "coalesce((select cast(sum(h.amount) as bigint) from holds h where h.subject <> h.key_id and h.subject = l.id and h.party = " + partyOf + " and h.starts = " + starts
	)
	return Stmt{
		SQL: "select l.id, coalesce(w.used, 0), coalesce(w.unconfirmed, 0),\n " + sum + " and h.expires_at > $4), 0),\n " +
			sum + " and h.expires_at <= $4 and l.metric <> 4), 0)\n from limits l left join limit_windows w on w.limit_id = l.id and w.party = " + partyOf + " and w.starts = " + starts +
			"\n where " + which,
		Args: []any{of, party[:], AllModels[:], now, SpanMinute.Start(now), SpanHour.Start(now), SpanDay.Start(now), SpanWeek.Start(now),
			SpanMonth.Start(now)},
		Each: func(row Row) error {
			var s LimitStatus
			var expired int64
			err := row.Scan(&s.Limit, &s.Used, &s.Unconfirmed, &s.Held, &expired)
			s.Used, s.Unconfirmed = s.Used+expired, s.Unconfirmed+expired
			if err == nil {
				each(s)
			}
			return err
		},
	}
}
