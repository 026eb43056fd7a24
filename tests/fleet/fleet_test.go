package fleet

import (
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// count counts the replies by status and key.
func count(replies []reply) (byStatus map[int]int, byKey map[string]int) {
	byStatus, byKey = map[int]int{}, map[string]int{}
	for _, r := range replies {
		byStatus[r.status]++
		if r.status == 200 {
			byKey[r.key]++
		}
	}
	return byStatus, byKey
}

// wantKept checks that every complete answer has a row, refusals included, and that the sums agree with the rows.
func (f *fleet) wantKept(replies []reply) {
	f.t.Helper()
	rows := map[store.ID]int{}
	err := f.db.Run(f.t.Context(),
		store.Stmt{SQL: "select id, status from requests where user_id = $1", Args: []any{f.user}, Each: func(r store.Row) error {
			var id store.ID
			var status int
			err := r.Scan(&id, &status)
			rows[id] = status
			return err
		}})
	if err != nil {
		f.t.Fatal(err)
	}
	missing := 0
	for _, r := range replies {
		if id, err := store.ParseID(r.id); err != nil || rows[id] != r.status {
			missing++
		}
	}
	if missing > 0 || len(replies) == 0 {
		f.t.Errorf("%d of %d answers have no row, or another status in it", missing, len(replies))
	}
	for _, sums := range []string{"usage_hours", "latency_hours where kind = 1"} {
		if n := f.int("select cast(coalesce(sum(requests), 0) as bigint) from " + sums); n != int64(len(rows)) {
			f.t.Errorf("%s counts %d requests, the log %d", sums, n, len(rows))
		}
	}
}

func TestDailyLimitIsExact(t *testing.T) {
	const limit, requests = 100, 400
	awayFromMidnight()
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		id := f.key(1, limit)
		replies, broken := f.storm(requests, nil)
		byStatus, _ := count(replies)
		if byStatus[200] != limit || byStatus[429] != requests-limit || broken != 0 || f.used(id) != limit || f.called(1) != limit {
			t.Errorf("answers by status %v, %d broken, %d places used, %d calls of the provider; want %d of 200 and %d of 429",
				byStatus, broken, f.used(id), f.called(1), limit, requests-limit)
		}
		f.wantKept(replies)
	})
}

func TestSpentKeyFailsOver(t *testing.T) {
	const limit, requests = 60, 300
	awayFromMidnight()
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		first, second := f.key(1, limit), f.key(2, -1)
		replies, broken := f.storm(requests, nil)
		byStatus, byKey := count(replies)
		if byStatus[200] != requests || broken != 0 || byKey[first.String()] != limit || byKey[second.String()] != requests-limit {
			t.Errorf("answers by status %v, by key %v; want %d of the first key and %d of the second", byStatus, byKey,
				limit, requests-limit)
		}
		if f.called(1) != limit || f.called(2) != requests-limit || f.used(first) != limit || f.used(second) != requests-limit {
			t.Errorf("the provider was called %d and %d times, %d and %d places are used", f.called(1), f.called(2),
				f.used(first), f.used(second))
		}
		f.wantKept(replies)
	})
}

func TestRoundRobinIsEvenAcrossProcesses(t *testing.T) {
	const requests = 302
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		if _, err := store.SetProfile(t.Context(), f.db, f.user, store.ProfileChange{Strategy: store.To("round-robin")}, 0); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			f.key(1, -1)
		}
		replies, broken := f.storm(requests, nil)
		byStatus, byKey := count(replies)
		least, most := requests, 0
		for _, n := range byKey {
			least, most = min(least, n), max(most, n)
		}
		if len(byKey) != 3 || most-least > 1 || byStatus[200] != requests || broken != 0 {
			t.Errorf("by key %v, by status %v, %d broken", byKey, byStatus, broken)
		}
		f.wantKept(replies)
	})
}

func TestKilledProcessBreaksNoPromise(t *testing.T) {
	const limit, requests = 200, 600
	awayFromMidnight()
	onEveryEngine(t, func(t *testing.T, f *fleet) {
		id := f.key(1, limit)
		replies, broken := f.storm(requests, func() {
			for deadline := time.Now().Add(time.Minute); f.used(id) < limit/4; { // while it serves requests
				if time.Now().After(deadline) {
					t.Error("the storm does not begin")
					break
				}
				time.Sleep(time.Millisecond)
			}
			f.gates[0].proc.Stop(syscall.SIGKILL)
		})
		byStatus, _ := count(replies)
		if broken == 0 {
			t.Error("nothing broke: the process was killed too late")
		}
		// The others continued until the quota was used up. The reservations of the killed process are not
		// released, and every caller can have lost one answer.
		if byStatus[200] > limit || byStatus[200] < limit-callers || f.used(id) != limit || f.called(1) > limit ||
			byStatus[200]+byStatus[429] != len(replies) {
			t.Errorf("answers by status %v, %d places used, %d calls of the provider; the limit is %d", byStatus,
				f.used(id), f.called(1), limit)
		}
		f.wantKept(replies)

		// The next process takes over.
		again, err := start(t, f.env)
		if err != nil {
			t.Fatal(err)
		}
		f.gates[0] = again
		if r, ok := f.send(0, false); !ok || r.status != 429 {
			t.Errorf("after the restart: %+v, %v; the limit is still reached", r, ok)
		}
		f.key(2, -1)
		if r, ok := f.send(0, true); !ok || r.status != 200 {
			t.Errorf("after the restart, with another key: %+v, %v", r, ok)
		}
	})
}
