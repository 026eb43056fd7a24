// Package storetest is the one suite of tests that every executor of package store,
// with the repositories on top of it, has to pass.
package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Open opens a new, empty database; the test's end closes and drops it.
type Open func(t *testing.T) store.DB

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("executor", func(t *testing.T) { testExecutor(t, open) })
	Nouns(t, open)
}

// Nouns runs the part of the suite that is about what is kept, not about how statements are run.
func Nouns(t *testing.T, open Open) {
	db := open(t)
	for name, test := range map[string]func(*world){
		"instance":        testInstance,
		"first user":      testFirstUser,
		"registration":    testRegistration,
		"added users":     testAddedUsers,
		"user lookups":    testUserLookups,
		"user pages":      testUserPages,
		"user changes":    testUserChanges,
		"last admin":      testLastAdmin,
		"passwords":       testPasswords,
		"profile":         testProfile,
		"deleted user":    testDeletedUser,
		"deleted admins":  testAdminsDeleteEachOther,
		"sessions":        testSessions,
		"session bounds":  testSessionBounds,
		"session purge":   testSessionPurge,
		"routing":         testRouting,
		"tokens":          testTokens,
		"token changes":   testTokenChanges,
		"limits":          testLimits,
		"aliases":         testAliases,
		"labels":          testLabels,
		"limit bounds":    testLimitBounds,
		"limit subjects":  testLimitSubjects,
		"limit windows":   testLimitWindows,
		"hold purge":      testHoldPurge,
		"token admin":     testTokenAdmin,
		"keys":            testKeys,
		"key filters":     testKeyFilters,
		"key changes":     testKeyChanges,
		"key limits":      testKeyLimits,
		"key owners":      testKeyOwners,
		"key admin":       testKeyAdmin,
		"key encryption":  testKeyEncryption,
		"custom keys":     testCustomKeys,
		"cooldowns":       testCooldowns,
		"cooldown bounds": testCooldownBounds,
		"cooldown ends":   testCooldownEnds,
		"cooldown leases": testCooldownLeases,
		"cooldown purge":  testCooldownPurge,
		"deleted key":     testDeletedKey,
		"quota resets":    testQuotaResets,
		"revision":        testRevision,
		"revision counts": testRevisionCountsEveryChange,
		"requests":        testRequests,
		"request filters": testRequestFilters,
		"request pages":   testRequestPages,
		"request limits":  testRequestLimits,
		"settle together": testSettleIsAllOrNothing,
		"settle at once":  testSettleAtOnce,
		"usage":           testUsage,
		"usage bounds":    testUsageBounds,
		"absurd costs":    testAbsurdCosts,
		"histograms":      testHistograms,
		"uses":            testUses,
		"key days":        testKeyDays,
		"retention":       testRetention,
		"retention ends":  testRetentionEnds,
		"merged sums":     testMergedSums,
		"totals":          testTotals,
		"purged quotas":   testPurgedQuotas,
		"turns":           testTurns,
		"ambiguous turns": testAmbiguousTurns,
		"turn purge":      testTurnPurge,
		"responses":       testResponses,
		"response limit":  testResponseLimit,
		"jobs":            testJobs,
		"gauges":          testGauges,
		"job gauges":      testJobGauges,
		"job turns":       testJobTurns,
		"job sight":       testJobSight,
		"latencies":       testLatencies,
		"job limit":       testJobLimit,
		"job fence":       testJobFence,
		"job attempts":    testJobAttempts,
		"job cancel":      testJobCancel,
		"job purge":       testJobPurge,
		"job list":        testJobList,
		"text":            testText,
		"bad text":        testBadNames,
	} {
		t.Run(name, func(t *testing.T) { test(newWorld(t, db)) })
	}
}

// start is the time at which the tests' clock stands: 2026-02-03 04:05:06.789 UTC.
const start int64 = 1770091506789

const (
	minute int64 = 60_000
	hour         = 60 * minute
	day          = 24 * hour
	today        = start / day
)

// world is an empty database and what the tests of the repositories put into it.
type world struct {
	*testing.T
	db    store.DB
	users int
}

func newWorld(t *testing.T, db store.DB) *world {
	exec(t, db, "delete from users", "delete from requests", "delete from request_traces", "delete from usage_hours", "delete from latency_hours",
		"delete from limits", "delete from limit_windows", "delete from holds", "delete from labels", "delete from label_days",
		"update instance set set_up = false, registration_enabled = false, updated_at = 0")
	return &world{T: t, db: db}
}

// user adds an ordinary user, whose other fields change may set.
func (w *world) user(change ...func(*store.User)) store.User {
	w.Helper()
	w.users++
	at := start + int64(w.users)
	u := store.User{ID: store.NewID(at), Email: fmt.Sprintf("user%d@example.com", w.users), Name: fmt.Sprint("User ", w.users),
		Role: store.RoleUser, PasswordHash: "$argon2id$" + fmt.Sprint(w.users), Enabled: true, Revision: 1, CreatedAt: at, UpdatedAt: at}
	for _, f := range change {
		f(&u)
	}
	must(w.T, store.AddUser(ctx, w.db, u))
	return u
}

func admin(u *store.User) { u.Role = store.RoleAdmin }

func (w *world) session(u store.User, at int64) store.Session {
	w.Helper()
	s := store.Session{ID: store.NewID(at), UserID: u.ID, UserAgent: "agent/1", Address: "192.0.2.1", CreatedAt: at, LastSeenAt: at, ExpiresAt: at + day}
	must(w.T, store.CreateSession(ctx, w.db, s))
	return s
}

// everything is the scope of a token that may be used for everything.
var everything = store.TokenScope{AllowedModels: []string{}, AllowedProviders: []string{}, AllowedEndpoints: []string{}}

func (w *world) token(u store.User) store.Token {
	w.Helper()
	id := store.NewID(start)
	t := store.Token{ID: id, UserID: u.ID, Name: "token", Hash: append([]byte("hash of "), id[:]...), Enabled: true, CreatedAt: start, TokenScope: everything}
	must(w.T, store.CreateToken(ctx, w.db, t))
	return t
}

func (w *world) key(u store.User, change ...func(*store.Key)) store.Key {
	w.Helper()
	id := store.NewID(start)
	k := store.Key{ID: id, UserID: u.ID, Provider: "openai", Name: "key", Encrypted: append([]byte{0, 1, 255}, id[:]...), EncryptionKeyID: "k1",
		LastFour: "abcd", Priority: 1, Enabled: true, AllowedModels: []string{}, CreatedAt: start, UpdatedAt: start}
	for _, f := range change {
		f(&k)
	}
	must(w.T, store.CreateKey(ctx, w.db, k))
	return k
}

func (w *world) revision(u store.User) int64 {
	w.Helper()
	return number(w.T, w.db, "select revision from users where id = $1", u.ID)
}

// is fails the test unless err is want.
func (w *world) is(err, want error) {
	w.Helper()
	if err != want {
		w.Errorf("got %v, want %v", err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exec runs statements without rows.
func exec(t *testing.T, db store.Runner, sqls ...string) {
	t.Helper()
	for _, sql := range sqls {
		must(t, db.Run(context.Background(), store.Stmt{SQL: sql}))
	}
}

// number runs a statement that returns one number.
func number(t *testing.T, db store.Runner, sql string, args ...any) (n int64) {
	t.Helper()
	found := false
	must(t, db.Run(context.Background(), store.Stmt{SQL: sql, Args: args, Each: store.First(&found, &n)}))
	if !found {
		t.Fatalf("no row: %s", sql)
	}
	return n
}
