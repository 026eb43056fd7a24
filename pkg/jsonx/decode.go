package jsonx

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Optional tells a member that is absent (Set is false) from one that is null
// (Set and Null) and one that has a value (Set), for partial updates.
type Optional[T any] struct {
	Set, Null bool
	Value     T
}

func (o *Optional[T]) optional(null bool) reflect.Value {
	o.Set, o.Null = true, null
	return reflect.ValueOf(&o.Value).Elem()
}

// Decode reads body strictly into what dst points at: a struct, as a rule. Members
// go by the json tag's name, to the letter; `jsonx:"required"` on a field makes its
// absence an issue. Null is accepted by pointers, slices, maps, json.RawMessage and Optional.
// Numbers for integers must be whole and in range. Types with UnmarshalText read strings.
//
// The error is a *fault.Error of code Validation that lists the issues found (malformed
// JSON, a duplicate member and invalid UTF-8 end the search), each with its path
// and what was expected and found. A dst that cannot be decoded into panics.
func Decode(body []byte, dst any) error {
	root, err := Parse(body, Strict)
	if err != nil {
		return Syntax(err)
	}
	target := reflect.ValueOf(dst)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic("jsonx: Decode needs a pointer")
	}
	var report Report
	report.decode(root, target.Elem())
	return report.Err()
}

type (
	optional interface {
		optional(null bool) reflect.Value
	}
	textual = encoding.TextUnmarshaler
)

func (r *Report) decode(v Value, dst reflect.Value) {
	if r.Full() {
		return
	}
	if raw, ok := dst.Addr().Interface().(*json.RawMessage); ok {
		*raw = v.Clone()
		return
	}
	if o, ok := dst.Addr().Interface().(optional); ok {
		if inner := o.optional(v.Kind() == Null); v.Given() {
			r.decode(v, inner)
		}
		return
	}
	if t, ok := dst.Addr().Interface().(textual); ok {
		if v.Kind() != String {
			r.Expected(v, "a string")
		} else if err := t.UnmarshalText([]byte(v.Str())); err != nil {
			r.Add(v, "%s", err)
		}
		return
	}
	r.decodeKind(v, dst)
}

func (r *Report) decodeKind(v Value, dst reflect.Value) {
	switch dst.Kind() {
	case reflect.Pointer:
		if v.Given() {
			dst.Set(reflect.New(dst.Type().Elem()))
			r.decode(v, dst.Elem())
		}
	case reflect.Struct:
		r.decodeStruct(v, dst)
	case reflect.Slice:
		r.decodeSlice(v, dst)
	case reflect.Map:
		r.decodeMap(v, dst)
	case reflect.String:
		if r.want(v, String) {
			dst.SetString(v.Str())
		}
	case reflect.Bool:
		if r.want(v, Bool) {
			b, _ := v.Bool()
			dst.SetBool(b)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, ok := r.Int64(v); ok && dst.OverflowInt(n) {
			r.Add(v, "the number is out of range")
		} else if ok {
			dst.SetInt(n)
		}
	case reflect.Float32, reflect.Float64:
		if f, ok := r.Float64(v); ok {
			dst.SetFloat(f)
		}
	default:
		panic(fmt.Sprintf("jsonx: cannot decode into %s", dst.Type()))
	}
}

func (r *Report) want(v Value, kind Kind) bool {
	if v.Kind() != kind {
		r.Expected(v, kind.String())
	}
	return v.Kind() == kind
}

// Int64 returns a whole number's value; ok is false, and an issue noted, if it is none within range.
func (r *Report) Int64(v Value) (n int64, ok bool) {
	if v.Kind() != Number {
		r.Expected(v, "a whole number")
		return 0, false
	}
	if n, ok = v.Int64(); !ok {
		r.Add(v, "expected a whole number of at most 64 bits, got %s", excerpt(v.Raw()))
	}
	return n, ok
}

// Float64 returns a number's value; ok is false, and an issue noted, if it is none within range.
func (r *Report) Float64(v Value) (f float64, ok bool) {
	if !r.want(v, Number) {
		return 0, false
	}
	if f, ok = v.Float64(); !ok {
		r.Add(v, "the number %s is out of range", excerpt(v.Raw()))
	}
	return f, ok
}

func excerpt(number []byte) string {
	if len(number) > 32 {
		return string(number[:29]) + "..."
	}
	return string(number)
}

func (r *Report) decodeSlice(v Value, dst reflect.Value) {
	if v.Kind() == Null {
		dst.SetZero()
		return
	}
	if !r.want(v, Array) {
		return
	}
	dst.Set(reflect.MakeSlice(dst.Type(), v.Len(), v.Len()))
	i := 0
	for e := v.First(); e.Exists() && !r.Full(); e = e.Next() {
		r.decode(e, dst.Index(i))
		i++
	}
}

func (r *Report) decodeMap(v Value, dst reflect.Value) {
	if v.Kind() == Null {
		dst.SetZero()
		return
	}
	if !r.want(v, Object) {
		return
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), v.Len()))
	for m := v.First(); m.Exists() && !r.Full(); m = m.Next() {
		value := reflect.New(dst.Type().Elem()).Elem()
		r.decode(m, value)
		dst.SetMapIndex(reflect.ValueOf(string(m.Key())).Convert(dst.Type().Key()), value)
	}
}

// A field is what a member is decoded into.
type field struct {
	name     string
	required bool
	seen     bool
	dst      reflect.Value
}

func fieldsOf(dst reflect.Value) []field {
	var fields []field
	t := dst.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			fields = append(fields, fieldsOf(dst.Field(i))...)
		case !f.IsExported() || name == "-":
		default:
			if name == "" {
				name = f.Name
			}
			fields = append(fields, field{name: name, required: f.Tag.Get("jsonx") == "required", dst: dst.Field(i)})
		}
	}
	return fields
}

func (r *Report) decodeStruct(v Value, dst reflect.Value) {
	if !r.want(v, Object) {
		return
	}
	fields := fieldsOf(dst)
	for m := v.First(); m.Exists() && !r.Full(); m = m.Next() {
		i := 0
		for i < len(fields) && fields[i].name != string(m.Key()) {
			i++
		}
		if i == len(fields) {
			r.Unknown(m, func(yield func(string) bool) {
				for _, f := range fields {
					if !yield(f.name) {
						return
					}
				}
			})
			continue
		}
		fields[i].seen = true
		r.decode(m, fields[i].dst)
	}
	for _, f := range fields {
		if f.required && !f.seen {
			r.AddMember(v, f.name, "required")
		}
	}
}
