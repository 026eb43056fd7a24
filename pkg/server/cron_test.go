package server_test

import (
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

const cronSecret = mark + "-for-the-scheduler"

// old adds n requests and a session that are older than the retention time.
func (w *world) old(p *person, n int) {
	w.t.Helper()
	at := w.now().AddDate(0, 0, -40).UnixMilli()
	stmts := []store.Stmt{{SQL: "insert into sessions (id, user_id, user_agent, address, created_at, last_seen_at, expires_at) values ($1, $2, '', '', $3, $3, $3)",
		Args: []any{store.NewID(at), p.id, at}}}
	for i := range n {
		stmts = append(stmts, store.Settle([]store.Record{{ID: store.NewID(at + int64(i)), User: p.id, Model: "m", Status: 200, Outcome: store.Answered}}, at)...)
	}
	if err := w.db.DB.Run(w.t.Context(), stmts...); err != nil {
		w.t.Fatal(err)
	}
}

// rows counts requests and sessions.
func (w *world) rows() (n int64) {
	w.t.Helper()
	err := w.db.DB.Run(w.t.Context(), store.Stmt{SQL: "select (select count(*) from requests) + (select count(*) from sessions)",
		Each: func(r store.Row) error { return r.Scan(&n) }})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestCronPurgesAndHarmsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db, functions, "CRON_SECRET="+cronSecret)
		ann := w.user("ann")
		key := ann.key("openai", apiKey)
		_, _, holder := ann.token("t")
		holder.chat(hello).want(200)
		kept := w.rows()
		w.old(ann, 1200)
		scheduler := w.anyone().with("Authorization", "Bearer "+cronSecret, "User-Agent", "vercel-cron/1.0")
		r := scheduler.get("/api/cron").want(200).is("deleted", "1201", "complete", "true")
		r.members("", "deleted", "ran", "complete")
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { scheduler.get("/api/cron").is("deleted", "0", "complete", "true") })
		}
		all.Wait()
		if n := w.rows(); n != kept {
			t.Errorf("%d rows are left, want %d", n, kept)
		}
		ann.get("/api/keys/"+key).want(200).is("usedToday", "1")
		holder.chat(hello).want(200)
	})
}

// Without a worker, the scheduler's call runs jobs that nobody polls for.
func TestCronRunsWhatWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := &chatWorld{world: newWorldOn(t, db, functions, "CRON_SECRET="+cronSecret)}
		w.ann = w.user("ann")
		_, w.token, w.holder = w.ann.token("test")
		w.key("openai", apiKey)
		for _, name := range []string{"one", "two"} {
			w.holder.chat(later(name)).want(202)
		}
		scheduler := w.anyone().with("Authorization", "Bearer "+cronSecret)
		scheduler.get("/api/cron").want(200).is("ran", "2", "complete", "true")
		scheduler.get("/api/cron").want(200).is("ran", "0", "complete", "true")
		if w.calls() != 2 {
			t.Errorf("%d calls of the provider", w.calls())
		}
		w.holder.get("/api/chat/two?timeout=0").want(200).is("id", "two")
	})
}

func TestCronIsTheSchedulersAlone(t *testing.T) {
	for name, settings := range map[string][]string{"set": {"CRON_SECRET=" + cronSecret}, "not set": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, settings...)
			root := w.admin("root")
			_, token, _ := root.token("t")
			w.old(root, 3)
			before := w.rows()
			runs := w.db.runs.Load()
			for _, bearer := range []string{"", "x", "undefined", cronSecret + "x", cronSecret[1:], root.session, token} {
				caller := w.anyone()
				if bearer != "" {
					caller = caller.with("Authorization", "Bearer "+bearer)
				}
				caller.get("/api/cron").refused(401, "UNAUTHORIZED", "CRON_SECRET")
			}
			w.anyone().with("Authorization", "Basic "+cronSecret).get("/api/cron").refused(401, "UNAUTHORIZED", "CRON_SECRET")
			w.anyone().get("/api/cron?secret="+cronSecret).refused(401, "UNAUTHORIZED", "CRON_SECRET")
			root.cookied().get("/api/cron").refused(401, "UNAUTHORIZED", "CRON_SECRET")
			if n := w.db.runs.Load() - runs; n != 0 {
				t.Errorf("strangers made the gateway ask the database %d times", n)
			}
			if n := w.rows(); n != before {
				t.Errorf("a stranger deleted %d rows", before-n)
			}
		})
	}
}

func TestCronTellsThatTheDatabaseIsDown(t *testing.T) {
	w := newWorld(t, "CRON_SECRET="+cronSecret)
	repair := w.db.broken()
	scheduler := w.anyone().with("Authorization", "Bearer "+cronSecret)
	scheduler.get("/api/cron").refused(503, "UNAVAILABLE", "database")
	repair()
	scheduler.get("/api/cron").want(200)
}

// Without a scheduler, the first settled request of a day deletes old rows on functions, in whichever process it runs.
func TestFirstRequestOfTheDayPurges(t *testing.T) {
	for name, tt := range map[string]struct {
		settings     []string
		first, later bool
	}{
		"functions":                  {[]string{functions}, true, true},
		"functions with a scheduler": {[]string{functions, "CRON_SECRET=" + cronSecret}, false, false},
		"binary":                     {nil, false, true}, // hourly on every day
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.settings...)
			w.setClock(time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC))
			ann := w.user("ann")
			ann.key("openai", apiKey)
			_, _, holder := ann.token("t")
			kept := w.rows()
			step := func(what string, gone bool) {
				t.Helper()
				w.old(ann, 4)
				want := w.rows() + 1
				holder.chat(hello).want(200)
				kept++
				if gone {
					want = kept
				}
				for range 1000 { // the caller has the answer before the request ends
					if w.rows() == want {
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
				t.Errorf("%s: %d rows, want %d", what, w.rows(), want)
			}
			step("the first", tt.first)
			step("the second", false)
			w.wait(24 * time.Hour)
			step("the next day", tt.later)
			w.assemble() // another process
			step("of another process", false)
		})
	}
}
