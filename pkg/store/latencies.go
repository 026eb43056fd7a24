package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
)

// LatencyKind says until when a latency is measured. Different kinds are not compared.
type LatencyKind byte

// The kinds. Their numbers are in the ids of rows.
const (
	FirstToken  LatencyKind = 1 // of a stream, until its first substantive event
	WholeAnswer LatencyKind = 2 // of an answer that is not streamed, until its first byte
)

// LatencyID identifies the latency of a user's key with a model, as its provider is asked for it.
func LatencyID(key ID, model string, kind LatencyKind) (id ID) {
	b := make([]byte, 0, 192)
	b = append(append(append(b, key[:]...), byte(kind)), model...)
	sum := sha256.Sum256(b)
	copy(id[:], sum[:])
	return id
}

// Latency is a mean in which later measurements count more.
type Latency struct {
	ID     ID    // a [LatencyID]
	Micros int64 // microseconds
	// Samples is how many measurements count, at most maxSamples. Each later one has the weight 1/maxSamples.
	Samples   int64
	ExpiresAt int64 // Unix milliseconds, [LatencyLife] after the last measurement
}

const (
	// LatencyLife is how long a latency is kept after its last measurement, in milliseconds.
	LatencyLife = 24 * 60 * 60 * 1000
	// latencyMemory is how long a measurement counts if none follows, in milliseconds: until then, those before it count
	// less the later the next one comes. A key that is seldom tried is known again after a few tries.
	latencyMemory = 2 * 60 * 1000
	maxSamples    = 16
	// MaxLatencies bounds the latencies of one user.
	MaxLatencies = 512
)

// Add returns the mean after the measurements of m, as the database computes it.
func (l Latency) Add(m Latency) Latency {
	gap := max(0, min(m.ExpiresAt-l.ExpiresAt, latencyMemory))
	n := min(l.Samples*(latencyMemory-gap)/latencyMemory+m.Samples, maxSamples)
	return Latency{ID: m.ID, Micros: l.Micros + (m.Micros-l.Micros)*m.Samples/n, Samples: n, ExpiresAt: max(l.ExpiresAt, m.ExpiresAt)}
}

// addLatency does the same in the database.
var addLatency = func() string {
	const gap = "(case when excluded.expires_at < latencies.expires_at then 0 when excluded.expires_at - latencies.expires_at > $7 then $7" +
		" else excluded.expires_at - latencies.expires_at end)"
	const all = "latencies.samples * ($7 - " + gap + ") / $7 + excluded.samples"
	const samples = "(case when " + all + " > $8 then $8 else " + all + " end)"
	return `insert into latencies (user_id, id, micros, samples, expires_at) select u.id, $2, $3, $4, $5 from users u
where u.id = $1 and ((select count(*) from latencies l where l.user_id = $1) < $6
 or exists (select 1 from latencies l where l.user_id = $1 and l.id = $2))
on conflict (user_id, id) do update set
 micros = latencies.micros + (excluded.micros - latencies.micros) * excluded.samples / ` + samples + `,
 samples = ` + samples + `,
 expires_at = case when excluded.expires_at > latencies.expires_at then excluded.expires_at else latencies.expires_at end`
}()

// Measurement is one measured latency of a user's key and model.
type Measurement struct {
	ID     ID // a [LatencyID]
	Micros int64
	At     int64 // Unix milliseconds
}

// maxMicros is the largest latency that is kept: an hour.
const maxMicros = 60 * 60 * 1_000_000

type latencyOf struct{ user, id ID }

// appendLatencies adds the measurements of the records, those of one key and model together, and reads the latencies of
// the users that want them. The rows come in order, so that two processes do not deadlock.
func appendLatencies(stmts []Stmt, records []Record) []Stmt {
	var sums map[latencyOf]Latency
	for i := range records {
		for _, m := range records[i].Latencies {
			if sums == nil {
				sums = map[latencyOf]Latency{}
			}
			at := latencyOf{records[i].User, m.ID}
			one := Latency{ID: m.ID, Micros: max(0, min(m.Micros, maxMicros)), Samples: 1, ExpiresAt: m.At + LatencyLife}
			sum, ok := sums[at]
			if ok {
				one = sum.Add(one)
			}
			sums[at] = one
		}
	}
	ids := make([]latencyOf, 0, len(sums))
	for id := range sums {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b latencyOf) int {
		if c := bytes.Compare(a.user[:], b.user[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.id[:], b.id[:])
	})
	for _, id := range ids {
		l := sums[id]
		stmts = append(stmts, Stmt{SQL: addLatency, Args: []any{id.user[:], id.id[:], l.Micros, l.Samples, l.ExpiresAt,
			int64(MaxLatencies), int64(latencyMemory), int64(maxSamples)}})
	}
	for i := range records {
		if learn := records[i].Learn; learn != nil {
			stmts = append(stmts, latenciesOf(records[i].User, learn))
		}
	}
	return stmts
}

const latencyColumns = "select l.id, l.micros, l.samples, l.expires_at from latencies l where l.user_id = "

func latenciesOf(user ID, each func(Latency)) Stmt {
	return Stmt{SQL: latencyColumns + "$1", Args: []any{user}, Each: func(row Row) error {
		var l Latency
		err := row.Scan(&l.ID, &l.Micros, &l.Samples, &l.ExpiresAt)
		if err == nil {
			each(l)
		}
		return err
	}}
}

// Latencies reads the latencies of a user.
func Latencies(ctx context.Context, r Runner, user ID) (all []Latency, err error) {
	err = r.Run(ctx, latenciesOf(user, func(l Latency) { all = append(all, l) }))
	return all, err
}

func latenciesOfRouting(all *[]Latency, condition string, args []any) Stmt {
	s := latenciesOf(ID{}, func(l Latency) { *all = append(*all, l) })
	s.Args = args
	if condition != "" {
		s.SQL = latencyColumns + "(select t.user_id from tokens t where " + condition + ")"
	}
	return s
}

// PurgeLatencies deletes up to limit rows that have expired, and returns their number.
func PurgeLatencies(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	return purgeExpired(ctx, r, "latencies", now, limit)
}
