package body

import "github.com/alicetears/llm-gateway/pkg/jsonx"

// Amounts says whether a value counts or names anything: a number but 0, a text, true, or something that contains one.
func Amounts(v jsonx.Value) bool {
	switch v.Kind() {
	case jsonx.Number:
		f, ok := v.Float64()
		return !ok || f != 0
	case jsonx.String:
		return !v.Empty()
	case jsonx.Object, jsonx.Array:
		for m := v.First(); m.Exists(); m = m.Next() {
			if Amounts(m) {
				return true
			}
		}
		return false
	}
	on, _ := v.Bool()
	return on
}
