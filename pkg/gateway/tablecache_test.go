package gateway

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func loaded(user store.ID, revision int64, bytes int) *entry {
	return &entry{&grant{user: user, revision: revision}, &table{user: user, revision: revision, keys: []*key{{secret: strings.Repeat("x", bytes)}}}}
}

func id(n byte) (c credential) { c[0] = n; return c }

func TestTokensOfAUserShareATable(t *testing.T) {
	tc := newTableCache()
	ann := store.NewID(1)
	first := tc.put(id(1), loaded(ann, 1, 1000))
	if second := tc.put(id(2), loaded(ann, 1, 1000)); second.table != first.table || tc.get(id(2)).table != first.table || len(tc.tables) != 1 {
		t.Error("the second token has a table of its own")
	}
	changed := tc.put(id(1), loaded(ann, 2, 1000))
	if got := tc.get(id(1)); got == nil || got.table != changed.table {
		t.Error("the new table is not kept")
	}
	if tc.get(id(2)) != nil {
		t.Error("a grant of an older revision, whose scope may have changed, goes with the new table")
	}
	if late := tc.put(id(3), loaded(ann, 1, 1000)); late.table.revision != 1 || tc.get(id(1)).table != changed.table || tc.get(id(3)) != nil {
		t.Error("a late load replaces the new table")
	}
	if tc.bytes != changed.table.size() {
		t.Errorf("%d bytes are counted, not %d", tc.bytes, changed.table.size())
	}
}

func TestTablesAreBoundedInBytes(t *testing.T) {
	tc := newTableCache()
	tc.maxBytes = 100_000
	for n := range 200 {
		tc.put(id(byte(n)), loaded(store.NewID(int64(n+1)), 1, 10_000))
		total := int64(0)
		for _, kept := range tc.tables {
			total += kept.size()
		}
		if total != tc.bytes || total > tc.maxBytes {
			t.Fatalf("%d bytes are kept, %d counted", total, tc.bytes)
		}
	}
	if e := tc.put(id(250), loaded(store.NewID(999), 1, 200_000)); e == nil || tc.get(id(250)) != nil {
		t.Error("a table beyond the bound has to serve its request, and not stay")
	}
	if len(tc.tables) < 5 {
		t.Errorf("%d tables are kept", len(tc.tables))
	}
}
