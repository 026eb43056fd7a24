package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// doctor checks everything that the gateway needs, and prints how to solve each problem. It fails if the gateway cannot
// work as it is configured.
func doctor(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("doctor"), args); err != nil {
		return err
	}
	d := &diagnosis{t: t}
	d.run(ctx)
	if d.failed > 0 {
		return fmt.Errorf("%d of %d checks failed", d.failed, d.checks)
	}
	t.printf("all checks passed\n")
	return nil
}

// result is the result of a check.
type result string

const (
	passed result = "ok  "
	note   result = "note" // worth knowing, but not a failure
	failed result = "FAIL"
)

// diagnosis runs the checks and counts them.
type diagnosis struct {
	t              *terminal
	checks, failed int
}

func (d *diagnosis) report(r result, what, format string, args ...any) {
	d.checks++
	if r == failed {
		d.failed++
	}
	d.t.printf("%s  %-13s %s\n", r, what, fmt.Sprintf(format, args...))
}

func (d *diagnosis) run(ctx context.Context) {
	cfg, err := configure(d.t)
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong):
		for _, p := range wrong.Problems {
			d.report(failed, "configuration", "%s", p)
		}
		return
	case err != nil:
		d.report(failed, "configuration", "%s", err)
		return
	}
	d.report(passed, "configuration", "every variable is valid")
	if ignored := cfg.Database.Ignored; ignored != "" {
		d.report(note, "database", "these parameters of the address are not PostgreSQL's and are ignored: %s",
			ignored)
	}
	d.folder(cfg)
	if cfg.TLS.Cert != "" {
		d.certificate(cfg)
	}
	d.proxies(cfg)
	in, err := install(cfg)
	if err != nil {
		d.report(failed, "database", "%s", err)
		return
	}
	defer in.close()
	used := d.database(ctx, in)
	d.redis(ctx, in)
	d.providers(ctx, in, used)
}

// folder checks that SQLite can write.
func (d *diagnosis) folder(cfg *config.Config) {
	if cfg.Database.Kind != config.SQLite {
		return
	}
	dir := filepath.Dir(cfg.Database.Path)
	f, err := os.CreateTemp(dir, ".doctor-*")
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.report(note, "data folder", "%s does not exist yet; it is created now", dir)
	case err != nil:
		d.report(failed, "data folder", "%s cannot be written (%s): "+
			"give it to the user that runs the gateway, or set DATA_DIR", dir, err)
	default:
		f.Close()
		os.Remove(f.Name())
		d.report(passed, "data folder", "%s can be written", dir)
		if warning := looseWarning(dir); warning != "" {
			d.report(note, "data folder", "%s", warning)
		}
	}
}

// proxies says whom the gateway believes about where requests come from. A proxy that is not listed makes everybody look
// like one sender.
func (d *diagnosis) proxies(cfg *config.Config) {
	if len(cfg.TrustedProxies) == 0 {
		d.report(note, "proxies", "no proxy is trusted: if one stands before the gateway, list it in TRUSTED_PROXIES, "+
			"or its users share one address in sessions and login throttles")
		return
	}
	d.report(passed, "proxies", "%d networks are trusted to name the senders of requests", len(cfg.TrustedProxies))
}

// certificateWarning is the time before the end of a certificate at which to renew it.
const certificateWarning = 14 * 24 * time.Hour

func (d *diagnosis) certificate(cfg *config.Config) {
	c, err := newCertificate(cfg.TLS, nil)
	if err != nil {
		d.report(failed, "certificate", "%s", err)
		return
	}
	end := c.current.Leaf.NotAfter
	switch left := time.Until(end); {
	case left <= 0:
		d.report(failed, "certificate", "it ended on %s: renew it", end.Format(time.DateOnly))
	case left < certificateWarning:
		d.report(note, "certificate", "it ends on %s: renew it soon", end.Format(time.DateOnly))
	default:
		d.report(passed, "certificate", "valid until %s", end.Format(time.DateOnly))
	}
}

const doctorTime = 10 * time.Second

// database returns the providers of which there are keys.
func (d *diagnosis) database(ctx context.Context, in *installation) (used map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	status, err := store.InstanceStatus(ctx, in.db)
	if err != nil {
		d.report(failed, "database", "%s does not serve (%s): "+
			"check DATABASE_URL, that the server runs, and that this machine may connect", in.where(), err)
		return nil
	}
	begun := time.Now()
	if err := in.db.Ping(ctx); err != nil {
		d.report(failed, "database", "%s: %s", in.where(), err)
		return nil
	}
	d.report(passed, "database", "%s answers in %s", in.where(), time.Since(begun).Round(10*time.Microsecond))
	if !status.SetUp {
		d.report(note, "accounts", "there are none yet: open the link that the gateway prints at its start, "+
			"or use \"gateway user create --admin EMAIL\"")
	}
	keys, undecryptable, err := in.countKeys(ctx)
	switch {
	case err != nil:
		d.report(failed, "provider keys", "%s", err)
	case undecryptable > 0:
		d.report(failed, "provider keys", "%d of %d cannot be decrypted: list the secret that encrypted them "+
			"in ENCRYPTION_KEY_PREVIOUS or JWT_SECRET_PREVIOUS, or enter them again", undecryptable, keys)
	case keys == 0:
		d.report(note, "provider keys", "there are none yet")
	default:
		d.report(passed, "provider keys", "%d, and the secret decrypts them all", keys)
	}
	inUse, err := store.ProvidersInUse(ctx, in.db)
	if err != nil {
		d.report(failed, "provider keys", "%s", err)
	}
	used = map[string]bool{}
	for _, id := range inUse {
		used[id] = true
	}
	return used
}

func (d *diagnosis) redis(ctx context.Context, in *installation) {
	if in.app.Redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	if err := in.app.Redis.Ping(ctx); err != nil {
		d.report(failed, "Redis", "it does not answer: check REDIS_URL and that the server runs "+
			"(the gateway serves without it, with its throttles in the database)")
		return
	}
	d.report(passed, "Redis", "it answers")
}

// probe is the answer of a provider.
type probe struct {
	at   time.Time // the provider's clock; zero if it sent none
	skew time.Duration
	err  error
	self bool // the gateway itself answered
}

// maxSkew is the maximum error of the clock, on which sessions and quotas depend.
const maxSkew = 30 * time.Second

// providers requests the list of models of each provider, without a key. Any answer shows that it can be reached.
func (d *diagnosis) providers(ctx context.Context, in *installation, used map[string]bool) {
	all := in.app.Providers.All()
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	answers := make([]probe, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { answers[i] = reach(ctx, p, in.app.Secrets.InstanceID()) })
	}
	wg.Wait()
	for _, p := range callsItself(ctx, all, in.cfg.Port) {
		answers[slices.Index(all, p)].self = true
	}
	var clock *probe
	for i, p := range all {
		a := &answers[i]
		switch {
		case a.self:
			d.report(failed, p.ID, "%s", ownAddressProblem(p))
		case a.err == nil:
			d.report(passed, p.ID, "it can be reached")
		case used[p.ID]:
			d.report(failed, p.ID, "it cannot be reached, and there are keys of it (%s): "+
				"check the firewall, the proxy (HTTPS_PROXY) and the DNS server", a.err)
		default:
			d.report(note, p.ID, "it cannot be reached (%s); there is no key of it", a.err)
		}
		if !a.at.IsZero() && (clock == nil || a.skew.Abs() < clock.skew.Abs()) {
			clock = a
		}
	}
	switch {
	case clock == nil:
		d.report(note, "clock", "no answer held a time to compare it with")
	case clock.skew.Abs() > maxSkew:
		d.report(failed, "clock", "it is wrong by %s: synchronize it (NTP)", clock.skew.Round(time.Second))
	default:
		d.report(passed, "clock", "it is correct")
	}
}

// reach requests the list of models of a provider. The request names the gateway, so that it refuses what comes back.
func reach(ctx context.Context, p *provider.Provider, instance string) probe {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.BaseURL+"/models", nil)
	if err != nil {
		return probe{err: err}
	}
	if p.Elsewhere() {
		req.Header.Set(provider.ViaHeader, instance)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return probe{err: err}
	}
	defer resp.Body.Close()
	answer := probe{}
	if p.Elsewhere() && resp.StatusCode == fault.LoopDetected.Status() {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxProbe))
		answer.self = bytes.Contains(text, []byte(fault.LoopDetected))
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		answer.at, answer.skew = at, time.Since(at)
	}
	return answer
}

// maxProbe bounds how much of a provider's answer is read, in bytes.
const maxProbe = 4 << 10
