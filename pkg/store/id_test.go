package store

import (
	"bytes"
	"testing"
)

// The ids of one process sort in the order of their making, also while the clock stands, goes back
// and for a while stays behind.
func TestIDsSortInTheOrderOfTheirMaking(t *testing.T) {
	const ms = 1_790_000_000_000
	for _, now := range []int64{ms, ms - 5000, ms + 1} {
		last := NewID(now)
		for range 20_000 {
			id := NewID(now)
			if bytes.Compare(last[:], id[:]) >= 0 {
				t.Fatalf("%v was made before %v", last, id)
			}
			if id.Time() != now || id[6]>>4 != 7 || id[8]>>6 != 2 {
				t.Fatalf("%v is no UUIDv7 of the time %d", id, now)
			}
			if back, err := ParseID(id.String()); err != nil || back != id {
				t.Fatalf("%v reads as %v, %v", id, back, err)
			}
			last = id
		}
	}
}
