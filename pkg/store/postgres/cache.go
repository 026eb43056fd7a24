package postgres

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/jackc/pgx/v5/pgconn"
)

// cache holds the named statements of one connection.
type cache map[string]*statement

type statement struct {
	name        string
	oids        []uint32                     // as they were asked for, 0 where the server infers the type
	description *pgconn.StatementDescription // nil until the server has prepared it
}

// maxStatements bounds what a connection keeps prepared; the SQL of this
// program is a fixed set and some of it is composed from a few parts.
const maxStatements = 256

// cacheOf returns the connection's cache, or nil if statements are unnamed.
func cacheOf(pg *pgconn.PgConn, named bool) cache {
	if !named {
		return nil
	}
	const key = "statements"
	c, ok := pg.CustomData()[key].(cache)
	if !ok {
		c = cache{}
		pg.CustomData()[key] = c
	}
	return c
}

// get returns the statement, or nil if there is no room for it.
func (c cache) get(sql string) *statement {
	st := c[sql]
	if st == nil && len(c) < maxStatements {
		st = &statement{}
		c[sql] = st
	}
	return st
}

// identify names the statement after its text and types: should a pooler ever hand us a
// connection on which others prepared theirs, the same name is the same statement.
func (st *statement) identify(sql string, oids []uint32) {
	h := sha256.New()
	for _, oid := range oids {
		binary.Write(h, binary.BigEndian, oid)
	}
	h.Write([]byte(sql))
	st.name = "llmgw_" + hex.EncodeToString(h.Sum(nil)[:12])
	st.oids = append(st.oids[:0], oids...)
}

// describe notes that the server has prepared the statement. The driver leaves the
// name out when it prepares in a pipeline, and would execute the unnamed one.
func (st *statement) describe(d *pgconn.StatementDescription) {
	d.Name = st.name
	st.description = d
}
