package openai

import "github.com/alicetears/llm-gateway/pkg/jsonx"

// object reads the members that are not null.
func (d *requestDecoder) object(v jsonx.Value, read func(key string, m jsonx.Value)) {
	d.Object(v, func(m jsonx.Value) {
		if m.Given() {
			read(string(m.Key()), m)
		}
	})
}

// require notes an issue if the object lacks the member, or if it is null.
func (d *requestDecoder) require(object jsonx.Value, name string) bool {
	return object.Kind() == jsonx.Object && d.Has(object, name)
}
