package store

import (
	"bytes"
	"slices"
)

// The order in which transactions lock rows, so that none of two can hold what the other waits for. (PostgreSQL
// finds a deadlock only after a second, in which everybody else queues up behind it.)
//
// Users come in the order of their ids. Of one user: [HoldUser], if more than one of the user's
// places is locked; the cursors; the places in key_days, of which a key has one in each day; the rows of the keys
// themselves. A transaction that locks a single place needs no HoldUser, because it waits for nothing while it
// holds the place but for the key's row.

// holdCursor locks a cursor and changes nothing.
const holdCursor = `insert into cursors (user_id, key_set, turn) values ($1, $2, 0)
on conflict (user_id, key_set) do update set turn = cursors.turn`

// HoldUser makes transactions that lock several of a user's places run one after another.
func HoldUser(user ID) Stmt { return HoldCursor(user, ID{}) }

// HoldCursor locks the cursor of a set of keys. A zero set is no set's.
func HoldCursor(user, set ID) Stmt {
	return Stmt{SQL: holdCursor, Args: []any{user, set[:]}}
}

// SplitReleases parts statements that belong to the end of an attempt: those that give places
// back, and the others, which come after them.
func SplitReleases(stmts []Stmt) (places, others []Stmt) {
	for _, s := range stmts {
		if s.SQL == releaseReservation {
			places = append(places, s)
		} else {
			others = append(others, s)
		}
	}
	return places, others
}

// appendAlso appends what belongs to the records besides their rows and sums.
func appendAlso(stmts []Stmt, records []Record) []Stmt {
	var with []*Record
	for i := range records {
		if len(records[i].Statements) > 0 {
			with = append(with, &records[i])
		}
	}
	slices.SortStableFunc(with, func(a, b *Record) int { return bytes.Compare(a.User[:], b.User[:]) })
	for len(with) > 0 {
		n := 1
		for n < len(with) && with[n].User == with[0].User {
			n++
		}
		var all []Stmt
		for _, r := range with[:n] {
			all = append(all, r.Statements...)
		}
		places, others := SplitReleases(all)
		if n > 1 || len(places) > 1 {
			stmts = append(stmts, HoldUser(with[0].User))
		}
		stmts = append(append(stmts, places...), others...)
		with = with[n:]
	}
	return stmts
}
