package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
)

// certificate is that of TLS_CERT_FILE, read again when the files have changed: what renews certificates
// need not stop the gateway. A pair that is no good leaves the former one in use.
type certificate struct {
	files config.TLS
	log   *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	seen    stamp     // of the files when they were read
	looked  time.Time // at the files
}

// stamp tells whether files were changed.
type stamp struct{ cert, key time.Time }

// lookAgain is how often the files are looked at, at most.
const lookAgain = 10 * time.Second

// newCertificate reads the files. The error names the variable to look at.
func newCertificate(files config.TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log, looked: time.Now()}
	var err error
	if c.seen, err = c.stamp(); err != nil {
		return nil, err
	}
	return c, c.load()
}

func (c *certificate) stamp() (s stamp, err error) {
	for _, f := range []struct {
		variable, path string
		at             *time.Time
	}{{"TLS_CERT_FILE", c.files.Cert, &s.cert}, {"TLS_KEY_FILE", c.files.Key, &s.key}} {
		info, err := os.Stat(f.path)
		if err != nil {
			return s, fmt.Errorf("%s cannot be read: %w", f.variable, err)
		}
		*f.at = info.ModTime()
	}
	return s, nil
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("TLS_CERT_FILE and TLS_KEY_FILE are no certificate with its key, in PEM: %w", err)
	}
	c.current = &pair
	return nil
}

// get is for tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookAgain {
		c.looked = now
		c.refresh()
	}
	return c.current, nil
}

func (c *certificate) refresh() {
	now, err := c.stamp()
	if err == nil && now == c.seen {
		return
	}
	if err == nil {
		err = c.load()
	}
	if err != nil {
		// Not remembered as seen: half a pair may have been written.
		c.log.Warn("the changed certificate cannot be used; the former one stays", "cause", err.Error())
		return
	}
	c.seen = now
	c.log.Info("the changed certificate is in use")
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}
