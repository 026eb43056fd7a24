package gateway_test

import (
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

// What a cold and a warm request ask finds its rows by an index, however many users there are.
func TestStatementsUseIndexes(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			storetest.Fill(t, db, 2000)
			w := newWorldOn(t, db)
			id := w.add(key{})
			if db.Kind() == store.Postgres {
				w.run("analyze")
			}
			session := store.NewID(w.clock.Load())
			w.run(`insert into sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at) values ($1, $2, '', '', 0, 0, $3)`,
				session, w.user, w.clock.Load()+1000)
			r := &storetest.Recorder{DB: db}
			w.db.DB = r
			w.g = w.newGateway(gateway.Settings{Timeout: time.Minute})
			w.mustServe(w.request(model), id)
			request := w.request(model)
			request.Principal = gateway.Principal{Session: session, User: w.user}
			w.mustServe(request, id)
			r.WantIndexes(t)
		})
	}
}
