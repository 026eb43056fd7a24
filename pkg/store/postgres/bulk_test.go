package postgres_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/internal/pgtest"
	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/postgres"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

func TestBulk(t *testing.T) {
	storetest.Bulk(t, func(t *testing.T) (store.DB, storetest.Size) {
		url := pgtest.New(t)
		return open(t, postgres.Options{URL: url, Mode: postgres.ModePrepared}), func(table string) (n int64) {
			if err := connect(t, url).QueryRow(t.Context(), "select pg_total_relation_size($1::text::regclass)", table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	})
}
