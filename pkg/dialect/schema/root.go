package schema

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// combinators are the keywords that some providers refuse at the root (OpenAI: "schema must have type 'object' and not
// have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level").
func combinators() []string { return []string{"anyOf", "oneOf", "allOf", "not", "enum", "const"} }

// root writes the schema of a function's parameters.
func (w *writer) root(v jsonx.Value, form Root) {
	combined := slices.ContainsFunc(combinators(), func(name string) bool { return v.Get(name).Given() })
	if target := w.resolve(v); target.Exists() || combined && form == PlainObject {
		w.merge(v)
		return
	}
	w.out = append(w.out, `{"type":"object"`...)
	w.members(v, func(name string) bool { return name == "type" || name == "nullable" })
	if v.Get("properties").Kind() != jsonx.Object && !is(v, "object") { // else members has added it
		w.key("properties")
		w.out = append(w.out, "{}"...)
	}
	w.out = append(w.out, '}')
}

// maxSources bounds how many schemas are merged: each may refer to others.
const maxSources = 64

// A merger collects the schemas that all hold at the root, and those of which one must.
type merger struct {
	w            *writer
	all          []jsonx.Value
	alternatives [][]jsonx.Value
}

// merge writes the schema without keywords that combine others: properties of all of them, and of the required ones
// those that each alternative requires. The description tells the model the rest.
func (w *writer) merge(v jsonx.Value) {
	m := merger{w: w}
	m.holds(v)
	w.out = append(w.out, `{"type":"object"`...)
	skip := append(combinators(), "type", "nullable", "$ref", "$schema", "properties", "required", "description", "$defs", "definitions", "additionalProperties")
	written := map[string]bool{}
	for _, source := range m.all {
		w.members(source, func(name string) bool {
			if slices.Contains(skip, name) || written[name] {
				return true
			}
			if source.Get(name).Given() {
				written[name] = true
			}
			return false
		})
	}
	m.description()
	m.properties()
	if names := m.required(); len(names) > 0 {
		w.key("required")
		w.out = jsonx.AppendStrings(w.out, names)
	}
	m.closed()
	for _, name := range [...]string{"$defs", "definitions"} {
		if defs := w.document.Get(name); defs.Kind() == jsonx.Object {
			w.key(name)
			w.named(defs, false)
		}
	}
	w.out = append(w.out, '}')
}

// holds adds a schema that must hold, and those that it consists of.
func (m *merger) holds(v jsonx.Value) {
	if len(m.all) >= maxSources || v.Kind() != jsonx.Object {
		return
	}
	m.all = append(m.all, v)
	if target := m.w.resolve(v); target.Exists() {
		m.holds(target)
	}
	for e := v.Get("allOf").First(); e.Exists(); e = e.Next() {
		m.holds(e)
	}
	for _, name := range [...]string{"anyOf", "oneOf"} {
		var list []jsonx.Value
		for e := v.Get(name).First(); e.Exists() && len(list) < maxSources; e = e.Next() {
			if target := m.w.resolve(e); target.Exists() {
				e = target
			}
			list = append(list, e)
		}
		if len(list) > 0 {
			m.alternatives = append(m.alternatives, list)
		}
	}
}

// resolve returns what the schema refers to within the document; missing if it does not.
func (w *writer) resolve(v jsonx.Value) jsonx.Value {
	ref := v.Get("$ref")
	path, ok := strings.CutPrefix(ref.Str(), "#/")
	if !ok {
		return jsonx.Value{}
	}
	target := w.document
	for name := range strings.SplitSeq(path, "/") {
		target = target.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
	}
	return target
}

// description tells what is no longer enforced.
func (m *merger) description() {
	text := ""
	for _, source := range m.all {
		if own := source.Get("description"); text == "" && !own.Empty() {
			text = own.Str()
		}
	}
	var told []byte
	for _, source := range m.all {
		for _, name := range combinators() {
			if keyword := source.Get(name); keyword.Given() && name != "allOf" {
				told = jsonx.AppendKey(append(told, '{'), name)
				told = append(jsonx.AppendCompact(told, keyword.Raw()), "} "...)
				m.w.told = true
			}
		}
	}
	if len(told) > 0 {
		text = strings.TrimSpace(text + "\nThe arguments must also match this JSON schema: " + string(told))
	}
	if text != "" {
		m.w.key("description")
		m.w.out = jsonx.AppendString(m.w.out, text)
	}
}

// properties writes the properties of all schemas. One that they describe differently may be any of it.
func (m *merger) properties() {
	var names []string
	kinds := map[string][]jsonx.Value{}
	collect := func(v jsonx.Value) {
		for p := v.Get("properties").First(); p.Exists(); p = p.Next() {
			name := string(p.Key())
			if kinds[name] == nil {
				names = append(names, name)
			}
			if !slices.ContainsFunc(kinds[name], func(k jsonx.Value) bool { return jsonx.Equal(k, p) }) {
				kinds[name] = append(kinds[name], p)
			}
		}
	}
	for _, v := range m.all {
		collect(v)
	}
	for _, list := range m.alternatives {
		for _, v := range list {
			collect(v)
			for e := v.Get("allOf").First(); e.Exists(); e = e.Next() {
				collect(e)
			}
		}
	}
	m.w.key("properties")
	m.w.out = append(m.w.out, '{')
	for _, name := range names {
		m.w.key(name)
		if len(kinds[name]) == 1 {
			m.w.schema(kinds[name][0])
			continue
		}
		m.w.out = append(m.w.out, `{"anyOf":[`...)
		for _, v := range kinds[name] {
			m.w.out = jsonx.AppendComma(m.w.out)
			m.w.schema(v)
		}
		m.w.out = append(m.w.out, "]}"...)
	}
	m.w.out = append(m.w.out, '}')
}

// required returns the properties that must be there whichever alternative holds.
func (m *merger) required() []string {
	var names nameList
	for _, v := range m.all {
		for _, name := range requiredOf(v).list {
			names.add(name)
		}
	}
	for _, list := range m.alternatives {
		by := map[string]int{} // how many alternatives require it
		for _, v := range list {
			for _, name := range requiredOf(v).list {
				by[name]++
			}
		}
		for _, name := range requiredOf(list[0]).list {
			if by[name] == len(list) {
				names.add(name)
			}
		}
	}
	return names.list
}

// closed writes additionalProperties: that of the root, or false if each alternative says so.
func (m *merger) closed() {
	closed := func(v jsonx.Value) bool {
		more, isBool := v.Get("additionalProperties").Bool()
		return isBool && !more
	}
	own := slices.IndexFunc(m.all, func(v jsonx.Value) bool { return v.Get("additionalProperties").Given() })
	switch {
	case own >= 0 && len(m.all) == 1 || own >= 0 && closed(m.all[own]) && len(m.alternatives) == 0:
		m.w.keyword(m.all[own], "additionalProperties", m.all[own].Get("additionalProperties"))
	case len(m.alternatives) == 1 && !slices.ContainsFunc(m.alternatives[0], func(v jsonx.Value) bool { return !closed(v) }):
		m.w.key("additionalProperties")
		m.w.out = append(m.w.out, "false"...)
	}
}

// nameList is a list without repetitions.
type nameList struct {
	list []string
	has  map[string]bool
}

func (l *nameList) add(name string) {
	if l.has[name] {
		return
	}
	if l.has == nil {
		l.has = map[string]bool{}
	}
	l.list, l.has[name] = append(l.list, name), true
}
