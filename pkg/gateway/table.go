package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// table is what routing knows of a user: settings, and keys with their secrets
// opened. It is cached and never changed: a change by a person bumps the user's revision, and
// the reserve of an older one takes nothing.
type table struct {
	user     store.ID
	revision int64
	strategy Strategy // empty: the gateway's
	keys     []*key   // by priority, then age
}

// key is a provider key of a table.
type key struct {
	id           store.ID
	provider     *provider.Provider // nil: a provider that this version does not know
	providerID   string
	name         string
	priority     int64
	disabled     bool
	allowed      provider.Patterns
	defaultModel string
	secret       string
	// unopened says why the secret cannot be opened; empty if it could.
	undecryptable string
	// reseal seals the secret under the current key, if it was sealed under a previous one.
	reencrypt atomic.Pointer[store.Stmt]
}

// entry is what a credential opens.
type entry struct {
	token store.ID // zero for a session
	table *table
	// redigest stores the token under the current secret, if it was found under a previous one.
	rehash atomic.Pointer[store.Stmt]
}

// credential identifies a cache entry: a token's digest, or its id, or a user for sessions.
type credential [33]byte

func (c Principal) credential() credential {
	var id credential
	if len(c.Digests) > 0 {
		id[0] = 't'
		copy(id[1:], c.Digests[0][:])
		return id
	}
	if !c.Token.IsZero() {
		id[0] = 'i'
		copy(id[1:], c.Token[:])
		return id
	}
	id[0] = 'u'
	copy(id[1:], c.User[:])
	return id
}

// maxEntries bounds the cache. Beyond it an arbitrary entry makes room.
const maxEntries = 10_000

type tableCache struct {
	mu      sync.RWMutex
	entries map[credential]*entry
}

func newTableCache() *tableCache { return &tableCache{entries: map[credential]*entry{}} }

func (tc *tableCache) get(id credential) *entry {
	tc.mu.RLock()
	defer tc.mu.RUnlock()
	return tc.entries[id]
}

func (tc *tableCache) put(id credential, e *entry) {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	if _, ok := tc.entries[id]; !ok && len(tc.entries) >= maxEntries {
		for old := range tc.entries {
			delete(tc.entries, old)
			break
		}
	}
	tc.entries[id] = e
}

func (tc *tableCache) drop(id credential) {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	delete(tc.entries, id)
}

// entryOf returns what the caller opens, from the cache or with one trip; nil if there is no such token or user.
func (g *Gateway) entryOf(ctx context.Context, c Principal) (*entry, error) {
	id := c.credential()
	if e := g.tables.get(id); e != nil {
		return e, nil
	}
	e, err := g.load(ctx, c)
	if err == nil && e != nil {
		g.tables.put(id, e)
	}
	return e, err
}

// The user comes first and the keys after: if a change falls between the two, the
// table has an old revision, and its first reserve finds that out.
const (
	selectTokenUser = `select t.id, t.hash, u.id, u.revision, u.strategy
from tokens t join users u on u.id = t.user_id where t.hash in `
	selectTokenKeys = selectKeys + `join tokens t on t.user_id = k.user_id where t.hash in `

	selectNamedUser = `select t.id, t.hash, u.id, u.revision, u.strategy
from tokens t join users u on u.id = t.user_id where t.id = $1`
	selectNamedKeys = selectKeys + `join tokens t on t.user_id = k.user_id where t.id = $1` + inOrder

	selectUser     = `select u.id, u.revision, u.strategy from users u where u.id = $1`
	selectUserKeys = selectKeys + `where k.user_id = $1` + inOrder

	selectKeys = `select k.id, k.user_id, k.provider, k.name, k.priority, k.enabled and not k.blocked, k.allowed_models, k.default_model, k.sealed, k.sealing_key
from provider_keys k `
	inOrder = ` order by k.priority, k.created_at, k.id`

	redigestToken = `update tokens set hash = $2 where id = $1 and hash = $3`
	resealKey     = `update provider_keys set sealed = $2, sealing_key = $3 where id = $1 and sealing_key = $4 and sealed = $5`
)

func (g *Gateway) load(ctx context.Context, c Principal) (*entry, error) {
	e := &entry{table: &table{}}
	var strategy *string
	var hash []byte
	user := store.Stmt{SQL: selectUser, Args: []any{c.User}, Each: func(r store.Row) error {
		return r.Scan(&e.table.user, &e.table.revision, &strategy)
	}}
	keys := store.Stmt{SQL: selectUserKeys, Args: []any{c.User}, Each: func(r store.Row) error { return g.scanKey(e.table, r) }}
	byToken := func(r store.Row) error { return r.Scan(&e.token, &hash, &e.table.user, &e.table.revision, &strategy) }
	switch {
	case len(c.Digests) > 0:
		list, args := digestList(c.Digests)
		user.SQL, user.Args, user.Each = selectTokenUser+list, args, byToken
		keys.SQL, keys.Args = selectTokenKeys+list+inOrder, args
	case !c.Token.IsZero():
		user.SQL, user.Args, user.Each = selectNamedUser, []any{c.Token}, byToken
		keys.SQL, keys.Args = selectNamedKeys, []any{c.Token}
	}
	if err := g.DB.Run(ctx, user, keys); err != nil || e.table.user.IsZero() {
		return nil, err
	}
	if strategy != nil {
		e.table.strategy = Strategy(*strategy)
	}
	if len(c.Digests) > 1 && string(hash) != string(c.Digests[0][:]) {
		e.rehash.Store(&store.Stmt{SQL: redigestToken, Args: []any{e.token, c.Digests[0][:], hash}})
	}
	return e, nil
}

// digestList is the digests as a list in SQL.
func digestList(digests []auth.TokenDigest) (list string, args []any) {
	for i := range digests {
		list += ", $" + strconv.Itoa(i+1)
		args = append(args, digests[i][:])
	}
	return "(" + list[2:] + ")", args
}

func (g *Gateway) scanKey(t *table, r store.Row) error {
	k := &key{}
	var (
		user                store.ID
		on                  bool
		allowed, sealingKey string
		defaultModel        *string
		sealed              []byte
	)
	if err := r.Scan(&k.id, &user, &k.providerID, &k.name, &k.priority, &on, &allowed, &defaultModel, &sealed, &sealingKey); err != nil {
		return err
	}
	var patterns []string
	if err := json.Unmarshal([]byte(allowed), &patterns); err != nil {
		return fmt.Errorf("allowed_models of key %s: %w", k.id, err)
	}
	k.disabled, k.allowed, k.provider = !on, provider.Patterns(patterns), g.Providers.ByID(k.providerID)
	if defaultModel != nil {
		k.defaultModel = *defaultModel
	}
	g.decryptKey(k, user, sealed, sealingKey)
	t.keys = append(t.keys, k)
	return nil
}

func (g *Gateway) decryptKey(k *key, user store.ID, sealed []byte, sealingKey string) {
	binding := KeyBinding(k.id, user)
	secret, stale, err := g.Secrets.Decrypt(sealed, sealingKey, binding)
	if err != nil {
		k.undecryptable = err.Error()
		return
	}
	k.secret = string(secret)
	if stale {
		blob, id := g.Secrets.Encrypt(secret, binding)
		k.reencrypt.Store(&store.Stmt{SQL: resealKey, Args: []any{k.id, blob, id, sealingKey, sealed}})
	}
}

// KeyBinding binds a provider key's sealed secret to its row.
func KeyBinding(id, user store.ID) auth.Binding {
	return auth.Binding{Table: "provider_keys", ID: id[:], UserID: user[:]}
}
