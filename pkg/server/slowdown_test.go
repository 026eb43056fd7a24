package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/redistest"
)

// onBothThrottles runs a test with throttles in the database and in Redis, on a clock that only the test moves.
func onBothThrottles(t *testing.T, test func(w *world), settings ...string) {
	t.Run("sql", func(t *testing.T) { test(newWorld(t, settings...).freeze()) })
	t.Run("redis", func(t *testing.T) { test(newWorld(t, append(settings, "REDIS_URL="+redistest.New(t).URL)...).freeze()) })
}

// slowed checks that the answer has a Retry-After, and moves the clock by it.
func (r reply) slowed(w *world) {
	w.t.Helper()
	r.refused(429, "RATE_LIMIT_EXCEEDED", "too many attempts")
	seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 300 {
		w.t.Fatalf("Retry-After: %q", r.header.Get("Retry-After"))
	}
	w.wait(time.Duration(seconds) * time.Second)
}

// peer returns an address for each caller.
func peer(i int) string { return fmt.Sprintf("198.51.100.%d:1000", i) }

func TestGuessingAtAnAccountSlowsDown(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		ann, bob := w.user("ann"), w.user("bob")
		answered := 0
		for i := range 40 { // each from another address
			r := w.anyone().from(peer(i)).login(ann.email, mark+" guess")
			if r.status == 401 {
				answered++
				continue
			}
			r.refused(429, "RATE_LIMIT_EXCEEDED", "")
		}
		if answered < 5 || answered > 7 {
			w.t.Errorf("%d guesses of 40 were heard", answered)
		}
		w.anyone().from(peer(50)).login(bob.email, password).want(200)
		// The owner has to wait, but is not locked out.
		late := w.anyone().from(peer(60)).login(strings.ToUpper(ann.email), password)
		late.slowed(w)
		w.anyone().from(peer(61)).login(ann.email, password).want(200)
	})
}

func TestWaitsGrowAndEnd(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		ann := w.user("ann")
		longest := 0
		for range 60 {
			r := w.anyone().login(ann.email, mark+" guess")
			if r.status == 401 {
				continue
			}
			seconds, _ := strconv.Atoi(r.header.Get("Retry-After"))
			longest = max(longest, seconds)
			r.slowed(w)
		}
		if longest < 30 || longest > 300 {
			w.t.Errorf("the longest wait was %d s", longest)
		}
		r := w.anyone().login(ann.email, password)
		if r.status == 429 {
			r.slowed(w)
			r = w.anyone().login(ann.email, password)
		}
		r.want(200)
		w.wait(2 * time.Hour)
		for range 5 {
			w.anyone().login(ann.email, mark+" guess").refused(401, "UNAUTHORIZED", "")
		}
	})
}

// An attacker's guesses do not slow down the owner at an address where the owner has logged in before.
func TestOwnerIsNotSlowedByStrangers(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		ann := w.user("ann")
		known := w.anyone().from("192.0.2.7:1000")
		known.login(ann.email, password).want(200)
		for i := range 30 {
			w.anyone().from(peer(i)).login(ann.email, mark+" guess")
		}
		known.login(ann.email, password).want(200)
		w.wait(80 * 24 * time.Hour)
		for i := range 30 {
			w.anyone().from(peer(i)).login(ann.email, mark+" guess")
		}
		known.login(ann.email, password).want(200)
	})
}

// Registration makes an address known as a login does.
func TestRegistrationMakesTheNetworkKnown(t *testing.T) {
	w := newWorld(t).freeze()
	known := w.anyone()
	known.post("/api/auth/register", w.firstRegistration("ann")).want(201)
	for i := range 30 {
		w.anyone().from(peer(i)).login("ann@example.com", mark+" guess")
	}
	known.login("ann@example.com", password).want(200)
}

func TestAddressesAreCountedAsNetworks(t *testing.T) {
	tests := map[string]struct {
		settings []string
		address  func(i int) []string // headers of the i-th request
		one      bool                 // all come from one network
	}{
		"one peer":     {nil, func(i int) []string { return []string{peerHeader, fmt.Sprintf("192.0.2.1:%d", 1000+i)} }, true},
		"many peers":   {nil, func(i int) []string { return []string{peerHeader, peer(i)} }, false},
		"one /64":      {nil, func(i int) []string { return []string{peerHeader, fmt.Sprintf("[2001:db8::%x]:80", i+1)} }, true},
		"many /64":     {nil, func(i int) []string { return []string{peerHeader, fmt.Sprintf("[2001:db8:0:%x::1]:80", i+1)} }, false},
		"IPv4 in IPv6": {nil, func(i int) []string { return []string{peerHeader, fmt.Sprintf("[::ffff:198.51.100.%d]:80", i+1)} }, false},
		"nobody's proxy": {nil, func(i int) []string {
			return []string{peerHeader, "192.0.2.1:5", "X-Forwarded-For", fmt.Sprint("198.51.100.", i+1)}
		}, true},
		"a trusted proxy": {[]string{"TRUSTED_PROXIES=10.0.0.0/8"}, func(i int) []string {
			return []string{peerHeader, "10.0.0.1:5", "X-Forwarded-For", fmt.Sprint("198.51.100.", i+1)}
		}, false},
		"a spoofed start": {[]string{"TRUSTED_PROXIES=10.0.0.0/8"}, func(i int) []string {
			return []string{peerHeader, "10.0.0.1:5", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d, 192.0.2.9", i+1)}
		}, true},
		"a chain": {[]string{"TRUSTED_PROXIES=10.0.0.0/8,192.0.2.9"}, func(i int) []string {
			return []string{peerHeader, "10.0.0.1:5", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d, 192.0.2.9", i+1)}
		}, false},
		"garbage": {[]string{"TRUSTED_PROXIES=10.0.0.0/8"}, func(i int) []string {
			return []string{peerHeader, "10.0.0.1:5", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d, unknown", i+1)}
		}, true},
		"functions":         {[]string{functions}, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprint("198.51.100.", i+1)} }, false},
		"functions, one":    {[]string{functions}, func(i int) []string { return []string{"X-Forwarded-For", "192.0.2.5"} }, true},
		"functions, behind": {[]string{functions}, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("192.0.2.5, 10.0.0.%d", i+1)} }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, openSQLite(t, t.TempDir()), tt.settings...).freeze()
			slowed := false
			for i := range 26 { // each for another account, so that only the address is throttled
				ann := w.user(fmt.Sprint("user", i))
				if r := w.anyone().with(tt.address(i)...).login(ann.email, mark+" guess"); r.status == 429 {
					slowed = true
				} else {
					r.refused(401, "UNAUTHORIZED", "")
				}
			}
			if slowed != tt.one {
				t.Errorf("slowed down: %v", slowed)
			}
		})
	}
}

func TestRightLoginsAreNotSlowed(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		ann := w.user("ann")
		for range 25 {
			w.anyone().login(ann.email, password).want(200)
		}
	})
}

func TestRegistrationsAreSlowedByAddress(t *testing.T) {
	w := newWorld(t).freeze()
	w.admin("root").put("/api/auth/settings", `{"registrationEnabled":true}`).want(200)
	w.user("taken")
	from := w.anyone().from("192.0.2.1:5")
	var last reply
	for range 40 {
		if last = from.post("/api/auth/register", registration("taken")); last.status == 429 {
			break
		}
		last.refused(409, "CONFLICT", "")
	}
	if n := hashes(func() { last = from.post("/api/auth/register", registration("taken")) }); n != 0 {
		t.Errorf("%d passwords were hashed for a refusal", n)
	}
	last.slowed(w)
	from.post("/api/auth/register", registration("later")).want(201)
}

func TestSetupTokenGuessesAreThrottled(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		answered := 0
		for i := range 60 {
			r := w.anyone().from(peer(i)).post("/api/auth/register", registration("eve", fmt.Sprintf(`,"setupToken":"guess-%d"`, i)))
			if r.status == 403 {
				answered++
				continue
			}
			r.refused(429, "RATE_LIMIT_EXCEEDED", "")
		}
		if answered > 22 {
			w.t.Errorf("%d guesses of 60 were heard", answered)
		}
		right := registration("ann", fmt.Sprintf(`,"setupToken":%q`, setupToken))
		w.anyone().from(peer(99)).post("/api/auth/register", right).slowed(w)
		w.anyone().from(peer(99)).post("/api/auth/register", right).want(201)
	}, "SETUP_TOKEN="+setupToken)
}

func TestGuessingTheCurrentPasswordSlowsDown(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		ann := w.user("ann")
		change := func(current string) reply {
			return ann.put("/api/auth/password", fmt.Sprintf(`{"currentPassword":%q,"newPassword":%q}`, current, mark+" new one"))
		}
		answered := 0
		for range 20 {
			if r := change(mark + " guess"); r.status == 403 {
				answered++
			} else {
				r.refused(429, "RATE_LIMIT_EXCEEDED", "")
			}
		}
		if answered < 5 || answered > 7 {
			w.t.Errorf("%d guesses were heard", answered)
		}
		change(password).slowed(w)
		change(password).want(200)
	})
}

// Without Redis the gateway reports it and continues with SQL.
func TestRedisDies(t *testing.T) {
	t.Parallel()
	redis := redistest.New(t)
	w := newWorld(t, "REDIS_URL="+redis.URL)
	ann := w.user("ann")
	w.anyone().login(ann.email, password).want(200)
	w.anyone().get("/health/ready").want(200).is("status", "ok", "checks.redis", "ok")
	redis.Stop()
	w.anyone().get("/health/ready").want(200).is("status", "degraded", "checks.redis", "down", "checks.database", "ok")
	w.anyone().login(ann.email, password).want(200)
	slowed := false
	for range 8 {
		slowed = w.anyone().login(ann.email, mark+" guess").status == 429 || slowed
	}
	if !slowed {
		t.Error("nothing slows guessing down without Redis")
	}
	if !strings.Contains(w.log.String(), "Redis does not answer") {
		t.Error("the log does not say that Redis is down")
	}
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); w.anyone().get("/health/ready").want(200).text("status") != "ok"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("Redis is back, and not noticed")
		}
	}
	w.wait(time.Minute)
	w.anyone().login(ann.email, password).want(200)
	if !strings.Contains(w.log.String(), "Redis answers again") {
		t.Error("the log does not say that Redis is back")
	}
}

// Behind a proxy that is not listed everybody has one address. Somebody who guesses there at many accounts keeps out
// strangers, but not the owner who logged in from there before.
func TestGuessesThroughTheSameAddress(t *testing.T) {
	onBothThrottles(t, func(w *world) {
		ann, bob := w.user("ann"), w.user("bob")
		proxy := w.anyone().from(peer(1))
		proxy.login(ann.email, password).want(200)
		for i := range 60 {
			proxy.login(fmt.Sprintf("guess%d@example.com", i), mark+" guess")
		}
		proxy.login(bob.email, password).refused(429, "RATE_LIMIT_EXCEEDED", "")
		proxy.login(ann.email, password).want(200)
	})
}
