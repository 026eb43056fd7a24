package gateway

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// admit is for questions that call no provider and take no place in a quota: it lets the caller in and
// returns what it may use as it is now, and how the keys stand. Errors: Unauthorized, Unavailable.
func (g *Gateway) admit(ctx context.Context, c Principal) (*entry, quota.Status, error) {
	for range 2 {
		e, err := g.entryOf(ctx, c)
		if err != nil {
			return nil, quota.Status{}, unavailable(err)
		}
		if e == nil {
			return nil, quota.Status{}, errUnknownToken()
		}
		v, err := g.Quota.Refresh(ctx, store.Principal{User: e.table.user, Token: e.token, Session: c.Session}, g.Now().UnixMilli())
		if err != nil {
			return nil, v, unavailable(err)
		}
		if v.Access && v.Revision == e.table.revision {
			return e, v, nil
		}
		g.tables.drop(c.credential())
		if !v.Access {
			return nil, v, errNoAccess()
		}
	}
	// Somebody changes the keys all the time.
	return nil, quota.Status{}, fault.New(fault.Conflict, "the keys were changed at the same time; try again")
}

// Identify says whose credential the caller has, from what the process knows already or with one trip. It does
// not say that the credential still counts. Errors: Unauthorized (there is no such token or user), Unavailable.
func (g *Gateway) Identify(ctx context.Context, c Principal) (user, token store.ID, err error) {
	e, err := g.entryOf(ctx, c)
	switch {
	case err != nil:
		return user, token, unavailable(err)
	case e == nil:
		return user, token, errUnknownToken()
	}
	return e.table.user, e.token, nil
}

// NoAccess is the error for a credential that does not count any more.
func NoAccess() error { return errNoAccess() }

func errUnknownToken() error {
	return fault.New(fault.Unauthorized, "the gateway token is unknown: it was revoked, or belongs to another gateway")
}

func errNoAccess() error {
	return fault.New(fault.Unauthorized, "the gateway token or session was revoked or disabled, or has expired")
}
