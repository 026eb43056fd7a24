package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/internal/value"
)

// conn is one connection with its prepared statements. One goroutine uses it at a time.
type conn struct {
	driver interface {
		driver.Conn
		driver.ConnPrepareContext
		driver.ExecerContext
	}
	stmts map[string]stmt
	args  []driver.NamedValue
}

// stmt is a prepared statement of the driver.
type stmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// maxStatements bounds what a connection keeps prepared; the SQL of this program is a
// fixed set and some of it is composed from a few parts.
const maxStatements = 256

func openConn(dsn string, readOnly bool) (*conn, error) {
	if readOnly {
		dsn += "&_pragma=query_only(1)"
	}
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	d, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	c := &conn{stmts: map[string]stmt{}}
	var ok bool
	if c.driver, ok = d.(interface {
		driver.Conn
		driver.ConnPrepareContext
		driver.ExecerContext
	}); !ok {
		d.Close()
		return nil, errors.New("sqlite driver without contexts")
	}
	return c, nil
}

func (c *conn) close() {
	if c == nil {
		return
	}
	for _, s := range c.stmts {
		s.Close()
	}
	c.driver.Close()
}

// exec runs a fixed statement without arguments or rows.
func (c *conn) exec(sql string) error {
	s, _, err := c.prepare(sql)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), nil)
	return err
}

// script runs several statements that are used once.
func (c *conn) script(sql string) error {
	_, err := c.driver.ExecContext(context.Background(), sql, nil)
	return err
}

// prepare returns the statement, and whether the caller must close it because the cache is full.
func (c *conn) prepare(sql string) (s stmt, single bool, err error) {
	if s, ok := c.stmts[sql]; ok {
		return s, false, nil
	}
	d, err := c.driver.PrepareContext(context.Background(), sql)
	if err != nil {
		return nil, false, err
	}
	s, ok := d.(stmt)
	if !ok {
		d.Close()
		return nil, false, errors.New("sqlite driver without contexts")
	}
	if len(c.stmts) >= maxStatements {
		return s, true, nil
	}
	c.stmts[sql] = s
	return s, false, nil
}

// run executes one statement and keeps its rows in r.
func (c *conn) run(ctx context.Context, st *store.Stmt, r *results) error {
	s, single, err := c.prepare(st.SQL)
	if err != nil {
		return err
	}
	if single {
		defer s.Close()
	}
	if err := c.bind(st.Args); err != nil {
		return err
	}
	defer clear(c.args)
	if st.Each == nil {
		res, err := s.ExecContext(ctx, c.args)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		r.of = append(r.of, resultOf{affected: n})
		return err
	}
	rows, err := s.QueryContext(ctx, c.args)
	if err != nil {
		return err
	}
	err = r.read(rows)
	if closed := rows.Close(); err == nil {
		err = closed
	}
	return err
}

func (c *conn) bind(args []any) error {
	c.args = c.args[:0]
	for i, arg := range args {
		v, err := value.Of(arg)
		if err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: plain(v)})
	}
	return nil
}

func plain(v value.Value) driver.Value {
	switch v.Kind {
	case value.Int, value.Bool:
		return v.I
	case value.Float:
		return v.F
	case value.Text:
		return v.S
	case value.Bytes:
		return v.B
	}
	return nil
}

// results keeps the rows of a run until the transaction has committed.
type results struct {
	cells []driver.Value
	of    []resultOf
}

// resultOf is the result of one statement.
type resultOf struct {
	first, rows, cols int
	affected          int64
}

func (r *results) reset() {
	clear(r.cells)
	r.cells, r.of = r.cells[:0], r.of[:0]
}

func (r *results) read(rows driver.Rows) error {
	of := resultOf{first: len(r.cells), cols: len(rows.Columns())}
	for {
		n := len(r.cells)
		for range of.cols {
			r.cells = append(r.cells, nil)
		}
		if err := rows.Next(r.cells[n:]); err != nil {
			r.cells = r.cells[:n]
			of.affected = int64(of.rows)
			r.of = append(r.of, of)
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		of.rows++
	}
}

// deliver hands the rows to the statements' Each.
func (r *results) deliver(stmts []store.Stmt) error {
	var row rowOf
	for i := range stmts {
		of := r.of[i]
		if stmts[i].Affected != nil {
			*stmts[i].Affected = of.affected
		}
		if stmts[i].Each == nil {
			continue
		}
		for n := range of.rows {
			first := of.first + n*of.cols
			row.cells = r.cells[first : first+of.cols]
			if err := stmts[i].Each(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowOf is a store.Row of a results.
type rowOf struct{ cells []driver.Value }

func (row *rowOf) Scan(dest ...any) error {
	if len(dest) != len(row.cells) {
		return fmt.Errorf("scan: the row has %d columns, not %d", len(row.cells), len(dest))
	}
	for i, cell := range row.cells {
		var v value.Value
		switch c := cell.(type) {
		case nil:
		case int64:
			v = value.Value{Kind: value.Int, I: c}
		case float64:
			v = value.Value{Kind: value.Float, F: c}
		case string:
			v = value.Value{Kind: value.Text, S: c}
		case []byte:
			v = value.Value{Kind: value.Bytes, B: c}
		default:
			return fmt.Errorf("scan: column %d: %T is not supported", i+1, cell)
		}
		if err := v.Store(dest[i]); err != nil {
			return fmt.Errorf("scan: column %d: %w", i+1, err)
		}
	}
	return nil
}
