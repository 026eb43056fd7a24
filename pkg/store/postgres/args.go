package postgres

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/alicetears/llm-gateway/pkg/store/internal/value"
)

// args are the encoded arguments of one statement: all binary, each with the type of
// its Go value, so that both modes let the server resolve the same operators. The
// memory is reused by the next statement.
type args struct {
	values [][]byte
	oids   []uint32
	buf    []byte
}

// Object ids of the types that statements use; they are the same in every PostgreSQL (src/include/catalog/pg_type.dat).
const (
	boolOID    = 16
	byteaOID   = 17
	nameOID    = 19
	int8OID    = 20
	int2OID    = 21
	int4OID    = 23
	textOID    = 25
	float8OID  = 701
	unknownOID = 705
	varcharOID = 1043
)

// binaryFormat asks for binary (1) everywhere: as the only element, it holds for all
// parameters or columns.
var binaryFormat = []int16{1}

// encode writes vals; inferred holds the types that the server chose when the
// statement was prepared, if it was.
func (a *args) encode(vals []any, inferred []uint32) error {
	a.values, a.oids, a.buf = a.values[:0], a.oids[:0], a.buf[:0]
	if inferred != nil && len(inferred) != len(vals) {
		return fmt.Errorf("the statement takes %d arguments, not %d", len(inferred), len(vals))
	}
	for i, arg := range vals {
		v, err := value.Of(arg)
		if err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		oid := oidOf(v)
		if inferred != nil {
			// Differs only if an untyped nil came first, when the statement was prepared.
			oid = inferred[i]
		}
		if err := a.append(v, oid); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

func oidOf(v value.Value) uint32 {
	kind := v.Kind
	if kind == value.Null {
		kind = v.Typed
	}
	switch kind {
	case value.Int:
		return int8OID
	case value.Float:
		return float8OID
	case value.Bool:
		return boolOID
	case value.Text:
		return textOID
	case value.Bytes:
		return byteaOID
	}
	return 0 // a plain nil: the server infers the type
}

func (a *args) append(v value.Value, oid uint32) error {
	a.oids = append(a.oids, oid)
	start := len(a.buf)
	switch {
	case v.Kind == value.Null:
		a.values = append(a.values, nil)
		return nil
	case v.Kind == value.Int && oid == int8OID:
		a.buf = binary.BigEndian.AppendUint64(a.buf, uint64(v.I))
	case v.Kind == value.Int && oid == int4OID && v.I == int64(int32(v.I)):
		a.buf = binary.BigEndian.AppendUint32(a.buf, uint32(v.I))
	case v.Kind == value.Int && oid == int2OID && v.I == int64(int16(v.I)):
		a.buf = binary.BigEndian.AppendUint16(a.buf, uint16(v.I))
	case v.Kind == value.Float && oid == float8OID:
		a.buf = binary.BigEndian.AppendUint64(a.buf, math.Float64bits(v.F))
	case v.Kind == value.Bool && oid == boolOID:
		a.buf = append(a.buf, byte(v.I))
	case v.Kind == value.Text && (oid == textOID || oid == varcharOID):
		// Not through buf: a long one would be copied twice.
		a.values = append(a.values, []byte(v.S))
		return nil
	case v.Kind == value.Bytes && oid == byteaOID:
		a.values = append(a.values, v.B)
		return nil
	default:
		return fmt.Errorf("cannot pass %s for a parameter of type %d", v.Kind, oid)
	}
	a.values = append(a.values, a.buf[start:len(a.buf):len(a.buf)])
	return nil
}
