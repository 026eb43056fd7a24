package store

import (
	"bytes"
	"slices"
	"strings"
)

// All transactions lock rows in one order, so that no two wait for each other. (PostgreSQL finds a deadlock only after
// a second, in which all others queue up behind it.)
//
// Rows of use_counted come first ([CountUses]), then new rows of labels ([AddLabels]), then [HoldGateway], if a limit of the gateway is held. Users come in the order of their ids. For each user:
// [HoldUser], if the transaction locks several of the user's rows in key_days, or any in cooldowns, or takes or releases
// holds; the cursors; the rows in cooldowns and in key_days, of which a key has one for each day; the rows of the keys. A
// transaction that locks a single row of key_days needs no HoldUser: while it holds that row it waits only for the row of
// the key. Rows of cooldowns are locked by nobody without HoldUser, so their order does not matter; they come first
// because the statement that reserves reads them.
//
// The rows of limit_windows come after those of all users, in the order of their primary key, and then the rows of holds.
// A request's holds are deleted by its settle, which needs no HoldUser for it: another request that reserves at the same
// time sees either the holds or what was spent. Whoever else deletes holds that a settle may delete, or adds them to
// limit_windows ([SweepHolds]), has HoldUser, and so has the settle of a request whose holds have expired.

// holdCursor locks a cursor and changes nothing.
const holdCursor = `insert into cursors (user_id, key_set, turn) values ($1, $2, 0)
on conflict (user_id, key_set) do update set turn = cursors.turn`

// HoldUser returns the statement that makes transactions which lock several of a user's rows run one after another.
func HoldUser(user ID) Stmt { return HoldCursor(user, ID{}) }

// HoldCursor returns the statement that locks the cursor of a set of keys. The zero set stands for the user.
func HoldCursor(user, set ID) Stmt {
	return Stmt{SQL: holdCursor, Args: []any{user, set[:]}}
}

// EndOfAttempt are the statements that belong to the end of an attempt, in the order of their locks.
type EndOfAttempt struct {
	Cooldowns, Releases, Others []Stmt
}

// SplitEnd parts statements that belong to the end of an attempt.
func SplitEnd(stmts []Stmt) (end EndOfAttempt) {
	for _, s := range stmts {
		switch {
		case writesCooldowns(s.SQL):
			end.Cooldowns = append(end.Cooldowns, s)
		case s.SQL == releaseReservation, s.SQL == releaseHeld, s.SQL == dropHolds:
			end.Releases = append(end.Releases, s)
		default:
			end.Others = append(end.Others, s)
		}
	}
	return end
}

func writesCooldowns(sql string) bool {
	return strings.HasPrefix(sql, "insert into cooldowns ") || strings.HasPrefix(sql, "update cooldowns ") ||
		strings.HasPrefix(sql, "delete from cooldowns ")
}

// appendStatements appends the records' own statements, in the order of the locks.
func appendStatements(stmts []Stmt, records []Record) []Stmt {
	var with []*Record
	for i := range records {
		if len(records[i].Statements) > 0 || records[i].repeats() {
			with = append(with, &records[i])
		}
	}
	slices.SortStableFunc(with, func(a, b *Record) int { return bytes.Compare(a.User[:], b.User[:]) })
	if slices.ContainsFunc(with, (*Record).repeats) {
		stmts = append(stmts, HoldGateway())
	}
	for len(with) > 0 {
		n := 1
		for n < len(with) && with[n].User == with[0].User {
			n++
		}
		var all []Stmt
		for _, r := range with[:n] {
			all = append(all, r.Statements...)
		}
		end := SplitEnd(all)
		if n > 1 || len(end.Releases) > 1 || len(end.Cooldowns) > 0 || with[0].repeats() {
			stmts = append(stmts, HoldUser(with[0].User))
		}
		stmts = slices.Concat(stmts, end.Cooldowns, end.Releases, end.Others)
		with = with[n:]
	}
	return stmts
}
