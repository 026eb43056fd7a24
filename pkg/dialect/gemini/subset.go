package gemini

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The depth of a schema and the number of its subschemas when its references are resolved: a few that refer to
// each other twice would become millions.
const (
	maxSchemaDepth = 32
	maxSchemas     = 4096
)

// A subsetter writes a JSON schema as Google's Schema, a subset of OpenAPI's
// (https://ai.google.dev/api/caching#Schema): no references, no type lists, nullable instead of the type null, of
// the combinations only anyOf, of enums only strings.
type subsetter struct {
	root      jsonx.Value
	out       []byte
	schemas   int
	recursive bool // or too large
	lost      bool // a keyword with a meaning was left out
}

// written holds the names of a schema's members so far. A schema that refers to another, or has one choice beside
// null, is merged with it: the first member of a name counts.
type written struct{ names []string }

// begin begins a member; false if the schema has it already.
func (s *subsetter) begin(w *written, name string) bool {
	if slices.Contains(w.names, name) {
		return false
	}
	w.names = append(w.names, name)
	s.member(name)
	return true
}

func (s *subsetter) member(name string) { s.out = jsonx.AppendKey(s.out, name) }

// keywords holds the members of one schema that are not simply copied.
type keywords struct {
	kind, ref, enum, constant, items, properties, anyOf, allOf, format jsonx.Value
}

func (s *subsetter) schema(v jsonx.Value, depth int) {
	s.out = append(s.out, '{')
	s.members(v, depth, new(written))
	s.out = append(s.out, '}')
}

// members writes the members of a schema into the open object.
func (s *subsetter) members(v jsonx.Value, depth int, w *written) {
	if s.schemas++; depth > maxSchemaDepth || s.schemas > maxSchemas {
		s.recursive = true
	}
	if s.recursive || v.Kind() != jsonx.Object {
		return // true, false: anything
	}
	var k keywords
	for m := v.First(); m.Exists(); m = m.Next() {
		s.keyword(&k, m, w)
	}
	if k.ref.Exists() {
		target := s.resolve(k.ref.Str())
		s.lost = s.lost || !target.Exists()
		s.members(target, depth+1, w)
		return
	}
	if k.allOf.Len() == 1 && !k.kind.Exists() && !k.properties.Exists() {
		s.members(k.allOf.First(), depth+1, w)
		return
	}
	s.lost = s.lost || k.allOf.Exists()
	s.kinds(&k, depth, w)
	s.enum(&k, w)
	s.children(&k, depth, w)
}

// keyword copies a member, or notes it in k.
func (s *subsetter) keyword(k *keywords, m jsonx.Value, w *written) {
	switch string(m.Key()) {
	case "type":
		k.kind = m
	case "$ref":
		k.ref = m
	case "enum":
		k.enum = m
	case "const":
		k.constant = m
	case "items":
		k.items = m
	case "properties":
		k.properties = m
	case "anyOf", "oneOf":
		k.anyOf = m
	case "allOf":
		k.allOf = m
	case "format":
		k.format = m
	case "title", "description", "nullable", "minItems", "maxItems", "required", "propertyOrdering", "minProperties", "maxProperties",
		"minimum", "maximum", "minLength", "maxLength", "pattern", "example", "default":
		if s.begin(w, string(m.Key())) {
			s.out = jsonx.AppendCompact(s.out, m.Raw())
		}
	case "$schema", "$id", "$defs", "definitions", "$comment", "additionalProperties", "examples":
	default:
		s.lost = true
	}
}

// resolve returns the target of a reference within the document.
func (s *subsetter) resolve(ref string) jsonx.Value {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return jsonx.Value{}
	}
	v := s.root
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if name != "" {
			v = v.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
		}
	}
	return v
}

// kinds writes the type, of which Schema has only one, and nullable.
func (s *subsetter) kinds(k *keywords, depth int, w *written) {
	kinds, null := typesOf(k.kind)
	var choices []jsonx.Value
	for c := k.anyOf.First(); c.Exists(); c = c.Next() {
		if c.Get("type").Is("null") {
			null = true
		} else {
			choices = append(choices, c)
		}
	}
	for v := k.enum.First(); v.Exists(); v = v.Next() {
		null = null || v.Kind() == jsonx.Null
	}
	if null && s.begin(w, "nullable") {
		s.out = append(s.out, "true"...)
	}
	switch {
	case len(kinds) == 1:
		s.kind(k, kinds[0], w)
	case len(kinds) > 1 && s.begin(w, "anyOf"):
		s.out = append(s.out, '[')
		for _, t := range kinds {
			s.out = append(jsonx.AppendComma(s.out), '{')
			s.kind(k, t, new(written))
			s.out = append(s.out, '}')
		}
		s.out = append(s.out, ']')
	case k.constant.Kind() == jsonx.String || len(choices) == 0 && k.enum.First().Kind() == jsonx.String:
		s.kind(k, "STRING", w)
	case k.properties.Exists() && len(choices) == 0:
		s.kind(k, "OBJECT", w)
	}
	s.anyOf(choices, depth, w)
}

// typesOf reads a type or a list of types, and whether null is one of them.
func typesOf(v jsonx.Value) (kinds []string, null bool) {
	add := func(v jsonx.Value) {
		if t := strings.ToUpper(v.Str()); t == "NULL" {
			null = true
		} else if t != "" {
			kinds = append(kinds, t)
		}
	}
	add(v)
	for t := v.First(); t.Exists(); t = t.Next() {
		add(t)
	}
	return kinds, null
}

// kind writes one type, the format if the type has it, and the items that an array requires.
func (s *subsetter) kind(k *keywords, t string, w *written) {
	if !s.begin(w, "type") {
		return
	}
	s.out = jsonx.AppendString(s.out, t)
	if f := k.format.Str(); f != "" {
		switch t + " " + f {
		case "STRING date-time", "STRING enum", "NUMBER float", "NUMBER double", "INTEGER int32", "INTEGER int64":
			s.member("format")
			s.out = jsonx.AppendString(s.out, f)
		default:
			s.lost = true
		}
	}
	if t == "ARRAY" && k.items.Kind() != jsonx.Object && s.begin(w, "items") {
		s.out = append(s.out, `{"type":"STRING"}`...)
	}
}

func (s *subsetter) anyOf(choices []jsonx.Value, depth int, w *written) {
	switch {
	case len(choices) == 0:
	case len(choices) == 1:
		s.members(choices[0], depth+1, w)
	case s.begin(w, "anyOf"):
		s.out = append(s.out, '[')
		for _, c := range choices {
			s.out = jsonx.AppendComma(s.out)
			s.schema(c, depth+1)
		}
		s.out = append(s.out, ']')
	default: // anyOf is used up by a list of types
		s.lost = true
	}
}

// enum writes the allowed values, which can only be strings.
func (s *subsetter) enum(k *keywords, w *written) {
	var values []string
	add := func(v jsonx.Value) {
		if v.Kind() == jsonx.String {
			values = append(values, v.Str())
		} else if v.Given() {
			s.lost = true
		}
	}
	add(k.constant)
	for v := k.enum.First(); v.Exists(); v = v.Next() {
		add(v)
	}
	if len(values) == 0 || !s.begin(w, "enum") {
		return
	}
	s.out = append(s.out, '[')
	for _, v := range values {
		s.out = jsonx.AppendComma(s.out)
		s.out = jsonx.AppendString(s.out, v)
	}
	s.out = append(s.out, ']')
}

func (s *subsetter) children(k *keywords, depth int, w *written) {
	if k.items.Kind() == jsonx.Object && s.begin(w, "items") {
		s.schema(k.items, depth+1)
	}
	if k.properties.Len() == 0 || !s.begin(w, "properties") {
		return
	}
	s.out = append(s.out, '{')
	for p := k.properties.First(); p.Exists(); p = p.Next() {
		s.member(string(p.Key()))
		s.schema(p, depth+1)
	}
	s.out = append(s.out, '}')
}
