package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	llmgateway "github.com/alicetears/llm-gateway"
	"github.com/alicetears/llm-gateway/internal/mount"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// serve answers until ctx ends, then lets the running answers finish.
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
		t.printf("LLM Gateway %s is ready on %s\n  data  %s\n", versionText(), s.url, in.where())
		if in.app.Redis != nil {
			t.printf("  throttles are kept in Redis\n")
		}
		go newSetup(in).run(ctx, t, s.url)
		ctx, cancel := context.WithCancel(ctx)
		worked := in.workBeside(ctx, *withWorker)
		defer func() {
			cancel()
			<-worked
		}()
		return s.run(ctx)
	})
}

// service is an installation that listens.
type service struct {
	*installation
	listener net.Listener
	http     *http.Server
	// url is kept from before the server runs: net/http gives a server that runs a TLSConfig, whether it uses TLS or not.
	url string
	// cut ends the requests that are still running.
	cut context.CancelCauseFunc
}

func (in *installation) listen() (*service, error) {
	site, err := newSite(llmgateway.Public, mount.API())
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(in.cfg.Host, strconv.Itoa(in.cfg.Port))
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("something else listens on %s already: end it, or set PORT to another port (0 picks a free one)", address)
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
	server.Install(in.app)
	s := &service{installation: in, listener: listener, url: localURL(listener.Addr().(*net.TCPAddr), secure != nil)}
	s.http = server.NewHTTPServer(in.cfg.Limits, site, in.log)
	s.http.TLSConfig = secure
	var base context.Context
	base, s.cut = context.WithCancelCause(context.Background())
	s.http.BaseContext = func(net.Listener) context.Context { return base }
	return s, nil
}

// localURL is where a browser on this machine finds what listens there.
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

// lastWords is how long requests that are cut off may take to say so and to settle.
const lastWords = 10 * time.Second

// run serves until ctx ends. Then nothing new is accepted, and running answers have the time
// that SHUTDOWN_TIMEOUT gives; what still runs after it ends with an error and is settled.
func (s *service) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.accept() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.log.Info("stopping", "runningAnswersHave", s.cfg.Limits.Shutdown.String())
	patience, cancel := context.WithTimeout(context.Background(), s.cfg.Limits.Shutdown)
	defer cancel()
	if s.http.Shutdown(patience) == nil {
		return nil
	}
	s.cut(gateway.ErrStopping)
	s.app.Jobs.Stop()
	final, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if s.http.Shutdown(final) == nil {
		return nil
	}
	s.log.Warn("some connections did not end by themselves and were cut")
	return s.http.Close()
}

func (s *service) accept() error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}
