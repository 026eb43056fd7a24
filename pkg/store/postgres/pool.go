package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// pool holds the connections. It differs from pgxpool in what matters when a database is in trouble: who waits gets
// whichever connection is free first, also while another one is being opened; a failure to open one more is no error as
// long as there are others; background runs leave half of the connections to the rest; and the pool can be renewed,
// which forgets all connections at once, also those in use.
type pool struct {
	config        *pgconn.Config
	max           int
	maxBackground int
	lifetime      time.Duration
	idleTime      time.Duration
	openTime      time.Duration // for opening one connection, all hosts included

	mu         sync.Mutex
	generation int
	idle       []*conn // those of the current generation, the one that was used last at the end
	open       int     // connections of the current generation, in use or idle
	opening    int     // of the current generation
	background int     // connections of the current generation in use by background runs
	waiters    []*waiter
	pausedTo   time.Time // no connection is opened before
	lastError  error     // of opening, since the last success
	sweeping   bool
	closed     bool
	inUse      int // of all generations
	unused     *sync.Cond
}

// conn is a connection of a pool.
type conn struct {
	pg         *pgconn.PgConn
	generation int
	background bool
	opened     time.Time
	since      time.Time // idle since
}

type waiter struct {
	background bool
	ready      chan acquired // has room for one
}

type acquired struct {
	conn *conn
	err  error
}

const (
	// retryOpening is the pause after a failure to open a connection that is not needed, or that a server at its limit
	// of connections refuses.
	retryOpening = 250 * time.Millisecond
	closeTimeout = time.Second
)

var errClosed = &store.Error{Code: store.CodeUnavailable, Err: errors.New("the database is closed")}

func newPool(config *pgconn.Config, maxConns int, lifetime, idleTime time.Duration) *pool {
	p := &pool{
		config: config, max: maxConns, maxBackground: max(1, maxConns/2), lifetime: lifetime, idleTime: idleTime,
		openTime: config.ConnectTimeout * time.Duration(1+len(config.Fallbacks)),
	}
	p.unused = sync.NewCond(&p.mu)
	return p
}

// acquire waits for a connection. Its error is that of opening one if that is why there is none.
func (p *pool) acquire(ctx context.Context) (*conn, error) {
	background := store.IsBackground(ctx)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if len(p.waiters) == 0 && (!background || p.background < p.maxBackground) {
		if c := p.takeIdle(); c != nil {
			p.use(c, background)
			p.mu.Unlock()
			return c, nil
		}
	}
	w := &waiter{background: background, ready: make(chan acquired, 1)}
	p.waiters = append(p.waiters, w)
	p.dispatch()
	p.mu.Unlock()
	select {
	case got := <-w.ready:
		return got.conn, got.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		if p.lastError != nil {
			return nil, p.lastError
		}
		return nil, ctx.Err()
	}
	if got := <-w.ready; got.conn != nil { // given at the same moment
		p.put(got.conn)
	}
	return nil, ctx.Err()
}

// dispatch gives idle connections to those who wait, in their order, and opens as many as are still missing. The caller
// holds the lock, as for all methods below that do not take it.
func (p *pool) dispatch() {
	missing, background := 0, p.background
	for i := 0; i < len(p.waiters); {
		w := p.waiters[i]
		if w.background && background >= p.maxBackground {
			i++
			continue
		}
		if w.background {
			background++
		}
		c := p.takeIdle()
		if c == nil {
			missing++
			i++
			continue
		}
		p.waiters = slices.Delete(p.waiters, i, i+1)
		p.hand(w, c)
	}
	if time.Now().Before(p.pausedTo) {
		return // a timer calls dispatch again
	}
	if p.lastError != nil {
		// At the limit of a role, PostgreSQL refuses all of several that come at once, also those for which there is room.
		missing = min(missing, 1)
	}
	for p.opening < missing && p.open+p.opening < p.max {
		p.opening++
		generation := p.generation
		contain.Go(nil, "opening a connection", func() { p.openOne(generation) })
	}
}

func (p *pool) hand(w *waiter, c *conn) {
	p.use(c, w.background)
	w.ready <- acquired{conn: c}
}

func (p *pool) use(c *conn, background bool) {
	c.background = background
	if background {
		p.background++
	}
	p.inUse++
}

func (p *pool) takeIdle() *conn {
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !p.expired(c) && alive(c.pg.Conn()) {
			return c
		}
		p.open--
		closeLater(c.pg)
	}
	return nil
}

func (p *pool) expired(c *conn) bool {
	return p.lifetime > 0 && time.Since(c.opened) > p.lifetime
}

func (p *pool) openOne(generation int) {
	ctx, cancel := context.WithTimeout(context.Background(), p.openTime)
	defer cancel()
	pg, err := pgconn.ConnectConfig(ctx, p.config.Copy())
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || generation != p.generation {
		if err == nil {
			closeLater(pg)
		}
		return
	}
	p.opening--
	if err != nil {
		p.notOpened(err)
		return
	}
	now := time.Now()
	p.open++
	p.lastError, p.pausedTo = nil, time.Time{}
	p.idle = append(p.idle, &conn{pg: pg, generation: generation, opened: now, since: now})
	p.dispatch()
	p.sweepLater()
}

// notOpened ends the waiting if there is nothing to wait for.
func (p *pool) notOpened(err error) {
	p.lastError = err
	if p.open > 0 || atCapacity(err) {
		p.pausedTo = time.Now().Add(retryOpening)
		time.AfterFunc(retryOpening, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.dispatch()
		})
		return
	}
	if p.opening > 0 {
		return
	}
	for _, w := range p.waiters {
		w.ready <- acquired{err: err}
	}
	p.waiters = nil
}

// atCapacity says that the server or a pooler before it answers and has no room, or is about to be ready. Supavisor says
// XX000 (2026-11).
func atCapacity(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (codeOf(pg.Code) == store.CodeUnavailable || pg.Code == "XX000")
}

// release takes a connection back.
func (p *pool) release(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(c)
}

func (p *pool) put(c *conn) {
	if p.inUse--; p.inUse == 0 {
		p.unused.Broadcast()
	}
	current := c.generation == p.generation
	if current && c.background {
		p.background--
	}
	if !current || p.closed || c.pg.IsClosed() || c.pg.IsBusy() || c.pg.TxStatus() != 'I' || p.expired(c) {
		closeLater(c.pg)
		if !current {
			return
		}
		if p.open--; p.open == 0 {
			p.pausedTo = time.Time{}
		}
		p.dispatch()
		return
	}
	c.since = time.Now()
	p.idle = append(p.idle, c)
	p.dispatch()
	p.sweepLater()
}

// renew forgets all connections: those that are idle are closed, those in use when they are released.
func (p *pool) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	for _, c := range p.idle {
		closeLater(c.pg)
	}
	p.idle, p.open, p.opening, p.background, p.pausedTo = nil, 0, 0, 0, time.Time{}
	p.dispatch()
}

// dropIdle closes the connections that are idle.
func (p *pool) dropIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		closeConn(c.pg)
	}
	p.open -= len(p.idle)
	p.idle = nil
}

// empty reports whether there is no open connection.
func (p *pool) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open == 0
}

// sweepLater closes connections that stay idle. The timer runs only while there are some.
func (p *pool) sweepLater() {
	if p.sweeping || p.closed || len(p.idle) == 0 || p.idleTime <= 0 {
		return
	}
	p.sweeping = true
	time.AfterFunc(time.Until(p.idle[0].since.Add(p.idleTime)), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sweeping = false
		for len(p.idle) > 0 && time.Since(p.idle[0].since) >= p.idleTime {
			closeLater(p.idle[0].pg)
			p.idle = slices.Delete(p.idle, 0, 1)
			p.open--
		}
		p.sweepLater()
	})
}

// close waits for the connections in use and closes all.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.waiters {
		w.ready <- acquired{err: errClosed}
	}
	p.waiters = nil
	for _, c := range p.idle {
		closeConn(c.pg)
	}
	p.idle = nil
	for p.inUse > 0 {
		p.unused.Wait()
	}
}

func closeLater(pg *pgconn.PgConn) {
	contain.Go(nil, "closing a connection", func() { closeConn(pg) })
}

// closeConn tells the server, which would otherwise log the loss of the connection.
func closeConn(pg *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	pg.Close(ctx)
}
