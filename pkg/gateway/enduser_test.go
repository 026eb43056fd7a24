package gateway_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

func (w *world) endUserRequest(name string) gateway.Request {
	request := w.request(model)
	request.EndUser = func(source string) string {
		if source == "user" {
			return name
		}
		return ""
	}
	return request
}

// A limit for each end user is exact for each, in both engines, and costs no trip.
func TestLimitForEachEndUserIsExact(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			var before atomic.Int64
			w.add(key{answer: func(rw http.ResponseWriter, r *http.Request) {
				before.Store(w.db.runs.Load())
				answerText("hi")(rw, r)
			}})
			w.run("update tokens set end_users = $1", true)
			vip := "vip"
			requests := w.limit(store.Limit{Subject: store.LimitEndUser, SubjectID: w.tokenID, Metric: store.MetricRequests, Amount: 5})
			w.limit(store.Limit{Subject: store.LimitEndUser, SubjectID: w.tokenID, Metric: store.MetricTokens, Amount: 100_000, Strict: true})
			w.limit(store.Limit{Subject: store.LimitEndUser, SubjectID: w.tokenID, EndUser: &vip, Metric: store.MetricRequests, Amount: 3})
			_, err := w.do(w.request(model))
			wantCode(t, err, fault.Validation)
			processes := []*gateway.Gateway{w.g, w.newGateway(gateway.Settings{Timeout: time.Minute, FirstEvent: time.Minute, IdleTimeout: time.Minute})}
			served := map[string]*atomic.Int64{"a": {}, "b": {}, vip: {}}
			var wg sync.WaitGroup
			for i := range 36 {
				who := []string{"a", "b", vip}[i%3]
				wg.Go(func() {
					most := int64(100)
					request := w.endUserRequest(who)
					request.Chat.MaxTokens = &most
					if c, err := processes[i%2].Start(t.Context(), request); err == nil {
						c.Close()
						served[who].Add(1)
					} else if f := fault.From(err); f.Code != fault.RateLimit {
						t.Errorf("%v", err)
					}
				})
			}
			wg.Wait()
			if a, b, v := served["a"].Load(), served["b"].Load(), served[vip].Load(); a != 5 || b != 5 || v != 3 {
				t.Errorf("served %d, %d, %d; want 5, 5, 3", a, b, v)
			}
			w.wantStatus(requests, store.LimitStatus{Used: 5})
			if n := w.int("select count(*) from labels"); n != 3 {
				t.Errorf("%d end users, want 3", n)
			}
			w.db.runs.Store(0)
			if _, err := w.do(w.endUserRequest("new")); err != nil {
				t.Fatal(err)
			}
			if before.Load() != 1 || w.db.runs.Load() != 2 {
				t.Errorf("%d trips before the call and %d in all", before.Load(), w.db.runs.Load())
			}
			if n := w.int(fmt.Sprintf("select requests from label_days where label = 'new' and kind = %d", store.EndUserLabel)); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}
