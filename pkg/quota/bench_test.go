package quota_test

import (
	"context"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/sqlite"
)

// What it costs to reserve and settle for 64 callers of one process, with and without limits.
func BenchmarkLimits(b *testing.B) {
	for name, n := range map[string]int{"none": -1, "identity": 0, "four": 4} {
		b.Run(name, func(b *testing.B) {
			db, err := sqlite.Open(sqlite.Options{Path: filepath.Join(b.TempDir(), "bench.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			f := newFixture(b, db)
			f.key(-1)
			var ids []store.ID
			for i := range max(0, n) {
				l := f.addLimit(store.Limit{Subject: []store.LimitSubject{store.LimitToken, store.LimitUser}[i%2], Metric: store.Metric(1 + i%3), Span: store.SpanDay, Amount: store.MaxAmount})
				ids = append(ids, l.ID)
			}
			settles := store.NewGroup(64, db.Timeout, func(ctx context.Context, batch []store.Record) error {
				return db.Run(ctx, store.Settle(batch, 0)...)
			})
			c := quota.Request{Principal: store.Principal{User: f.user, Token: f.token}, Revision: f.revision, Now: now, Targets: f.targets(f.keys...)}
			var wg sync.WaitGroup
			before := cpu(b)
			b.ResetTimer()
			for range 64 {
				wg.Go(func() {
					for range b.N / 64 {
						c := c
						if n >= 0 {
							c.Demand = store.Demand{ID: store.NewID(now), ExpiresAt: now + 60_000, Limits: ids, Estimate: store.Need{Tokens: 10, Cost: 1000, TokensEach: 1000, CostEach: 500, Most: 1000}}
						}
						made, ok, err := f.q.Reserve(context.Background(), c)
						if err != nil || !ok {
							b.Errorf("%v, %v", ok, err)
							return
						}
						r := store.Record{ID: store.NewID(now), User: f.user, Token: f.token, Model: "m", Outcome: store.Answered, Status: 200}
						if n >= 0 {
							s := store.Spending{ID: made.ID}
							for _, h := range made.Holds {
								s.Charges = append(s.Charges, store.Charge{Hold: h, Spent: 1})
							}
							r.Spent = []store.Spending{s}
						}
						if err := settles.Do(context.Background(), r); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1000, "cpu-µs/op")
		})
	}
}

// cpu returns the time that the process has used, in nanoseconds.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
