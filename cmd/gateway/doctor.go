package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// doctor looks at everything that the gateway needs, and says what to do about what is wrong. It fails
// if the gateway cannot work as it is configured.
func doctor(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("doctor"), args); err != nil {
		return err
	}
	d := &diagnosis{t: t}
	d.look(ctx)
	if d.failed > 0 {
		return fmt.Errorf("%d of %d checks failed", d.failed, d.checks)
	}
	t.printf("all is well\n")
	return nil
}

// finding is how a check ended.
type finding string

const (
	fine   finding = "ok  "
	note   finding = "note" // worth knowing, and no failure
	failed finding = "FAIL"
)

// diagnosis collects what the checks found.
type diagnosis struct {
	t              *terminal
	checks, failed int
}

func (d *diagnosis) say(f finding, what, format string, args ...any) {
	d.checks++
	if f == failed {
		d.failed++
	}
	d.t.printf("%s  %-13s %s\n", f, what, fmt.Sprintf(format, args...))
}

func (d *diagnosis) look(ctx context.Context) {
	cfg, err := configure(d.t)
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong):
		for _, p := range wrong.Problems {
			d.say(failed, "configuration", "%s", p)
		}
		return
	case err != nil:
		d.say(failed, "configuration", "%s", err)
		return
	}
	d.say(fine, "configuration", "every variable can be used")
	d.folder(cfg)
	if cfg.TLS.Cert != "" {
		d.certificate(cfg)
	}
	in, err := install(cfg)
	if err != nil {
		d.say(failed, "database", "%s", err)
		return
	}
	defer in.close()
	used := d.database(ctx, in)
	d.redis(ctx, in)
	d.providers(ctx, in.app.Providers.All(), used)
}

// folder tries whether SQLite could write.
func (d *diagnosis) folder(cfg *config.Config) {
	if cfg.Database.Kind != config.SQLite {
		return
	}
	dir := filepath.Dir(cfg.Database.Path)
	f, err := os.CreateTemp(dir, ".doctor-*")
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.say(note, "data folder", "%s does not exist yet; it is made now", dir)
	case err != nil:
		d.say(failed, "data folder", "%s cannot be written (%s): give it to the user that runs the gateway, or set DATA_DIR", dir, err)
	default:
		f.Close()
		os.Remove(f.Name())
		d.say(fine, "data folder", "%s can be written", dir)
	}
}

// certificateWarning is how long before its end a certificate is worth a word.
const certificateWarning = 14 * 24 * time.Hour

func (d *diagnosis) certificate(cfg *config.Config) {
	c, err := newCertificate(cfg.TLS, nil)
	if err != nil {
		d.say(failed, "certificate", "%s", err)
		return
	}
	end := c.current.Leaf.NotAfter
	switch left := time.Until(end); {
	case left <= 0:
		d.say(failed, "certificate", "it ended on %s: renew it", end.Format(time.DateOnly))
	case left < certificateWarning:
		d.say(note, "certificate", "it ends on %s: renew it soon", end.Format(time.DateOnly))
	default:
		d.say(fine, "certificate", "valid until %s", end.Format(time.DateOnly))
	}
}

const doctorTime = 10 * time.Second

// database returns the providers that somebody has keys of.
func (d *diagnosis) database(ctx context.Context, in *installation) (used map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	status, err := store.InstanceStatus(ctx, in.db)
	if err != nil {
		d.say(failed, "database", "%s does not serve (%s): check DATABASE_URL, that the server runs, and that this machine may connect", in.where(), err)
		return nil
	}
	begun := time.Now()
	if err := in.db.Ping(ctx); err != nil {
		d.say(failed, "database", "%s: %s", in.where(), err)
		return nil
	}
	d.say(fine, "database", "%s answers in %s", in.where(), time.Since(begun).Round(10*time.Microsecond))
	if !status.SetUp {
		d.say(note, "accounts", "there are none yet: open the link that the gateway prints at its start, or use \"gateway user create --admin EMAIL\"")
	}
	keys, unopened, err := in.countKeys(ctx)
	switch {
	case err != nil:
		d.say(failed, "provider keys", "%s", err)
	case unopened > 0:
		d.say(failed, "provider keys", "%d of %d cannot be opened: list the secret that sealed them in ENCRYPTION_KEY_PREVIOUS or JWT_SECRET_PREVIOUS, or enter them again", unopened, keys)
	case keys == 0:
		d.say(note, "provider keys", "there are none yet")
	default:
		d.say(fine, "provider keys", "%d, and the secret opens them all", keys)
	}
	inUse, err := store.ProvidersInUse(ctx, in.db)
	if err != nil {
		d.say(failed, "provider keys", "%s", err)
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
		d.say(failed, "Redis", "it does not answer: check REDIS_URL and that the server runs (the gateway serves without it, and keeps throttles in the database)")
		return
	}
	d.say(fine, "Redis", "it answers")
}

// reached is what asking a provider came to.
type reached struct {
	at   time.Time // its clock, zero if it told none
	skew time.Duration
	err  error
}

// maxSkew is how far the clock may be off: sessions and quotas go by it.
const maxSkew = 30 * time.Second

// providers asks each for its models, without a key: any answer will do.
func (d *diagnosis) providers(ctx context.Context, all []*provider.Provider, used map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	answers := make([]reached, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { answers[i] = ask(ctx, p.BaseURL+"/models") })
	}
	wg.Wait()
	var clock *reached
	for i, p := range all {
		a := &answers[i]
		switch {
		case a.err == nil:
			d.say(fine, p.ID, "it can be reached")
		case used[p.ID]:
			d.say(failed, p.ID, "it cannot be reached, and there are keys of it (%s): check the firewall, the proxy (HTTPS_PROXY) and the name server", a.err)
		default:
			d.say(note, p.ID, "it cannot be reached (%s); nobody has a key of it", a.err)
		}
		if clock == nil && a.err == nil && !a.at.IsZero() || clock != nil && !a.at.IsZero() && a.skew.Abs() < clock.skew.Abs() {
			clock = a
		}
	}
	switch {
	case clock == nil:
		d.say(note, "clock", "nobody told the time to compare it with")
	case clock.skew.Abs() > maxSkew:
		d.say(failed, "clock", "it is off by %s: let the system set it (NTP)", clock.skew.Round(time.Second))
	default:
		d.say(fine, "clock", "it is right")
	}
}

func ask(ctx context.Context, url string) reached {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return reached{err: err}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reached{err: err}
	}
	resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return reached{}
	}
	return reached{at: at, skew: time.Since(at)}
}
