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

// certificate is the pair of TLS_CERT_FILE and TLS_KEY_FILE. It is reloaded when the files change, so that renewing a
// certificate needs no restart. If the new pair is invalid, the previous one stays in use.
type certificate struct {
	files config.TLS
	log   *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	loaded  modTimes  // of the files that current was loaded from
	checked time.Time // when the files were last checked
}

// modTimes are the modification times of the files.
type modTimes struct{ cert, key time.Time }

// certificateCheckInterval is the minimum time between two checks of the files.
const certificateCheckInterval = 10 * time.Second

// newCertificate reads the files. The error names the variable to correct.
func newCertificate(files config.TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log, checked: time.Now()}
	var err error
	if c.loaded, err = c.modTimes(); err != nil {
		return nil, err
	}
	return c, c.load()
}

func (c *certificate) modTimes() (m modTimes, err error) {
	for _, f := range []struct {
		variable, path string
		at             *time.Time
	}{{"TLS_CERT_FILE", c.files.Cert, &m.cert}, {"TLS_KEY_FILE", c.files.Key, &m.key}} {
		info, err := os.Stat(f.path)
		if err != nil {
			return m, fmt.Errorf("%s cannot be read: %w", f.variable, err)
		}
		*f.at = info.ModTime()
	}
	return m, nil
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("TLS_CERT_FILE and TLS_KEY_FILE are not a certificate and its private key in PEM: %w", err)
	}
	c.current = &pair
	return nil
}

// get implements tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheckInterval {
		c.checked = now
		c.refresh()
	}
	return c.current, nil
}

func (c *certificate) refresh() {
	found, err := c.modTimes()
	if err == nil && found == c.loaded {
		return
	}
	if err == nil {
		err = c.load()
	}
	if err != nil {
		// c.loaded stays, so that the files are read again: only one of the two may have been written.
		c.log.Warn("the changed certificate is not valid; the previous one stays in use", "cause", err.Error())
		return
	}
	c.loaded = found
	c.log.Info("the changed certificate is in use")
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}
