package gateway

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// latencies are how soon a user's keys answer, as the database last told. All processes measure, and each measurement
// counts the same.
type latencies struct {
	mu     sync.Mutex
	readAt int64 // Unix milliseconds
	all    map[store.ID]store.Latency
	tried  map[store.ID]int64 // when this process last tried what was not known, or not lately
	// reading is held by the request that reads them.
	reading sync.Mutex
}

const (
	// latencyAge is how old the latencies are at most that a request goes by, in milliseconds. The end of a request reads
	// them too, if they are older than latencyRefresh, so that most requests need not.
	latencyAge     = 30_000
	latencyRefresh = 10_000
	// exploreEvery is how often a process tries a key and model that is not known, or slower than others, in milliseconds;
	// of those that are known it explores at most one in exploreShare requests.
	exploreEvery = 60_000
	exploreShare = 20
)

// take replaces the latencies by those that were read at the time.
func (l *latencies) take(all []store.Latency, now int64) {
	fresh := make(map[store.ID]store.Latency, len(all))
	for _, one := range all {
		fresh[one.ID] = one
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all, l.readAt = fresh, now
}

// takeFrom takes over what another copy knows, if it is newer.
func (l *latencies) takeFrom(other *latencies) {
	other.mu.Lock()
	all, readAt := other.all, other.readAt
	other.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if readAt > l.readAt {
		l.all, l.readAt = all, readAt
	}
}

func (l *latencies) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *latencies) age(now int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now - l.readAt
}

// knows reports whether each of the measured latencies is known.
func (l *latencies) knows(measured []store.Measurement) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.ContainsFunc(measured, func(m store.Measurement) bool {
		_, ok := l.all[m.ID]
		return !ok
	})
}

// learn returns a function that gets the latencies one by one, as they are at the time.
func (l *latencies) learn(now int64) func(store.Latency) {
	return func(one store.Latency) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.all) >= 2*store.MaxLatencies { // those that have expired are still there
			clear(l.all)
		}
		l.all[one.ID] = one
		l.readAt = max(l.readAt, now)
	}
}

// latencyID returns the id of the candidate's latency for this kind of request.
func (c *Call) latencyID(k candidate) store.ID {
	kind := store.WholeAnswer
	if c.req.Chat.Stream {
		kind = store.FirstToken
	}
	return store.LatencyID(k.id, k.model, kind)
}

// refreshLatencies reads the latencies if they are too old. If the database does not answer, the request goes by the old.
func (c *Call) refreshLatencies(now int64) {
	l := &c.entry.table.latencies
	if l.age(now) <= latencyAge || !l.reading.TryLock() {
		return
	}
	defer l.reading.Unlock()
	if all, err := store.Latencies(c.ctx, c.g.DB, c.entry.table.user); err == nil {
		l.take(all, now)
	}
}

// The values by which candidates are ordered that have no latency, or not theirs.
const (
	exploredFirst  = math.MinInt64 // and so many milliseconds as the time of the last measurement
	unknownLatency = math.MaxInt64
)

// latencies returns the latency by which each candidate is ordered. Those that are about as soon as the soonest of their
// priority are equal. Those that it is time to explore come first, the longest not measured before the others: the request
// explores one, unless it fails.
func (c *Call) latencies(all []candidate) func(candidate) int64 {
	now := c.nowMs()
	c.refreshLatencies(now)
	l := &c.entry.table.latencies
	l.mu.Lock()
	defer l.mu.Unlock()
	best := map[int64]int64{} // by priority
	values := make(map[candidateID]int64, len(all))
	explores := c.explores()
	for _, k := range all {
		id := c.latencyID(k)
		known, ok := l.all[id]
		value, measured := int64(unknownLatency), int64(0)
		if ok {
			value, measured = known.Micros, known.ExpiresAt-store.LatencyLife
			if least, some := best[k.priority]; !some || value < least {
				best[k.priority] = value
			}
		}
		if (explores || !ok) && now-max(measured, l.tried[id]) >= exploreEvery {
			value = exploredFirst + measured
		}
		values[k.identity()] = value
	}
	for _, k := range all {
		least, some := best[k.priority]
		if value := values[k.identity()]; some && value >= 0 && value <= least+least/10+5_000 { // 10 %, and 5 ms
			values[k.identity()] = least
		}
	}
	return func(k candidate) int64 { return values[k.identity()] }
}

// explores reports whether the request may try a key that is known to be slower. The same request always does.
func (c *Call) explores() bool {
	// These bytes of an id are random.
	return binary.BigEndian.Uint32(c.req.ID[10:14])%exploreShare == 0
}

// noteTry remembers that the candidate is tried, so that others do not explore it as well.
func (c *Call) noteTry(k candidate) {
	if k.strategy != LeastLatency {
		return
	}
	l := &c.entry.table.latencies
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tried == nil || len(l.tried) >= store.MaxLatencies {
		l.tried = map[store.ID]int64{}
	}
	l.tried[c.latencyID(k)] = c.nowMs()
}

// addLatencies adds what the attempts of a request by LeastLatency tell of their keys: how soon the answer began, and how
// long keys were waited for that showed no sign of life.
func (c *Call) addLatencies(r *store.Record) {
	now := c.nowMs()
	add := func(a *attempt, took time.Duration) {
		if a.key.strategy == LeastLatency && took >= 0 {
			r.Latencies = append(r.Latencies, store.Measurement{ID: c.latencyID(a.key), Micros: took.Microseconds(), At: now})
		}
	}
	for i, a := range c.trace.attempts {
		if a != c.current && (a.isAbandoned() || a.failure.Class == chat.Timeout) {
			add(a, c.trace.took[i])
		}
	}
	if a := c.current; a != nil && !a.firstByte.IsZero() {
		add(a, a.firstByte.Sub(a.started))
	}
	if l := &c.entry.table.latencies; len(r.Latencies) > 0 && (l.age(now) > latencyRefresh || !l.knows(r.Latencies)) {
		r.Learn = c.entry.table.latencies.learn(now)
	}
}
