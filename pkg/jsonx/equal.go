package jsonx

import "bytes"

// Equal reports whether two values say the same: the text of numbers and the escapes in strings may differ.
// Objects must have their members in the same order.
func Equal(a, b Value) bool {
	if a.Kind() != b.Kind() || a.Len() != b.Len() {
		return false
	}
	switch a.Kind() {
	case Number:
		return equalNumbers(a, b)
	case String:
		return bytes.Equal(a.Raw(), b.Raw()) || a.Str() == b.Str()
	case Array, Object:
		for x, y := a.First(), b.First(); x.Exists(); x, y = x.Next(), y.Next() {
			if !bytes.Equal(x.Key(), y.Key()) || !Equal(x, y) {
				return false
			}
		}
		return true
	}
	return bytes.Equal(a.Raw(), b.Raw())
}

// equalNumbers compares whole numbers as such: as floats, different ones may be equal.
func equalNumbers(a, b Value) bool {
	if x, ok := a.Int64(); ok {
		y, ok := b.Int64()
		return ok && x == y
	}
	x, ok := a.Float64()
	y, also := b.Float64()
	if !ok || !also {
		return bytes.Equal(a.Raw(), b.Raw())
	}
	return x == y
}
