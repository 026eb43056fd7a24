package server

import (
	"context"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/quota"
)

// The rules of the throttles. None keeps anybody out for good: an attacker who hammers an
// account slows down strangers' logins to it, but not those from a network from which its
// owner has logged in before.
var (
	perAccount  = quota.Rule{Free: 5, Step: time.Second, Max: 30 * time.Second, Forget: 15 * time.Minute}
	perAddress  = quota.Rule{Free: 20, Step: time.Second, Max: 5 * time.Minute, Forget: time.Hour}
	newAccounts = quota.Rule{Free: 30, Step: time.Second, Max: 5 * time.Minute, Forget: time.Hour}
	setUpGlobal = quota.Rule{Free: 20, Step: time.Second, Max: 10 * time.Second, Forget: 15 * time.Minute}
)

// knownFor is how long a network is remembered from which an account was logged in.
const knownFor = 90 * 24 * time.Hour

// try counts a try against a bucket: RateLimit with the time to wait if it comes too early.
func (a *App) try(c *call, bucket string, rule quota.Rule) error {
	wait, err := a.Throttle.Try(c.r.Context(), c.now(), bucket, rule)
	if err != nil {
		return err
	}
	if wait > 0 {
		f := fault.New(fault.RateLimit, "too many attempts; try again in %s", waitText(wait))
		f.RetryAfter = wait
		return f
	}
	return nil
}

func waitText(d time.Duration) string {
	return ((d + time.Second - 1) / time.Second * time.Second).String()
}

// knownBucket holds the mark of a network from which an account's owner has logged in.
func knownBucket(email, net string) string { return quota.Bucket("login-known", email, net) }

// attempt is a try to log in that is under way: it has been counted as a failure.
type attempt struct {
	a                       *App
	c                       *call
	email, address, account string // address is empty if the try does not count there
}

// attemptLogin counts a try against the address and the account. From a network that the account's owner is known to
// use, it counts against the two together alone: behind a proxy that is not listed everybody has one address, and
// nobody's guesses may keep the owners out.
func (a *App) attemptLogin(c *call, email string) (*attempt, error) {
	net := network(c.client)
	known, err := a.Throttle.Flagged(c.r.Context(), c.now(), knownBucket(email, net))
	if err != nil {
		return nil, err
	}
	t := &attempt{a: a, c: c, email: email}
	address := quota.Bucket("login-address", net)
	if known {
		// Read and not counted, so that the time does not reveal to the neighbours whether the account exists.
		if _, err := a.Throttle.Flagged(c.r.Context(), c.now(), address); err != nil {
			return nil, err
		}
		t.account = quota.Bucket("login-account", email, net)
		return t, a.try(c, t.account, perAccount)
	}
	t.address = address
	if err := a.try(c, t.address, perAddress); err != nil {
		return nil, err
	}
	t.account = quota.Bucket("login-account", email)
	return t, a.try(c, t.account, perAccount)
}

// succeeded takes the try back, and makes the network one that the account's owner is known to use.
func (t *attempt) succeeded() {
	if t.address != "" {
		t.a.note(t.c, func(ctx context.Context) error { return t.a.Throttle.TakeBack(ctx, t.c.now(), t.address) })
	}
	t.a.note(t.c, func(ctx context.Context) error { return t.a.Throttle.Clear(ctx, t.c.now(), t.account) })
	t.a.know(t.c, t.email)
}

// know makes the client's network one that the account's owner is known to use.
func (a *App) know(c *call, email string) {
	bucket := knownBucket(email, network(c.client))
	a.note(c, func(ctx context.Context) error {
		return a.Throttle.Flag(ctx, c.now(), bucket, c.now()+knownFor.Milliseconds())
	})
}

// note does what the answer does not depend on: a failure of it costs the person a second or two
// some day, not this login.
func (a *App) note(c *call, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), 5*time.Second)
	defer cancel()
	if err := do(ctx); err != nil {
		a.logFault(c, c.faultOf(err))
	}
}
