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

// attempt is a try to log in that is under way: it has been counted as a failure.
type attempt struct {
	a                       *App
	c                       *call
	address, account, known string
}

// attemptLogin counts a try against the address and the account. From a network that the account's owner
// is known to use, it counts there alone.
func (a *App) attemptLogin(c *call, email string) (*attempt, error) {
	net := network(c.client)
	t := &attempt{a: a, c: c, address: quota.Bucket("login-address", net), known: quota.Bucket("login-known", email, net)}
	if err := a.try(c, t.address, perAddress); err != nil {
		return nil, err
	}
	known, err := a.Throttle.Marked(c.r.Context(), c.now(), t.known)
	if err != nil {
		return nil, err
	}
	t.account = quota.Bucket("login-account", email)
	if known {
		t.account = quota.Bucket("login-account", email, net)
	}
	return t, a.try(c, t.account, perAccount)
}

// succeeded takes the try back. It also makes the network one that the account's owner is known to use.
// A failure of it costs the person a second or two some day, not this login.
func (t *attempt) succeeded() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.c.r.Context()), 5*time.Second)
	defer cancel()
	now := t.c.now()
	for _, err := range []error{
		t.a.Throttle.TakeBack(ctx, now, t.address),
		t.a.Throttle.Clear(ctx, now, t.account),
		t.a.Throttle.Mark(ctx, now, t.known, now+knownFor.Milliseconds()),
	} {
		if err != nil {
			t.a.logFault(t.c, t.c.faultOf(err))
		}
	}
}
