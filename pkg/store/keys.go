package store

import (
	"context"
	"encoding/json"
	"strings"
)

// Key is a provider key.
type Key struct {
	ID              ID
	UserID          ID
	Provider        string
	Name            string
	Encrypted       []byte // the secret, encrypted and bound to this row
	EncryptionKeyID string // names the key that encrypted it
	LastFour        string
	Priority        int // lower is tried first
	Enabled         bool
	Blocked         bool     // by the admin
	AllowedModels   []string // exact, prefix*, or *; empty: all of the provider's; never nil when read
	DefaultModel    string   // empty: none
	DailyLimit      *int64   // requests a UTC day; nil: no limit
	CreatedAt       int64
	UpdatedAt       int64
	Custom          string     // settings of an endpoint that the user named, JSON; then Provider is its slug; empty: none
	Cooldowns       []Cooldown // of the key, ended ones too, that of all models first; only where keys are read to be shown
}

// KeyUse is a key with its usage.
type KeyUse struct {
	Key
	UsedToday  int64
	Requests   int64 // sum of the hourly sums
	LastUsedAt int64 // 0: never
}

// OwnedKey is a key as the admin sees it.
type OwnedKey struct {
	Key
	OwnerEmail string
	UsedToday  int64
}

const (
	keyReturning = `id, user_id, provider, name, sealed, sealing_key, last_four, priority, enabled, blocked,
		allowed_models, coalesce(default_model, ''), daily_limit, created_at, updated_at, coalesce(custom, '')`
	keyColumns = `k.id, k.user_id, k.provider, k.name, k.sealed, k.sealing_key, k.last_four, k.priority, k.enabled,
		k.blocked, k.allowed_models, coalesce(k.default_model, ''), k.daily_limit,
		k.created_at, k.updated_at, coalesce(k.custom, '')`
)

func scanKey(k *Key) []any {
	return []any{&k.ID, &k.UserID, &k.Provider, &k.Name, &k.Encrypted, &k.EncryptionKeyID, &k.LastFour, &k.Priority,
		&k.Enabled, &k.Blocked, (*modelList)(&k.AllowedModels), &k.DefaultModel, &k.DailyLimit,
		&k.CreatedAt, &k.UpdatedAt, &k.Custom}
}

// modelList is allowed_models: a JSON array of strings.
type modelList []string

func (m *modelList) Scan(src any) error {
	s, _ := src.(string)
	*m = modelList{}
	if s == "" || s == "[]" {
		return nil
	}
	return json.Unmarshal([]byte(s), (*[]string)(m))
}

func (m modelList) text() string {
	if len(m) == 0 {
		return "[]"
	}
	// Strings always encode.
	b, _ := json.Marshal([]string(m))
	return string(b)
}

// CreateKey adds a key.
func CreateKey(ctx context.Context, r Runner, k Key) error {
	return r.Run(ctx,
		Stmt{
			SQL: `insert into provider_keys (id, user_id, provider, name, sealed, sealing_key, last_four, priority, enabled, blocked,
				allowed_models, default_model, daily_limit, rest_until, rest_class, rest_note, created_at, updated_at, custom)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, $10, nullif($11, ''), $12, 0, '', '', $13, $13, nullif($14, ''))`,
			Args: []any{k.ID, k.UserID, k.Provider, k.Name, k.Encrypted, k.EncryptionKeyID, k.LastFour, k.Priority, k.Enabled,
				modelList(k.AllowedModels).text(), k.DefaultModel, k.DailyLimit, k.CreatedAt, k.Custom},
		},
		bumpRevision(k.UserID),
	)
}

// KeyFilter narrows a list of keys.
type KeyFilter struct {
	ID       ID     // zero: any
	Provider string // empty: any
	Enabled  *bool  // nil: either
	Custom   bool   // those of endpoints that the user named alone
}

// Keys lists a user's keys, oldest first, with their use; day is today.
func Keys(ctx context.Context, r Runner, userID ID, f KeyFilter, day int64) ([]KeyUse, error) {
	sql := parts{args: []any{userID, day}}
	if !f.ID.IsZero() {
		sql.and("k.id = ?", f.ID)
	}
	if f.Provider != "" {
		sql.and("k.provider = ?", f.Provider)
	}
	if f.Enabled != nil {
		sql.and("k.enabled = ?", *f.Enabled)
	}
	if f.Custom {
		sql.and("k.custom is not null")
	}
	keys := []KeyUse{}
	uses, cooldowns := uses{}, cooldowns{}
	err := r.Run(ctx,
		Stmt{
			SQL: "select " + keyColumns + `, coalesce(d.used, 0) from provider_keys k
				left join key_days d on d.key_id = k.id and d.day = $2
				where k.user_id = $1` + sql.String() + " order by k.id",
			Args: sql.args,
			Each: appendTo(&keys, func(k *KeyUse) []any { return append(scanKey(&k.Key), &k.UsedToday) }),
		},
		uses.stmt("key_id", userID),
		cooldowns.stmt(ofUser, userID),
	)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		use := uses[keys[i].ID]
		keys[i].Requests, keys[i].LastUsedAt = use.requests, use.lastAt
		keys[i].Cooldowns = cooldowns[keys[i].ID]
	}
	return keys, nil
}

// KeysOfProvider lists a user's keys of a provider, oldest first, without their use and cooldowns.
func KeysOfProvider(ctx context.Context, r Runner, userID ID, provider string) ([]Key, error) {
	return list(ctx, r, Stmt{
		SQL:  "select " + keyColumns + " from provider_keys k where k.user_id = $1 and k.provider = $2 order by k.id",
		Args: []any{userID, provider},
	}, scanKey)
}

// KeyByID finds a key of the user, with its use; day is today: [ErrNotFound].
func KeyByID(ctx context.Context, r Runner, userID, id ID, day int64) (KeyUse, error) {
	if id.IsZero() {
		return KeyUse{}, ErrNotFound
	}
	keys, err := Keys(ctx, r, userID, KeyFilter{ID: id}, day)
	if err != nil {
		return KeyUse{}, err
	}
	if len(keys) == 0 {
		return KeyUse{}, ErrNotFound
	}
	return keys[0], nil
}

// Secret is a provider key's secret as the database holds it.
type Secret struct {
	Encrypted       []byte
	EncryptionKeyID string
	LastFour        string
}

// KeyChange is what an owner changes about a key.
type KeyChange struct {
	Name          Field[string]
	Secret        Field[Secret] // also ends the key's cooldowns
	Priority      Field[int]
	Enabled       Field[bool]
	AllowedModels Field[[]string]
	DefaultModel  Field[string] // empty: none
	DailyLimit    Field[*int64] // nil: no limit
	Custom        Field[CustomChange]
}

// CustomChange is what changes about the endpoint of a key; its cooldowns end, because they were of another one.
type CustomChange struct{ Slug, Settings string }

// UpdateKey changes a key of the user: [ErrNotFound].
func UpdateKey(ctx context.Context, r Runner, userID, id ID, c KeyChange, now int64) (Key, error) {
	set := parts{args: []any{id, userID, now}}
	if c.Name.Set {
		set.comma("name = ?", c.Name.To)
	}
	if c.Secret.Set {
		set.comma("sealed = ?", c.Secret.To.Encrypted)
		set.comma("sealing_key = ?", c.Secret.To.EncryptionKeyID)
		set.comma("last_four = ?", c.Secret.To.LastFour)
	}
	if c.Priority.Set {
		set.comma("priority = ?", c.Priority.To)
	}
	if c.Enabled.Set {
		set.comma("enabled = ?", c.Enabled.To)
	}
	if c.AllowedModels.Set {
		set.comma("allowed_models = ?", modelList(c.AllowedModels.To).text())
	}
	if c.DefaultModel.Set {
		set.comma("default_model = nullif(?, '')", c.DefaultModel.To)
	}
	if c.DailyLimit.Set {
		set.comma("daily_limit = ?", c.DailyLimit.To)
	}
	if c.Custom.Set {
		set.comma("provider = ?", c.Custom.To.Slug)
		set.comma("custom = ?", c.Custom.To.Settings)
	}
	var before []Stmt
	if c.Secret.Set || c.Custom.Set {
		before = append(before, HoldUser(userID), deleteCooldowns(userID, id))
	}
	var k Key
	cooldowns := cooldowns{}
	err := oneAfter(ctx, r, before, Stmt{
		SQL:  "update provider_keys set updated_at = $3" + set.String() + " where id = $1 and user_id = $2 returning " + keyReturning,
		Args: set.args,
	}, scanKey(&k), bumpRevision(userID), cooldowns.stmt(ofKey, id))
	k.Cooldowns = cooldowns[id]
	return k, err
}

// DeleteKey deletes a key of the user: [ErrNotFound].
func DeleteKey(ctx context.Context, r Runner, userID, id ID) error {
	return oneAfter(ctx, r, []Stmt{HoldUser(userID), deleteCooldowns(userID, id)},
		Stmt{SQL: "delete from provider_keys where id = $1 and user_id = $2", Args: []any{id, userID}}, nil,
		append(deleteLimitsOf(userID, id), bumpRevision(userID))...)
}

// AllKeys lists all keys, oldest first, for the admin; day is today.
func AllKeys(ctx context.Context, r Runner, p Page, day int64) ([]OwnedKey, error) {
	keys, cooldowns := []OwnedKey{}, cooldowns{}
	err := r.Run(ctx, Stmt{
		SQL: "select " + keyColumns + `, u.email, coalesce(d.used, 0) from provider_keys k join users u on u.id = k.user_id
			left join key_days d on d.key_id = k.id and d.day = $3
			where k.id > $1 order by k.id limit $2`,
		Args: []any{p.After[:], p.Limit, day},
		Each: appendTo(&keys, func(k *OwnedKey) []any { return append(scanKey(&k.Key), &k.OwnerEmail, &k.UsedToday) }),
	}, cooldowns.stmt(ofPage, p.After[:], p.Limit))
	if err != nil {
		return nil, err
	}
	for i := range keys {
		keys[i].Cooldowns = cooldowns[keys[i].ID]
	}
	return keys, nil
}

// CountKeys counts all keys.
func CountKeys(ctx context.Context, r Runner) (n int, err error) {
	err = r.Run(ctx, Stmt{SQL: "select count(*) from provider_keys", Each: func(row Row) error { return row.Scan(&n) }})
	return n, err
}

// ProvidersInUse lists the providers that have a key which its owner has enabled.
func ProvidersInUse(ctx context.Context, r Runner) ([]string, error) {
	return list(ctx, r, Stmt{SQL: "select distinct provider from provider_keys where enabled"},
		func(id *string) []any { return []any{id} })
}

// BlockKey sets the admin's switch of any key: [ErrNotFound]. The key comes without its owner's address.
func BlockKey(ctx context.Context, r Runner, id ID, blocked bool, now int64) (OwnedKey, error) {
	var k OwnedKey
	used := false
	cooldowns := cooldowns{}
	err := one(ctx, r,
		Stmt{
			SQL:  "update provider_keys set blocked = $2, updated_at = $3 where id = $1 returning " + keyReturning,
			Args: []any{id, blocked, now},
		}, scanKey(&k.Key),
		Stmt{
			SQL:  "update users set revision = revision + 1 where id = (select user_id from provider_keys where id = $1)",
			Args: []any{id},
		},
		Stmt{
			SQL:  "select used from key_days where key_id = $1 and day = $2",
			Args: []any{id, DayOf(now)}, Each: First(&used, &k.UsedToday),
		}, cooldowns.stmt(ofKey, id))
	k.Cooldowns = cooldowns[id]
	return k, err
}

// ReencryptKey replaces the encrypted form of the same secret. It changes nothing and returns false if the key's secret
// is not that of old any more.
func ReencryptKey(ctx context.Context, r Runner, old Key, encrypted []byte, keyID string) (done bool, err error) {
	var n int64
	s := ReencryptedKey(old.ID, old.Encrypted, old.EncryptionKeyID, encrypted, keyID)
	s.Affected = &n
	err = r.Run(ctx, s)
	return n > 0, err
}

// ReencryptedKey is the statement of [ReencryptKey].
func ReencryptedKey(id ID, oldEncrypted []byte, oldKeyID string, encrypted []byte, keyID string) Stmt {
	return Stmt{
		SQL:  "update provider_keys set sealed = $4, sealing_key = $5 where id = $1 and sealing_key = $2 and sealed = $3",
		Args: []any{id, oldKeyID, oldEncrypted, encrypted, keyID},
	}
}

// KeysNotEncryptedBy lists all keys that were not encrypted by current, in the order of ids.
func KeysNotEncryptedBy(ctx context.Context, r Runner, current string, p Page) ([]Key, error) {
	return list(ctx, r, Stmt{
		SQL:  "select " + keyColumns + " from provider_keys k where k.sealing_key <> $1 and k.id > $2 order by k.id limit $3",
		Args: []any{current, p.After[:], p.Limit},
	}, scanKey)
}

// parts composes the variable part of a statement; "?" stands for the next argument.
type parts struct {
	sql  strings.Builder
	args []any
}

func (p *parts) and(cond string, arg ...any)     { p.add(" and ", cond, arg) }
func (p *parts) comma(assign string, arg ...any) { p.add(", ", assign, arg) }
func (p *parts) String() string                  { return p.sql.String() }

func (p *parts) add(separator, text string, args []any) {
	p.sql.WriteString(separator)
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		p.args = append(p.args, arg)
		p.sql.WriteString(before + placeholder(len(p.args)))
		text = after
	}
	p.sql.WriteString(text)
}
