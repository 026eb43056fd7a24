package gateway

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// admit authenticates a request that calls no provider and reserves nothing. It returns what the principal may use and
// the current status of its keys. Errors: Unauthorized, Unavailable.
func (g *Gateway) admit(ctx context.Context, p Principal) (*entry, quota.Status, error) {
	for range 2 {
		e, err := g.entryOf(ctx, p)
		if err != nil {
			return nil, quota.Status{}, unavailable(err)
		}
		if e == nil {
			return nil, quota.Status{}, errUnknownToken()
		}
		who := store.Principal{User: e.table.user, Token: e.token, Session: p.Session}
		v, err := g.Quota.Refresh(ctx, who, store.ID{}, g.Now().UnixMilli())
		if err != nil {
			return nil, v, unavailable(err)
		}
		if v.Access && v.Revision == e.table.revision {
			return e, v, nil
		}
		g.tables.drop(p.credential())
		if !v.Access {
			return nil, v, errNoAccess()
		}
	}
	// The keys change all the time.
	return nil, quota.Status{}, fault.New(fault.Conflict, "the keys were changed at the same time; try again")
}

// Identify returns the user and the token of a credential, from the cache or with one round trip. It does not check
// that the credential is still valid. Errors: Unauthorized (there is no such token or user), Unavailable.
func (g *Gateway) Identify(ctx context.Context, p Principal) (user, token store.ID, err error) {
	e, err := g.entryOf(ctx, p)
	switch {
	case err != nil:
		return user, token, unavailable(err)
	case e == nil:
		return user, token, errUnknownToken()
	}
	return e.table.user, e.token, nil
}

// Verify checks that a credential is valid, with one round trip. Errors: Unauthorized, Unavailable.
func (g *Gateway) Verify(ctx context.Context, p Principal) error {
	_, _, err := g.admit(ctx, p)
	return err
}

// NoAccess returns the error for a credential that is not valid any more.
func NoAccess() error { return errNoAccess() }

func errUnknownToken() error {
	return fault.New(fault.Unauthorized, "the gateway token is unknown: it was revoked, or belongs to another gateway")
}

func errNoAccess() error {
	return fault.New(fault.Unauthorized, "the gateway token or session was revoked or disabled, or has expired")
}
