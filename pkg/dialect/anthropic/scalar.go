package anthropic

import "github.com/alicetears/llm-gateway/pkg/jsonx"

// required returns the object's member of that name, and adds an issue if it is not given.
func (d *decoder) required(v jsonx.Value, name string) jsonx.Value {
	d.Has(v, name)
	return v.Get(name)
}

// text returns the required member's string.
func (d *decoder) text(v jsonx.Value, name string) string {
	if !d.Has(v, name) {
		return ""
	}
	return d.Str(v.Get(name))
}

// id returns the required member's string, which must not be empty.
func (d *decoder) id(v jsonx.Value, name string) string {
	if !d.Has(v, name) {
		return ""
	}
	return d.CallID(v.Get(name))
}
