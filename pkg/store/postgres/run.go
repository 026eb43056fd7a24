package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Run implements [store.Runner].
func (db *DB) Run(ctx context.Context, stmts ...store.Stmt) error {
	if len(stmts) == 0 {
		return nil
	}
	r := resultsPool.Get().(*results)
	defer r.free()
	var skip int
	err := db.retry(ctx, func(ctx context.Context, check bool) error {
		l := lead{check: check}
		if !store.IsUnbounded(ctx) {
			l.limits = &db.limits
		}
		skip = l.size()
		return db.once(ctx, l, stmts, r)
	})
	if err != nil {
		return err
	}
	return r.deliver(stmts, skip)
}

// once runs the statements on some connection of the pool.
func (db *DB) once(ctx context.Context, l lead, stmts []store.Stmt, r *results) error {
	c, err := db.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer db.pool.release(c)
	return send(ctx, c.pg, l, stmts, db.prepared.Load(), r)
}

// retry calls try, within the database's timeout, and again after failures that it can repair: a dead connection of the
// pool to which no byte was written, named statements behind a pooler, a schema that is missing or too old. In each case
// the database has rolled everything back, or has received nothing. As long as the schema is not known to be current,
// its check goes first, in the same trip.
func (db *DB) retry(ctx context.Context, try func(ctx context.Context, check bool) error) error {
	bounded, cancel := db.bound(ctx)
	defer func() { cancel() }()
	dead, unnamed, suspected, migrated := 0, false, false, false
	for {
		check, began := !db.current.Load(), time.Now()
		err := try(bounded, check)
		db.note(bounded, began, err)
		switch {
		case err == nil:
			db.current.Store(true)
			return nil
		case pgconn.SafeToRetry(err) && !isDial(err) && bounded.Err() == nil && dead <= db.maxConns:
			dead++
		case noRoom(err) && sleep(bounded, retryOpening):
		case !unnamed && db.namesLost(err):
			unnamed = true
		case !check && !suspected && missesSchema(err):
			// The database was emptied, or replaced by an older one, under this process.
			suspected = true
			db.current.Store(false)
		case check && !migrated && isOldSchema(err):
			migrated = true
			if err := db.bringUp(ctx); err != nil {
				return err
			}
			cancel()
			bounded, cancel = db.bound(ctx)
		default:
			return db.errorOf(ctx, bounded, err)
		}
	}
}

// noRoom says that a pooler could not open a connection to the server for a run, which therefore has not begun.
func noRoom(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == stateTooManyConnections && !isDial(err)
}

// sleep waits for d. It returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isDial says that no connection could be made: another try now would not fare better.
func isDial(err error) bool {
	var dial *pgconn.ConnectError
	return errors.As(err, &dial)
}

// namesLost gives named statements up for the process if err shows that they get lost:
// behind a pooler in transaction mode the next statement may run on another connection of the server.
func (db *DB) namesLost(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case stateDuplicatePrepared, stateNoPrepared, stateStaleColumns:
		// Also true when another goroutine just did the same.
		db.prepared.Store(false)
		return true
	}
	return false
}

// isOldSchema says that err may come from a schema that is missing or too old: the check itself
// failed, or (when statements are prepared ahead of it) a name is unknown, class 42.
func isOldSchema(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == stateDivisionByZero || strings.HasPrefix(pg.Code, "42"))
}

// missesSchema says that a table or a column that a statement names does not exist.
func missesSchema(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) &&
		(pg.Code == stateNoTable || pg.Code == stateNoColumn || pg.Code == stateNoSchema || pg.Code == stateDivisionByZero)
}

// lead is what stands before the statements of a run in its pipeline.
type lead struct {
	begin  bool        // open a transaction
	check  bool        // check the schema's version
	limits *store.Stmt // nil: none
}

// texts are the statements that are sent unnamed.
func (l lead) texts() []string {
	var texts []string
	if l.begin {
		texts = append(texts, "begin")
	}
	if l.check {
		texts = append(texts, checkVersion)
	}
	return texts
}

// size is the number of the lead's statements.
func (l lead) size() int {
	n := len(l.texts())
	if l.limits != nil {
		n++
	}
	return n
}

// send runs the lead and stmts in one pipeline with one sync, which is one
// transaction (the implicit one, unless a transaction is open), and keeps the rows in r.
func send(ctx context.Context, pg *pgconn.PgConn, l lead, stmts []store.Stmt, named bool, r *results) error {
	r.reset()
	p := pg.StartPipeline(ctx)
	q := queue{pipeline: p, cache: cacheOf(pg, named), args: &r.scratch}
	for _, sql := range l.texts() {
		p.SendQueryParams(sql, nil, nil, nil, binaryFormat)
		q.sent = append(q.sent, sentQuery)
	}
	err := q.addAll(l.limits, stmts)
	if err != nil {
		// Close drops the connection: what it has buffered cannot be taken back.
		p.Close()
		return &store.Error{Code: store.CodeOther, Err: err}
	}
	if err = p.Sync(); err == nil {
		err = q.receive(l.size(), stmts, r)
	}
	if closed := p.Close(); err == nil {
		err = closed
	}
	return err
}

// What was put into the pipeline, in order.
type sentKind uint8

const (
	sentQuery sentKind = iota
	sentPrepare
)

type queue struct {
	pipeline *pgconn.Pipeline
	cache    cache // nil: statements are unnamed
	args     *args
	sent     []sentKind
	prepared []*statement // those of sentPrepare, in order

	lastSQL  string // of the unnamed statement that the server holds by then
	lastOIDs []uint32
}

func (q *queue) addAll(limits *store.Stmt, stmts []store.Stmt) error {
	if limits != nil {
		if err := q.add(limits); err != nil {
			return err
		}
	}
	for i := range stmts {
		if err := q.add(&stmts[i]); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

func (q *queue) add(s *store.Stmt) error {
	var st *statement
	if q.cache != nil {
		st = q.cache.get(s.SQL)
	}
	if st != nil && st.description != nil {
		if err := q.args.encode(s.Args, st.description.ParamOIDs); err != nil {
			return err
		}
		q.pipeline.SendQueryStatement(st.description, q.args.values, binaryFormat, binaryFormat)
		q.sent = append(q.sent, sentQuery)
		return nil
	}
	if err := q.args.encode(s.Args, nil); err != nil {
		return err
	}
	switch {
	case st != nil && !slices.Contains(q.prepared, st):
		st.identify(s.SQL, q.args.oids)
		q.pipeline.SendPrepare(st.name, s.SQL, q.args.oids)
		q.sent = append(q.sent, sentPrepare)
		q.prepared = append(q.prepared, st)
		fallthrough
	case st != nil && slices.Equal(st.oids, q.args.oids):
		q.pipeline.SendQueryPrepared(st.name, q.args.values, binaryFormat, binaryFormat)
	case s.SQL == q.lastSQL && slices.Equal(q.lastOIDs, q.args.oids):
		// Parsed a moment ago: the unnamed statement lasts until the next parse.
		q.pipeline.SendQueryPrepared("", q.args.values, binaryFormat, binaryFormat)
	default:
		q.pipeline.SendQueryParams(s.SQL, q.args.values, q.args.oids, binaryFormat, binaryFormat)
		q.lastSQL, q.lastOIDs = s.SQL, append(q.lastOIDs[:0], q.args.oids...)
	}
	q.sent = append(q.sent, sentQuery)
	return nil
}

// receive reads all answers up to the sync's. The first skip are of no statement of stmts.
func (q *queue) receive(skip int, stmts []store.Stmt, r *results) error {
	prepares, queries := 0, 0
	for _, kind := range q.sent {
		got, err := q.pipeline.GetResults()
		if err != nil {
			return err
		}
		switch kind {
		case sentPrepare:
			q.prepared[prepares].describe(got.(*pgconn.StatementDescription))
			prepares++
		case sentQuery:
			at := queries - skip
			queries++
			if err := r.read(got.(*pgconn.ResultReader), at >= 0 && stmts[at].Each != nil); err != nil {
				return err
			}
		}
	}
	// The sync's answer: the transaction has committed, or this is why it could not.
	_, err := q.pipeline.GetResults()
	return err
}
