package storetest

import (
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// testJobTurns tests that users take turns, however many jobs one of them has and however old these are.
func testJobTurns(w *world) {
	many, few := newBench(w), newBench(w)
	for i := range 6 {
		many.submit(many.byToken, fmt.Sprint("job", i), 10, start+int64(i))
	}
	for i := range 2 {
		few.submit(few.byToken, fmt.Sprint("job", i), 10, start+10+int64(i))
	}
	var after store.ID
	claimed := map[store.ID]int{}
	for n := range 8 {
		c, err := store.ClaimJob(ctx, w.db, store.JobClaim{Now: start + minute, Lease: start + minute + lease, Keep: start + day, After: after})
		must(w.T, err)
		if !c.Found {
			w.Fatalf("claim %d finds nothing", n)
		}
		if want := fmt.Sprint("job", claimed[c.Job.UserID]); c.Job.Name != want {
			w.Errorf("claim %d: %s before %s of the same user", n, c.Job.Name, want)
		}
		after = c.Job.UserID
		if claimed[after]++; n == 3 && (claimed[many.user.ID] != 2 || claimed[few.user.ID] != 2) {
			w.Errorf("of four claims %d are the one user's, and %d the other's", claimed[many.user.ID], claimed[few.user.ID])
		}
	}
}
