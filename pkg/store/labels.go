package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"strings"
)

// LabelKind is what a label says of a request. The numbers are stored.
type LabelKind int

// The kinds.
const (
	EndUserLabel LabelKind = 1 // who is behind it; the owner is the token
	TagLabel     LabelKind = 2 // what it is for; the owner is the user
)

// The largest numbers of different labels. What comes beyond counts as [OtherLabel].
const (
	EndUsersPerToken = 10_000
	TagsPerUser      = 200
)

// OtherLabel is the name of all labels beyond the largest number.
const OtherLabel = "other"

// Label is an end user or a tag of a request.
type Label struct {
	Kind  LabelKind
	Owner ID
	Name  string
	// Known says that the label was added before: it need not be again.
	Known bool
}

// Party identifies the label among those of all owners.
func (l *Label) Party() ID {
	sum := sha256.New()
	sum.Write([]byte{byte(l.Kind)})
	sum.Write(l.Owner[:])
	sum.Write([]byte(l.Name))
	var id ID
	copy(id[:], sum.Sum(nil))
	return id
}

func (l *Label) most() int64 {
	if l.Kind == EndUserLabel {
		return EndUsersPerToken
	}
	return TagsPerUser
}

const (
	addLabel = `insert into labels (user_id, party, owner, kind, name, created_at)
select $1, $2, $3, $4, $5, $6 where (select count(*) from (select 1 from labels l where l.owner = $3 and l.kind = $4 limit $7) as present) < $7
on conflict (user_id, party) do nothing`

	addToLabelDay = `insert into label_days (user_id, day, kind, owner, label, requests, errors, unpriced, cost, input, cached, cache_write, output, reasoning)
select $1, $2, $3, $4, coalesce((select l.name from labels l where l.user_id = $1 and l.party = $5), $15), $6, $7, $8, $9, $10, $11, $12, $13, $14 where true
on conflict (user_id, day, kind, owner, label) do update set requests = label_days.requests + excluded.requests,
 errors = label_days.errors + excluded.errors, unpriced = label_days.unpriced + excluded.unpriced, cost = label_days.cost + excluded.cost,
 input = label_days.input + excluded.input, cached = label_days.cached + excluded.cached, cache_write = label_days.cache_write + excluded.cache_write,
 output = label_days.output + excluded.output, reasoning = label_days.reasoning + excluded.reasoning`
)

// OwnedLabel is a label of a user's request.
type OwnedLabel struct {
	User ID
	Label
}

// AddLabels returns the statements that add the labels that are not known, unless their owners have the largest number.
// They come first in a transaction, in an order of their own.
func AddLabels(labels []OwnedLabel, now int64) (stmts []Stmt) {
	type named struct {
		OwnedLabel
		party ID
	}
	var all []named
	for _, l := range labels {
		if !l.Known {
			all = append(all, named{l, l.Party()})
		}
	}
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(cmp.Compare(string(a.User[:]), string(b.User[:])), cmp.Compare(string(a.party[:]), string(b.party[:])))
	})
	all = slices.CompactFunc(all, func(a, b named) bool { return a.User == b.User && a.party == b.party })
	for _, l := range all {
		stmts = append(stmts, Stmt{SQL: addLabel, Args: []any{l.User, l.party, l.Owner, int64(l.Kind), l.Name, now, l.most()}})
	}
	return stmts
}

type labelDay struct {
	user, owner, party ID
	day                int64
	kind               LabelKind
}

// appendLabelDays appends the additions to the daily sums of the records' labels.
func appendLabelDays(stmts []Stmt, records []Record) []Stmt {
	var sums map[labelDay]usageSums
	for i := range records {
		r := &records[i]
		for j := range r.Labels {
			l := &r.Labels[j]
			if sums == nil {
				sums = map[labelDay]usageSums{}
			}
			at := labelDay{r.User, l.Owner, l.Party(), DayOf(r.ID.Time()), l.Kind}
			sums[at] = sums[at].add(r, r.PlausibleCost())
		}
	}
	keys := make([]labelDay, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b labelDay) int {
		return cmp.Or(strings.Compare(string(a.user[:]), string(b.user[:])), cmp.Compare(a.day, b.day), cmp.Compare(a.kind, b.kind),
			strings.Compare(string(a.owner[:]), string(b.owner[:])), strings.Compare(string(a.party[:]), string(b.party[:])))
	})
	for _, k := range keys {
		s := sums[k]
		stmts = append(stmts, Stmt{SQL: addToLabelDay, Args: []any{k.user, k.day, int64(k.kind), k.owner, k.party,
			s.requests, s.errors, s.unpriced, s.cost, s.input, s.cached, s.cacheWrite, s.output, s.reasoning, OtherLabel}})
	}
	return stmts
}

// labelsOf lists the labels of the records.
func labelsOf(records []Record) (all []OwnedLabel) {
	for i := range records {
		for _, l := range records[i].Labels {
			all = append(all, OwnedLabel{records[i].User, l})
		}
	}
	return all
}

// LabelUsage is the usage of an end user or a tag.
type LabelUsage struct {
	Owner ID // of an end user: the token
	Label string
	Counts
}

// LabelUsageBetween sums up the requests of a user with labels of the kind by label, from the day of from to that of to
// (Unix milliseconds; to is not included), the most requests first, at most limit. The zero user stands for all.
func LabelUsageBetween(ctx context.Context, r Runner, user ID, kind LabelKind, from, to int64, limit int) ([]LabelUsage, error) {
	where := parts{args: []any{int64(kind), DayOf(from), DayOf(to - 1), limit}}
	if !user.IsZero() {
		where.and("user_id = ?", user)
	}
	return list(ctx, r, Stmt{
		SQL: "select owner, label, " + countColumns + " from label_days where kind = $1 and day between $2 and $3" + where.String() +
			" group by owner, label order by cast(sum(requests) as bigint) desc, label, owner limit $4",
		Args: where.args,
	}, func(u *LabelUsage) []any { return append([]any{&u.Owner, &u.Label}, scanCounts(&u.Counts)...) })
}

// EndUser is an end user of a token.
type EndUser struct {
	Name      string
	CreatedAt int64
}

// EndUsers lists end users of a user's token in the order of their names, after a name.
func EndUsers(ctx context.Context, r Runner, user, token ID, after string, limit int) ([]EndUser, error) {
	return list(ctx, r, Stmt{
		SQL:  "select name, created_at from labels where user_id = $1 and owner = $2 and kind = 1 and name > $3 order by name limit $4",
		Args: []any{user, token, after, limit},
	}, func(e *EndUser) []any { return []any{&e.Name, &e.CreatedAt} })
}

// DeleteEndUser deletes what is known of an end user of the user's token: the name, the sums, the limits of the end user
// alone, and the windows of those for each: [ErrNotFound] if the token does not exist.
func DeleteEndUser(ctx context.Context, r Runner, user, token ID, name string) error {
	label := Label{Kind: EndUserLabel, Owner: token, Name: name}
	party := label.Party()
	const own = "(select l.id from limits l where l.subject = 4 and l.subject_id = $1 and l.user_id = $2 and l.end_user = $3)"
	const each = "(select l.id from limits l where l.subject = 4 and l.subject_id = $1 and l.user_id = $2 and l.end_user is null)"
	return oneAfter(ctx, r, []Stmt{
		{SQL: "delete from labels where user_id = $1 and party = $2", Args: []any{user, party}},
		HoldUser(user),
	},
		Stmt{SQL: "update tokens set id = id where id = $1 and user_id = $2", Args: []any{token, user}}, nil,
		Stmt{SQL: "delete from label_days where user_id = $1 and kind = 1 and owner = $2 and label = $3", Args: []any{user, token, name}},
		Stmt{SQL: "delete from limit_windows where limit_id in " + own, Args: []any{token, user, name}},
		Stmt{SQL: "delete from limit_windows where party = $3 and limit_id in " + each, Args: []any{token, user, party}},
		Stmt{SQL: "delete from holds where subject <> key_id and subject in " + own, Args: []any{token, user, name}},
		Stmt{SQL: "delete from holds where subject <> key_id and party = $3 and subject in " + each, Args: []any{token, user, party}},
		Stmt{SQL: "delete from limits where subject = 4 and subject_id = $1 and user_id = $2 and end_user = $3", Args: []any{token, user, name}},
		bumpRevision(user),
	)
}

// deleteLabelsOf returns the statements that delete the end users of a token.
func deleteLabelsOf(user, token ID) []Stmt {
	return []Stmt{
		{SQL: "delete from labels where user_id = $1 and owner = $2", Args: []any{user, token}},
		{SQL: "delete from label_days where user_id = $1 and kind = 1 and owner = $2", Args: []any{user, token}},
	}
}
