package store

import (
	"context"
	"crypto/sha256"
	"strings"
)

// A cooldown is a row of the table cooldowns. It holds for a key, or for a host of a provider as one user reaches it,
// and for one model or for all. A half-open one stays when its time has ended: then one request at a time probes,
// which takes a lease, until one succeeds and deletes the row.
//
// All statements that write rows of a user come after [HoldUser]: a request may write several.

const (
	// MaxCooldown is the longest time, in milliseconds, in which nothing is tried. A provider that names a later end
	// is probed meanwhile.
	MaxCooldown int64 = 6 * 3600 * 1000
	// quietTime, in milliseconds, is how long after its end a cooldown is forgotten: failures count from one again.
	quietTime int64 = 24 * 3600 * 1000
)

// AllModels is the [ModelKey] of a cooldown that holds for all models.
var AllModels ID

// ModelKey identifies a model, as its provider is asked for it, in cooldowns. Without a model it is [AllModels].
func ModelKey(model string) (key ID) {
	if model != "" {
		sum := sha256.Sum256([]byte(model))
		copy(key[:], sum[:])
	}
	return key
}

// HostKey identifies a provider's host as one user reaches it. What others meet there says nothing about it.
func HostKey(user ID, provider, baseURL string) (key ID) {
	h := sha256.New()
	h.Write(user[:])
	h.Write([]byte(provider + "\x00" + baseURL))
	copy(key[:], h.Sum(nil))
	return key
}

// Target is what a request uses, as cooldowns see it.
type Target struct {
	Key   ID
	Host  ID // a [HostKey]
	Model ID // a [ModelKey]
}

// CooldownID identifies a cooldown.
type CooldownID struct {
	Subject ID // a key's id, or a [HostKey]
	Model   ID // a [ModelKey]
}

// Cooldowns are the ids of the cooldowns that hold for the target.
func (t Target) Cooldowns() [4]CooldownID {
	return [...]CooldownID{{t.Key, AllModels}, {t.Key, t.Model}, {t.Host, AllModels}, {t.Host, t.Model}}
}

// Cooldown is a time in which a key or a host is not used.
type Cooldown struct {
	CooldownID
	Model    string // empty: all models
	Until    int64  // Unix milliseconds
	ResetsAt int64  // the end that the provider named, if it is later than Until; else 0
	HalfOpen bool   // stays after Until, and one request at a time probes
	Class    string // an error class
	Message  string // the provider's message, redacted
	Since    int64  // 0: unknown
	Failures int64  // in a row
	// LeaseUntil is when the probe that runs ends at the latest; 0: none runs.
	LeaseUntil int64
}

// Blocks reports whether the cooldown keeps a request at now from a key, unless the request probes.
func (c Cooldown) Blocks(now int64) bool { return c.Until > now || c.HalfOpen }

// Failure is a failure that starts a cooldown.
type Failure struct {
	User ID
	// Revision is that of the user when the request was routed.
	Revision int64
	Subject  ID     // a key's id, or a [HostKey]
	Model    string // empty: all models
	Now      int64
	// Began is when the attempt began that failed. It counts as a repetition only if the earlier cooldown had ended by
	// then.
	Began int64
	// Until is the end that the provider named; 0: none.
	Until int64
	// Steps are the lengths in milliseconds of the cooldowns after the first failure, the second in a row, and so on;
	// used if Until is 0.
	Steps    [5]int64
	HalfOpen bool
	Class    string
	Message  string
}

const (
	// cooldownCount is the number of failures in a row, this one included.
	cooldownCount = `(case when cooldowns.until > $5 then cooldowns.failures
 when cooldowns.until + $6 <= $4 then 1 else cooldowns.failures + 1 end)`
	cooldownEnd = `(cast($4 as bigint) + case ` + cooldownCount + ` when 1 then cast($7 as bigint) when 2 then cast($8 as bigint)
 when 3 then cast($9 as bigint) when 4 then cast($10 as bigint) else cast($11 as bigint) end)`
	startCooldown = `insert into cooldowns (subject, model_key, user_id, model, until, resets_at, half_open, class, message,
 since, failures, lease_until)
select $2, $3, u.id, $12, cast($4 as bigint) + cast($7 as bigint), $13, $14, $15, $16, $4, 1, 0 from users u where u.id = $1 and u.revision = $17
on conflict (subject, model_key) do update set until = ` + cooldownEnd + `, failures = ` + cooldownCount + `,
 resets_at = excluded.resets_at, half_open = excluded.half_open, class = excluded.class, message = excluded.message,
 since = case when cooldowns.until > $4 or cooldowns.half_open and cooldowns.until + $6 > $4 then cooldowns.since else $4 end,
 lease_until = 0, lease_holder = null
where cooldowns.until < ` + cooldownEnd + " returning until"
)

// StartCooldown returns the statement that starts a cooldown, or extends the one that runs. None is shortened. The
// statement does nothing if the user's revision is another by now: the secret that failed may have been replaced since.
// It ends the lease of a probe that failed. Its row is (until int64); there is none if it does nothing.
func StartCooldown(f Failure) Stmt {
	resetsAt := int64(0)
	for i, step := range f.Steps {
		if f.Until > 0 {
			step = f.Until - f.Now
		}
		f.Steps[i] = max(0, min(step, MaxCooldown))
	}
	if f.Until-f.Now > MaxCooldown {
		resetsAt, f.HalfOpen = f.Until, true
	}
	return Stmt{SQL: startCooldown, Args: []any{f.User, f.Subject, modelArg(ModelKey(f.Model)), f.Now, f.Began, quietTime,
		f.Steps[0], f.Steps[1], f.Steps[2], f.Steps[3], f.Steps[4], f.Model, resetsAt, f.HalfOpen, f.Class, f.Message, f.Revision}}
}

// modelArg passes the zero id as 16 bytes, not as null.
func modelArg(model ID) any { return model[:] }

const (
	// ofTarget selects the cooldowns that hold for a target: $1 is the key, $2 the host, $3 the model and $4 AllModels.
	ofTarget = " where subject in ($1, $2) and model_key in ($3, $4)"

	takeLease = "update cooldowns set lease_until = $5, lease_holder = $6" + ofTarget + ` and half_open and until <= $7 and lease_until <= $7
 and not exists (select 1 from cooldowns o where o.subject in ($1, $2) and o.model_key in ($3, $4)
  and (o.until > $7 or o.half_open and o.lease_until > $7))`
	releaseLease = "update cooldowns set lease_until = 0, lease_holder = null" + ofTarget + " and lease_holder = $5"
	endProbe     = "delete from cooldowns" + ofTarget + " and lease_holder = $5"
	endTransient = "delete from cooldowns" + ofTarget + " and class in " + transientClasses
)

// transientClasses are the classes of failures that pass by themselves, and that are no statement about a key.
const transientClasses = "('transport', 'timeout', 'overloaded')"

// Transient reports whether failures of the class pass by themselves. Their cooldowns yield to a request that has no
// other key.
func Transient(class string) bool { return strings.Contains(transientClasses, "'"+class+"'") }

func (t Target) args(more ...any) []any {
	return append([]any{t.Key, t.Host, t.Model[:], AllModels[:]}, more...)
}

// TakeLease returns the statement with which holder takes the leases of all half-open cooldowns of the target, to probe
// it until the given time at the latest. It takes none if one of the cooldowns still runs or is probed already.
func TakeLease(t Target, holder ID, now, until int64) Stmt {
	return Stmt{SQL: takeLease, Args: t.args(until, holder, now)}
}

// ReleaseLease returns the statement that ends a probe which says nothing about the target.
func ReleaseLease(t Target, holder ID) Stmt { return Stmt{SQL: releaseLease, Args: t.args(holder)} }

// EndProbe returns the statement that ends the cooldowns which holder probed with success.
func EndProbe(t Target, holder ID) Stmt { return Stmt{SQL: endProbe, Args: t.args(holder)} }

// EndTransient returns the statement that ends the target's transient cooldowns after a success.
func EndTransient(t Target) Stmt { return Stmt{SQL: endTransient, Args: t.args()} }

// EndModelCooldown returns the statement that ends a transient cooldown of a key and model, because the host failed and
// not the key.
func EndModelCooldown(key ID, model string) Stmt {
	return Stmt{SQL: "delete from cooldowns where subject = $1 and model_key = $2 and class in " + transientClasses,
		Args: []any{key, modelArg(ModelKey(model))}}
}

func deleteCooldowns(userID, key ID) Stmt {
	return Stmt{SQL: "delete from cooldowns where subject = $1 and user_id = $2", Args: []any{key, userID}}
}

// EndCooldowns ends all cooldowns of a key of the user: [ErrNotFound].
func EndCooldowns(ctx context.Context, r Runner, userID, id ID) error {
	return oneAfter(ctx, r, []Stmt{HoldUser(userID), deleteCooldowns(userID, id)},
		Stmt{SQL: "select id from provider_keys where id = $1 and user_id = $2", Args: []any{id, userID}}, []any{nil}, bumpRevision(userID))
}

// cooldowns are rows by their subject.
type cooldowns map[ID][]Cooldown

// Which cooldowns are read.
const (
	ofUser = "user_id = $1"
	ofKey  = "subject = $1"
	ofPage = "subject in (select id from provider_keys where id > $1 order by id limit $2)"
)

const selectCooldowns = `select subject, model_key, model, until, resets_at, half_open, class, message, since, failures, lease_until
 from cooldowns where `

func scanCooldown(c *Cooldown) []any {
	return []any{&c.Subject, &c.CooldownID.Model, &c.Model, &c.Until, &c.ResetsAt, &c.HalfOpen, &c.Class, &c.Message, &c.Since,
		&c.Failures, &c.LeaseUntil}
}

func (cs cooldowns) stmt(which string, args ...any) Stmt {
	return Stmt{SQL: selectCooldowns + which + " order by subject, model, model_key", Args: args, Each: func(row Row) error {
		var c Cooldown
		err := row.Scan(scanCooldown(&c)...)
		cs[c.Subject] = append(cs[c.Subject], c)
		return err
	}}
}

// Cooldowns returns the statement that reads all cooldowns of a user into each.
func Cooldowns(user ID, each func(Cooldown)) Stmt {
	return Stmt{SQL: selectCooldowns + ofUser, Args: []any{user}, Each: func(row Row) error {
		var c Cooldown
		err := row.Scan(scanCooldown(&c)...)
		if err == nil {
			each(c)
		}
		return err
	}}
}

// PurgeCooldowns deletes the cooldowns, of about limit rows, that nobody has needed for a day, and returns their number.
func PurgeCooldowns(ctx context.Context, r Runner, now int64, limit int) (n int64, err error) {
	var users []ID
	seen := map[ID]bool{}
	err = r.Run(ctx, Stmt{
		SQL: "select user_id from cooldowns where until <= $1 order by until limit $2", Args: []any{now - quietTime, limit},
		Each: func(row Row) error {
			var id ID
			err := row.Scan(&id)
			if !seen[id] {
				seen[id], users = true, append(users, id)
			}
			return err
		},
	})
	for _, user := range users {
		if err != nil {
			return n, err
		}
		var deleted int64
		err = r.Run(ctx, HoldUser(user), Stmt{SQL: "delete from cooldowns where user_id = $1 and until <= $2",
			Args: []any{user, now - quietTime}, Affected: &deleted})
		if CodeOf(err) == CodeReference {
			err = nil // the user was deleted at the same time, and the rows with it
		}
		n += deleted
	}
	return min(n, int64(limit)), err
}
