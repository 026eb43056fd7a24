package gateway

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// table is the routing table of a user: settings, and keys with their decrypted secrets. It is cached and immutable. A
// change by a person raises the user's revision, and a reserve with an older revision is refused.
type table struct {
	user     store.ID
	revision int64
	strategy Strategy // empty: the gateway's
	keys     []*key   // by priority, then age
	limits   []store.Limit
	aliases  []store.Alias
	bytes    int64        // what the cache counts
	sweptAt  atomic.Int64 // when the holds of the limits were swept last, in Unix milliseconds
	// latencies are those of the user's keys, for LeastLatency.
	latencies latencies
	// labels are those that the database has.
	labels labelSet
}

// key is a provider key of a table.
type key struct {
	id           store.ID
	provider     *provider.Provider // nil: this version does not know the provider
	providerID   string
	host         store.ID // of the provider, see store.HostKey
	name         string
	priority     int64
	disabled     bool
	allowed      provider.Patterns
	defaultModel string
	dailyLimited bool
	secret       string
	custom       bool               // its user named its endpoint, and providerID is the slug
	prices       *catalog.Overrides // of a custom endpoint; nil: none of its own
	// undecryptable says why the secret cannot be decrypted; empty if it was.
	undecryptable string
	// reencrypt stores the secret encrypted by the current key, if a previous one encrypts it.
	reencrypt atomic.Pointer[store.Stmt]
}

// entry is what a credential may use: its grant, and the routing table of its user.
type entry struct {
	*grant
	table *table
}

// grant is what the cache keeps of a credential.
type grant struct {
	user  store.ID
	token store.ID // zero for a session
	scope store.TokenScope
	// revision is the user's when the grant was loaded. A table of another revision does not go with it.
	revision int64
	// rehash stores the token's digest by the current secret, if a previous one made it.
	rehash atomic.Pointer[store.Stmt]
}

// credential identifies a grant: a token's digest, or its id, or a user for sessions.
type credential [33]byte

func (p Principal) credential() credential {
	var id credential
	if len(p.Digests) > 0 {
		id[0] = 't'
		copy(id[1:], p.Digests[0][:])
		return id
	}
	if !p.Token.IsZero() {
		id[0] = 'i'
		copy(id[1:], p.Token[:])
		return id
	}
	id[0] = 'u'
	copy(id[1:], p.User[:])
	return id
}

// entryOf returns the entry of the principal's credential, from the cache or with one round trip; nil if there is no such
// token or user.
func (g *Gateway) entryOf(ctx context.Context, p Principal) (*entry, error) {
	id := p.credential()
	if e := g.tables.get(id); e != nil {
		return e, nil
	}
	e, err := g.load(ctx, p)
	if err == nil && e != nil {
		e = g.tables.put(id, e)
	}
	return e, err
}

// load reads the routing of the principal's user; nil if there is no such token or user.
func (g *Gateway) load(ctx context.Context, p Principal) (*entry, error) {
	c := store.Credential{Token: p.Token, User: p.User}
	for i := range p.Digests {
		c.Hashes = append(c.Hashes, p.Digests[i][:])
	}
	r, err := store.LoadRouting(ctx, g.DB, c)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e := &entry{
		grant: &grant{user: r.User, token: r.Token, scope: r.TokenScope, revision: r.Revision},
		table: &table{user: r.User, revision: r.Revision, strategy: Strategy(r.Strategy), limits: r.Limits, aliases: r.Aliases},
	}
	for i := range r.Keys {
		e.table.keys = append(e.table.keys, g.keyOf(&r.Keys[i], r.User))
	}
	e.table.latencies.take(r.Latencies, g.Now().UnixMilli())
	if len(c.Hashes) > 1 && !bytes.Equal(r.TokenHash, c.Hashes[0]) {
		s := store.RehashToken(r.Token, r.TokenHash, c.Hashes[0])
		e.rehash.Store(&s)
	}
	return e, nil
}

// keyOf decrypts a key of the user for the routing table.
func (g *Gateway) keyOf(row *store.RoutingKey, user store.ID) *key {
	k := &key{id: row.ID, provider: g.Providers.ByID(row.Provider), providerID: row.Provider, name: row.Name,
		priority: row.Priority, disabled: !row.Enabled, allowed: provider.Patterns(row.AllowedModels), defaultModel: row.DefaultModel,
		dailyLimited: row.DailyLimited, custom: row.Custom != ""}
	if k.provider != nil {
		k.host = store.HostKey(user, k.providerID, k.provider.BaseURL)
	}
	binding := KeyBinding(row.ID, user)
	secret, stale, err := g.Secrets.Decrypt(row.Encrypted, row.EncryptionKeyID, binding)
	if err != nil {
		k.undecryptable = err.Error()
		return k
	}
	k.secret = string(secret)
	if stale {
		encrypted, keyID := g.Secrets.Encrypt(secret, binding)
		s := store.ReencryptedKey(row.ID, row.Encrypted, row.EncryptionKeyID, encrypted, keyID)
		k.reencrypt.Store(&s)
	}
	if k.custom {
		g.setCustom(k, row, user)
	}
	return k
}

// KeyBinding binds a provider key's encrypted secret to its row.
func KeyBinding(id, user store.ID) auth.Binding {
	return auth.Binding{Table: "provider_keys", ID: id[:], UserID: user[:]}
}
