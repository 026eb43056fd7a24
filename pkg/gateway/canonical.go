package gateway

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// canonicalJSON returns one text for all texts of the same JSON value: clients parse what the model wrote and write
// it anew. Objects are sorted by name, of members that share a name the last counts, and numbers are those that
// JavaScript reads. A text that is no JSON comes back without the white space around it.
func canonicalJSON(text string) []byte {
	v, err := jsonx.Parse([]byte(text), jsonx.Lenient)
	if err != nil {
		return []byte(strings.TrimSpace(text))
	}
	return appendCanonical(make([]byte, 0, len(text)), v)
}

func appendCanonical(dst []byte, v jsonx.Value) []byte {
	switch v.Kind() {
	case jsonx.String:
		return jsonx.AppendString(dst, v.Str())
	case jsonx.Number:
		return appendNumber(dst, v)
	case jsonx.Array:
		dst = append(dst, '[')
		for e := v.First(); e.Exists(); e = e.Next() {
			dst = append(appendCanonical(dst, e), ',')
		}
		return append(dst, ']')
	case jsonx.Object:
		return appendObject(dst, v)
	}
	return append(dst, v.Raw()...)
}

func appendNumber(dst []byte, v jsonx.Value) []byte {
	f, ok := v.Float64()
	switch {
	case !ok:
		return append(dst, v.Raw()...)
	case f == 0:
		return append(dst, '0') // JavaScript writes -0 so
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

func appendObject(dst []byte, v jsonx.Value) []byte {
	type member struct {
		name  []byte
		value jsonx.Value
	}
	members := make([]member, 0, v.Len())
	for m := v.First(); m.Exists(); m = m.Next() {
		members = append(members, member{m.Key(), m})
	}
	slices.SortStableFunc(members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i, m := range members {
		if i+1 < len(members) && bytes.Equal(m.name, members[i+1].name) {
			continue
		}
		dst = append(jsonx.AppendString(dst, string(m.name)), ':')
		dst = append(appendCanonical(dst, m.value), ',')
	}
	return append(dst, '}')
}
