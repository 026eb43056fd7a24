package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	skip, err := db.retry(ctx, func(opening []string) error {
		return db.once(ctx, opening, stmts, r)
	})
	if err != nil {
		return mapError(ctx, err)
	}
	return r.deliver(stmts, skip)
}

// once runs the statements on some connection of the pool.
func (db *DB) once(ctx context.Context, opening []string, stmts []store.Stmt, r *results) error {
	c, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	return send(ctx, c.Conn().PgConn(), opening, stmts, db.prepared.Load(), r)
}

// retry calls try again after failures that it can repair: a dead connection of the pool to which no byte
// was written, named statements behind a pooler, a schema that is missing or too old. In each case the
// database has rolled everything back, or has received nothing. As long as the schema is not known to be
// current, its check goes first, in the same trip; skip is the number of such statements in the last try.
func (db *DB) retry(ctx context.Context, try func(opening []string) error) (skip int, err error) {
	var opening []string
	dead, unnamed, migrated := 0, false, false
	for {
		opening = opening[:0]
		if !db.current.Load() {
			opening = append(opening, checkVersion)
		}
		err = try(opening)
		switch {
		case err == nil:
			db.current.Store(true)
			return len(opening), nil
		case pgconn.SafeToRetry(err) && !isDial(err) && ctx.Err() == nil && dead <= db.maxConns:
			dead++
		case !unnamed && db.namesLost(err):
			unnamed = true
		case len(opening) > 0 && !migrated && isOldSchema(err):
			migrated = true
			if err := db.bringUp(ctx); err != nil {
				return 0, err
			}
		default:
			return 0, err
		}
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

// send runs the opening statements and stmts in one pipeline with one sync, which is one
// transaction (the implicit one, unless a transaction is open), and keeps the rows in r.
func send(ctx context.Context, pg *pgconn.PgConn, opening []string, stmts []store.Stmt, named bool, r *results) error {
	r.reset()
	p := pg.StartPipeline(ctx)
	q := queue{pipeline: p, cache: cacheOf(pg, named), args: &r.scratch}
	for _, sql := range opening {
		p.SendQueryParams(sql, nil, nil, nil, binaryFormat)
		q.sent = append(q.sent, sentQuery)
	}
	for i := range stmts {
		if err := q.add(&stmts[i]); err != nil {
			// Close drops the connection: what it has buffered cannot be taken back.
			p.Close()
			return &store.Error{Code: store.CodeOther, Err: fmt.Errorf("statement %d: %w", i+1, err)}
		}
	}
	err := p.Sync()
	if err == nil {
		err = q.receive(opening, stmts, r)
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

// receive reads all answers up to the sync's.
func (q *queue) receive(opening []string, stmts []store.Stmt, r *results) error {
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
			at := queries - len(opening)
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
