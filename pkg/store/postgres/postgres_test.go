package postgres_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.Process(func(url string) (store.DB, error) {
		return postgres.Open(postgres.Options{URL: url, Mode: postgres.ModePrepared})
	})
	pgtest.Main(m)
}

func open(t testing.TB, o postgres.Options) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestConformance(t *testing.T) {
	for _, mode := range []postgres.Mode{postgres.ModeExec, postgres.ModePrepared} {
		t.Run(string(mode), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.DB {
				return open(t, postgres.Options{URL: pgtest.New(t), Mode: mode})
			})
		})
		t.Run(string(mode)+" through PgBouncer", func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.DB {
				return open(t, postgres.Options{URL: pgtest.PgBouncer(t, pgtest.New(t)), Mode: mode})
			})
		})
	}
}
