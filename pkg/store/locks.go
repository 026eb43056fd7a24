package store

import (
	"bytes"
	"slices"
)

// All transactions lock rows in one order, so that no two wait for each other. (PostgreSQL finds a deadlock only after
// a second, in which all others queue up behind it.)
//
// Users come in the order of their ids. For each user: [HoldUser], if the transaction locks several of the user's rows
// in key_days; the cursors; the rows in key_days, of which a key has one for each day; the rows of the keys. A
// transaction that locks a single row of key_days needs no HoldUser: while it holds that row it waits only for the
// row of the key.

// holdCursor locks a cursor and changes nothing.
const holdCursor = `insert into cursors (user_id, key_set, turn) values ($1, $2, 0)
on conflict (user_id, key_set) do update set turn = cursors.turn`

// HoldUser returns the statement that makes transactions which lock several of a user's rows run one after another.
func HoldUser(user ID) Stmt { return HoldCursor(user, ID{}) }

// HoldCursor returns the statement that locks the cursor of a set of keys. The zero set stands for the user.
func HoldCursor(user, set ID) Stmt {
	return Stmt{SQL: holdCursor, Args: []any{user, set[:]}}
}

// SplitReleases parts statements that belong to the end of an attempt: those that release a reservation, and the
// others, which come after them.
func SplitReleases(stmts []Stmt) (releases, others []Stmt) {
	for _, s := range stmts {
		if s.SQL == releaseReservation {
			releases = append(releases, s)
		} else {
			others = append(others, s)
		}
	}
	return releases, others
}

// appendStatements appends the records' own statements, in the order of the locks.
func appendStatements(stmts []Stmt, records []Record) []Stmt {
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
		releases, others := SplitReleases(all)
		if n > 1 || len(releases) > 1 {
			stmts = append(stmts, HoldUser(with[0].User))
		}
		stmts = append(append(stmts, releases...), others...)
		with = with[n:]
	}
	return stmts
}
