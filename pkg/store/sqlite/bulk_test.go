package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/storetest"
)

func TestBulk(t *testing.T) {
	storetest.Bulk(t, func(t *testing.T) (store.DB, storetest.Size) {
		path := filepath.Join(t.TempDir(), "bulk.db")
		return openAt(t, path), func(table string) (n int64) {
			db := connect(t, path)
			defer db.Close()
			if err := db.QueryRow("select sum(pgsize) from dbstat where name in (select name from sqlite_schema where tbl_name = $1)", table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	})
}
