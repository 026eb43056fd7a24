package anthropic

import "github.com/alicetears/llm-gateway/pkg/jsonx"

// required is the object's member of that name; without one, or if it is null, it is noted.
func (d *decoder) required(v jsonx.Value, name string) jsonx.Value {
	d.Has(v, name)
	return v.Get(name)
}

// text is the required member's string.
func (d *decoder) text(v jsonx.Value, name string) string {
	if !d.Has(v, name) {
		return ""
	}
	return d.Str(v.Get(name))
}

// id is the required member's string, which must not be empty.
func (d *decoder) id(v jsonx.Value, name string) string {
	if !d.Has(v, name) {
		return ""
	}
	return d.CallID(v.Get(name))
}
