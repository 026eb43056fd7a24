package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/internal/value"
)

// results keeps the rows of a run, in three flat slices, until the transaction has committed.
type results struct {
	data    []byte  // the values of all rows, one after another
	ends    []int32 // for each value where it ends in data, or -1 for null
	oids    []uint32
	of      []resultOf
	scratch args
}

// resultOf is the result of one statement.
type resultOf struct {
	rows, cols         int
	firstEnd, firstOID int
	affected           int64
}

var resultsPool = sync.Pool{New: func() any { return new(results) }}

// maxPooled is the memory that a results may keep between runs.
const maxPooled = 1 << 20

func (r *results) reset() {
	r.data, r.ends, r.oids, r.of = r.data[:0], r.ends[:0], r.oids[:0], r.of[:0]
}

func (r *results) free() {
	if cap(r.data) <= maxPooled && cap(r.ends)*4 <= maxPooled {
		clear(r.scratch.values[:cap(r.scratch.values)])
		resultsPool.Put(r)
	}
}

// read takes all rows of one statement, or drops them if nobody wants them.
func (r *results) read(rr *pgconn.ResultReader, wanted bool) error {
	of := resultOf{firstEnd: len(r.ends), firstOID: len(r.oids)}
	for rr.NextRow() {
		if !wanted {
			continue
		}
		if of.rows == 0 {
			for _, f := range rr.FieldDescriptions() {
				r.oids = append(r.oids, f.DataTypeOID)
			}
			of.cols = len(r.oids) - of.firstOID
		}
		of.rows++
		for _, v := range rr.Values() {
			if v == nil {
				r.ends = append(r.ends, -1)
				continue
			}
			r.data = append(r.data, v...)
			r.ends = append(r.ends, int32(len(r.data)))
		}
		if len(r.data) > maxResult {
			rr.Close()
			return fmt.Errorf("the result is larger than %d bytes", maxResult)
		}
	}
	tag, err := rr.Close()
	of.affected = tag.RowsAffected()
	r.of = append(r.of, of)
	return err
}

// maxResult bounds what one run may return.
const maxResult = 1 << 30

// deliver hands the rows to the statements' Each. skip is the number of the leading
// results that belong to none of them.
func (r *results) deliver(stmts []store.Stmt, skip int) error {
	at := int32(0)
	row := rowOf{r: r}
	for i := range stmts {
		of := r.of[skip+i]
		if stmts[i].Affected != nil {
			*stmts[i].Affected = of.affected
		}
		if stmts[i].Each == nil {
			continue
		}
		row.oids = r.oids[of.firstOID : of.firstOID+of.cols]
		for n := range of.rows {
			first := of.firstEnd + n*of.cols
			row.ends, row.start = r.ends[first:first+of.cols], at
			for _, end := range row.ends {
				at = max(at, end)
			}
			if err := stmts[i].Each(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowOf is a store.Row of a results.
type rowOf struct {
	r     *results
	oids  []uint32
	ends  []int32
	start int32
}

func (row *rowOf) Scan(dest ...any) error {
	if len(dest) != len(row.ends) {
		return fmt.Errorf("scan: the row has %d columns, not %d", len(row.ends), len(dest))
	}
	at := row.start
	for i, end := range row.ends {
		var v value.Value
		if end >= 0 {
			var err error
			if v, err = decode(row.oids[i], row.r.data[at:end:end]); err != nil {
				return fmt.Errorf("scan: column %d: %w", i+1, err)
			}
			at = end
		}
		if err := v.Store(dest[i]); err != nil {
			return fmt.Errorf("scan: column %d: %w", i+1, err)
		}
	}
	return nil
}

// decode reads one value in PostgreSQL's binary format.
func decode(oid uint32, b []byte) (value.Value, error) {
	size := sizeOf(oid)
	if size >= 0 && len(b) != size {
		return value.Value{}, fmt.Errorf("%d bytes for type %d", len(b), oid)
	}
	switch oid {
	case int8OID:
		return value.Value{Kind: value.Int, I: int64(binary.BigEndian.Uint64(b))}, nil
	case int4OID:
		return value.Value{Kind: value.Int, I: int64(int32(binary.BigEndian.Uint32(b)))}, nil
	case int2OID:
		return value.Value{Kind: value.Int, I: int64(int16(binary.BigEndian.Uint16(b)))}, nil
	case boolOID:
		return value.Value{Kind: value.Bool, I: int64(b[0])}, nil
	case float8OID:
		return value.Value{Kind: value.Float, F: math.Float64frombits(binary.BigEndian.Uint64(b))}, nil
	case textOID, varcharOID, nameOID, unknownOID:
		return value.Value{Kind: value.Text, B: b}, nil
	case byteaOID:
		return value.Value{Kind: value.Bytes, B: b}, nil
	}
	return value.Value{}, fmt.Errorf("type %d is not supported: cast it", oid)
}

// sizeOf is the length of a type's binary form, or -1 if it varies.
func sizeOf(oid uint32) int {
	switch oid {
	case int8OID, float8OID:
		return 8
	case int4OID:
		return 4
	case int2OID:
		return 2
	case boolOID:
		return 1
	}
	return -1
}
