// Package value converts between Go and the column types that both database
// engines have: integer, float, boolean, text, bytes and null.
package value

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Kind is the type of a Value.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Int
	Float
	Bool
	Text
	Bytes
)

func (k Kind) String() string {
	return [...]string{"null", "integer", "float", "boolean", "text", "bytes"}[k]
}

// Value is one argument or one column of a row. It is passed by value so that the
// request path allocates nothing for it.
type Value struct {
	Kind Kind
	I    int64 // Int; Bool: 0 or 1
	F    float64
	S    string // Text
	B    []byte // Bytes, or Text where S is empty; borrowed
	// Typed is the kind that a null has all the same, because it came as a nil pointer.
	Typed Kind
}

var errText = errors.New("text that is not UTF-8 or holds a NUL")

// Of is the value of a statement's argument. Its error names the type, never the value.
func Of(arg any) (Value, error) {
	switch a := arg.(type) {
	case nil:
		return Value{}, nil
	case []byte:
		if a == nil {
			return Value{Typed: Bytes}, nil
		}
		return Value{Kind: Bytes, B: a}, nil
	case string:
		// PostgreSQL keeps neither; SQLite would.
		if !utf8.ValidString(a) || strings.IndexByte(a, 0) >= 0 {
			return Value{}, errText
		}
		return Value{Kind: Text, S: a}, nil
	case int64:
		return Value{Kind: Int, I: a}, nil
	case int:
		return Value{Kind: Int, I: int64(a)}, nil
	case bool:
		return ofBool(a), nil
	case float64:
		return Value{Kind: Float, F: a}, nil
	case store.ID:
		if a.IsZero() {
			return Value{Typed: Bytes}, nil
		}
		return Value{Kind: Bytes, B: a[:]}, nil
	}
	return ofPointer(arg)
}

func ofPointer(arg any) (Value, error) {
	switch a := arg.(type) {
	case *int64:
		return deref(a, Int)
	case *int:
		return deref(a, Int)
	case *string:
		return deref(a, Text)
	case *bool:
		return deref(a, Bool)
	case *float64:
		return deref(a, Float)
	case *[]byte:
		return deref(a, Bytes)
	case *store.ID:
		return deref(a, Bytes)
	}
	return Value{}, fmt.Errorf("cannot pass a %T", arg)
}

func deref[T any](p *T, kind Kind) (Value, error) {
	if p == nil {
		return Value{Typed: kind}, nil
	}
	return Of(*p)
}

func ofBool(b bool) Value {
	v := Value{Kind: Bool}
	if b {
		v.I = 1
	}
	return v
}

// Store writes v to the destination of a Scan. Its error names types, never the value.
func (v Value) Store(dest any) error {
	if dest == nil {
		return nil
	}
	if v.Kind == Null {
		return storeNull(dest)
	}
	ok := true
	switch d := dest.(type) {
	case *int64:
		*d, ok = v.I, v.Kind == Int
	case *int:
		*d, ok = int(v.I), v.Kind == Int && int64(int(v.I)) == v.I
	case *string:
		if ok = v.Kind == Text; ok {
			*d = v.text()
		}
	case *bool:
		*d, ok = v.I != 0, v.Kind == Bool || v.Kind == Int
	case *float64:
		*d, ok = v.float()
	case *[]byte:
		if ok = v.Kind == Bytes; ok {
			*d = append([]byte{}, v.B...)
		}
	case *store.ID:
		if ok = v.Kind == Bytes && len(v.B) == len(d); ok {
			copy(d[:], v.B)
		}
	default:
		return v.storePointer(dest)
	}
	if !ok {
		return fmt.Errorf("cannot scan %s into %T", v.Kind, dest)
	}
	return nil
}

func (v Value) storePointer(dest any) error {
	switch d := dest.(type) {
	case **int64:
		*d = new(int64)
		return v.Store(*d)
	case **int:
		*d = new(int)
		return v.Store(*d)
	case **string:
		*d = new(string)
		return v.Store(*d)
	case **bool:
		*d = new(bool)
		return v.Store(*d)
	case **float64:
		*d = new(float64)
		return v.Store(*d)
	case **[]byte:
		*d = new([]byte)
		return v.Store(*d)
	case sql.Scanner:
		return d.Scan(v.plain())
	}
	return fmt.Errorf("cannot scan into a %T", dest)
}

func storeNull(dest any) error {
	switch d := dest.(type) {
	case *[]byte:
		*d = nil
	case *store.ID:
		*d = store.ID{}
	case **int64:
		*d = nil
	case **int:
		*d = nil
	case **string:
		*d = nil
	case **bool:
		*d = nil
	case **float64:
		*d = nil
	case **[]byte:
		*d = nil
	case sql.Scanner:
		return d.Scan(nil)
	default:
		return fmt.Errorf("cannot scan null into %T", dest)
	}
	return nil
}

func (v Value) text() string {
	if v.S != "" {
		return v.S
	}
	return string(v.B)
}

func (v Value) float() (float64, bool) {
	switch v.Kind {
	case Float:
		return v.F, true
	case Int: // SQLite keeps a whole number as an integer
		return float64(v.I), v.I > -1<<53 && v.I < 1<<53
	}
	return math.NaN(), false
}

// plain is v as database/sql gives it to a Scanner.
func (v Value) plain() any {
	switch v.Kind {
	case Int:
		return v.I
	case Float:
		return v.F
	case Bool:
		return v.I != 0
	case Text:
		return v.text()
	case Bytes:
		return bytes.Clone(v.B)
	}
	return nil
}
