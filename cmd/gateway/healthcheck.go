package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
)

const healthTimeout = 5 * time.Second

// healthcheck requests the health of the gateway that runs with the same settings. It is for containers, which have no
// shell and no curl.
func healthcheck(ctx context.Context, t *terminal, args []string) error {
	flags := noFlags("healthcheck")
	ready := flags.Bool("ready", false, "")
	database := flags.Bool("database", false, "")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if *database {
		return with(ctx, t, func(ctx context.Context, in *installation) error { return in.db.Ping(ctx) })
	}
	cfg, err := configure(t)
	if err != nil {
		return err
	}
	path := "/health/live"
	if *ready {
		path = "/health/ready"
	}
	return requestHealth(ctx, cfg, path)
}

func requestHealth(ctx context.Context, cfg *config.Config, path string) error {
	base, err := ownURL(cfg)
	if err != nil {
		return err
	}
	url := base + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// The certificate is for the public name. The request carries no secret, so the server need not prove its identity.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, resp.StatusCode)
	}
	return nil
}

// ownURL returns the URL of the gateway that runs with these settings on this machine.
func ownURL(cfg *config.Config) (string, error) {
	if cfg.Port == 0 {
		return "", errors.New("PORT is 0, so the port of the gateway is not known: set it")
	}
	scheme := "http"
	if cfg.TLS.Cert != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(localHost(cfg.Host), strconv.Itoa(cfg.Port))), nil
}

// localHost returns the host at which this machine reaches a gateway that listens on host.
func localHost(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil || !addr.IsUnspecified():
		return host
	case addr.Is6():
		return "::1"
	}
	return "127.0.0.1"
}
