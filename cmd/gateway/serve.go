package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	llmgateway "github.com/alicetears/llm-gateway"
	"github.com/alicetears/llm-gateway/internal/mount"
	"github.com/alicetears/llm-gateway/internal/version"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// serve serves until ctx ends, and then lets running answers finish.
func serve(ctx context.Context, t *terminal, args []string) error {
	flags, withWorker := serveFlags()
	if _, err := parse(flags, args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		s, err := in.listen()
		if err != nil {
			return err
		}
		t.printf("LLM Gateway %s is ready on %s\n  data  %s\n", version.String(), s.url, in.where())
		if in.app.Redis != nil {
			t.printf("  throttles are kept in Redis\n")
		}
		stopMetrics, err := in.serveMetrics(t)
		if err != nil {
			return errors.Join(err, s.listener.Close())
		}
		defer stopMetrics()
		for _, p := range callsItself(ctx, in.app.Providers.All(), s.port()) {
			t.printf("  warning: %s\n", ownAddressProblem(p))
		}
		if in.cfg.Database.Kind == config.SQLite {
			if warning := looseWarning(filepath.Dir(in.cfg.Database.Path)); warning != "" {
				t.printf("  warning: %s\n", warning)
			}
		}
		first := newSetup(in)
		go first.run(ctx, t, s.url)
		ctx, cancel := context.WithCancel(ctx)
		restored := in.restore(ctx)
		workerDone := in.startWorker(ctx, *withWorker)
		defer func() {
			cancel()
			<-workerDone
			<-restored
		}()
		return s.run(ctx)
	})
}

// service is an installation that listens.
type service struct {
	*installation
	listener net.Listener
	http     *http.Server
	// url is determined before the server runs: net/http sets TLSConfig when a server starts, also without TLS.
	url string
	// cancel ends the requests that are still running.
	cancel context.CancelCauseFunc
}

func (in *installation) listen() (*service, error) {
	site, err := newSite(in.cfg, llmgateway.Public, mount.API())
	if err != nil {
		return nil, err
	}
	if in.cfg.Metrics.Token != "" { // else they are for those who reach METRICS_ADDRESS
		site.metrics = in.metrics
	}
	address := net.JoinHostPort(in.cfg.Host, strconv.Itoa(in.cfg.Port))
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program listens on %s already: "+
			"end it, or set PORT to another port (0 picks a free one)", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("the system does not allow listening on %s: set PORT to one above 1023", address)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s (HOST and PORT): %w", address, err)
	}
	var secure *tls.Config
	if in.cfg.TLS.Cert != "" {
		cert, err := newCertificate(in.cfg.TLS, in.log)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		secure = cert.config()
	}
	in.app.Guard.Listens(listener.Addr())
	server.Install(in.app)
	s := &service{installation: in, listener: listener, url: localURL(listener.Addr().(*net.TCPAddr), secure != nil)}
	s.http = server.NewHTTPServer(in.cfg.Limits, site, in.log)
	s.http.TLSConfig = secure
	var base context.Context
	base, s.cancel = context.WithCancelCause(context.Background())
	s.http.BaseContext = func(net.Listener) context.Context { return base }
	return s, nil
}

// port returns the port on which the service listens.
func (s *service) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// localURL returns the URL under which a browser on this machine reaches addr.
func localURL(addr *net.TCPAddr, secure bool) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// settleTimeout is the time that cancelled requests have to send an error and to settle.
const settleTimeout = 10 * time.Second

// run serves until ctx ends. Then it accepts no new requests, and running answers may go on for SHUTDOWN_TIMEOUT. After
// that they end with an error and are settled.
func (s *service) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.accept() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.log.Info("stopping", "shutdownTimeout", s.cfg.Limits.Shutdown.String())
	graceful, cancel := context.WithTimeout(context.Background(), s.cfg.Limits.Shutdown)
	defer cancel()
	if s.http.Shutdown(graceful) == nil {
		return nil
	}
	s.cancel(gateway.ErrStopping)
	s.app.Jobs.Stop()
	settling, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if s.http.Shutdown(settling) == nil {
		return nil
	}
	s.log.Warn("some connections did not end in time and were closed")
	return s.http.Close()
}

func (s *service) accept() error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}
