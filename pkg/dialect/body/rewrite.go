package body

import "github.com/alicetears/llm-gateway/pkg/jsonx"

// EditElements returns the array with each element as edit writes it; nil if v is none.
func EditElements(v jsonx.Value, edit func(jsonx.Value) []byte) []byte {
	if v.Kind() != jsonx.Array {
		return nil
	}
	out := []byte("[")
	for e := v.First(); e.Exists(); e = e.Next() {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, edit(e)...)
	}
	return append(out, ']')
}

// With returns the object with another value of the member.
func With(object jsonx.Value, name string, value []byte) []byte {
	edit := jsonx.NewEdit(object)
	edit.Set(name, value)
	return edit.Append(nil)
}
