package body

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

const (
	maxForeign     = 32             // fields that only cause a warning
	maxForeignAt   = 2 * maxForeign // with those without which the request means something else
	maxForeignName = 64             // bytes of a field's name
)

// NoteForeign notes a member that has no place in chat.Request, unless it says nothing.
func NoteForeign(req *chat.Request, m jsonx.Value, essential bool) {
	name := string(m.Key())
	if no, isBool := m.Bool(); isBool && !no || !Says(m) || len(name) > maxForeignName || !Printable(name) {
		return
	}
	if essential || len(req.Foreign) < maxForeign {
		req.Foreign = append(req.Foreign, chat.Foreign{Name: name, Essential: essential})
	}
}

// maxModels bounds the list of models of a request.
const maxModels = 32

// Models reads the list of models that a request names beside its model; nil if it is no list of names.
func Models(m jsonx.Value) (names []string) {
	if m.Kind() != jsonx.Array || m.Len() > maxModels {
		return nil
	}
	for e := m.First(); e.Exists(); e = e.Next() {
		name := e.Str()
		if e.Kind() != jsonx.String || name == "" || !Printable(name) {
			return nil
		}
		names = append(names, name)
	}
	return names
}

// Others notes the members of an object within the body that are not among the names: only providers of the caller's
// dialect get them.
func (r *Reader) Others(object jsonx.Value, names ...string) {
	if r.Passes == nil || object.Kind() != jsonx.Object {
		return
	}
	for m := object.First(); m.Exists() && len(r.Passes.Foreign) < maxForeign; m = m.Next() {
		if !slices.Contains(names, string(m.Key())) {
			r.noteMember(m)
		}
	}
}

// noteMember notes a member that has no place in chat.Request once, wherever it stands: messages[].annotations.
func (r *Reader) noteMember(m jsonx.Value) {
	if no, isBool := m.Bool(); isBool && !no || !Says(m) {
		return
	}
	name := anywhere(r.PathOf(m))
	known := func(f chat.Foreign) bool { return f.Name == name }
	if len(name) <= 2*maxForeignName && Printable(name) && !slices.ContainsFunc(r.Passes.Foreign, known) {
		r.Passes.Foreign = append(r.Passes.Foreign, chat.Foreign{Name: name})
	}
}

// anywhere returns the path without the positions in arrays.
func anywhere(path string) string {
	var out strings.Builder
	for {
		head, tail, found := strings.Cut(path, "[")
		out.WriteString(head)
		if !found {
			return out.String()
		}
		out.WriteByte('[')
		path = strings.TrimLeft(tail, "0123456789")
	}
}

// Noted reports whether a member below the path was noted, such as one of "tools[]".
func (w *Writer) Noted(path string) bool {
	return slices.ContainsFunc(w.Req.Foreign, func(f chat.Foreign) bool { return !f.Essential && strings.HasPrefix(f.Name, path) })
}

// WarnForeignIn warns of the members that were noted below the path, as what is there is encoded anew.
func (w *Writer) WarnForeignIn(path string) {
	for _, f := range w.Req.Foreign {
		if !f.Essential && strings.HasPrefix(f.Name, path) {
			w.Warn("%s is not known to %s: dropped", f.Name, w.Provider())
		}
	}
}

// NoteForeignAt notes a value anywhere in the body that has no place in chat.Request and without which the request
// means something else.
func NoteForeignAt(req *chat.Request, v jsonx.Value, problem string) {
	if len(req.Foreign) < maxForeignAt {
		req.Foreign = append(req.Foreign, chat.Foreign{Name: v.Path(), Problem: problem, Essential: true})
	}
}

// RefuseForeignIn refuses the request if something essential was noted below one of the paths: it would be lost when
// the members are encoded anew.
func (w *Writer) RefuseForeignIn(paths ...string) {
	for _, f := range w.Req.Foreign {
		for _, path := range paths {
			if f.Essential && strings.HasPrefix(f.Name, path) {
				w.refuseForeign(f)
			}
		}
	}
}

func (w *Writer) refuseForeign(f chat.Foreign) {
	if f.Problem == "" {
		w.Refuse(f.Name, "%s cannot be sent to %s", f.Name, w.Provider())
	} else {
		w.Refuse(f.Name, "%s cannot be sent to %s: %s", f.Name, w.Provider(), f.Problem)
	}
}

// Foreign warns of the noted fields, which other dialects do not have, and refuses the essential ones.
func (w *Writer) Foreign() {
	for _, f := range w.Req.Foreign {
		if f.Essential {
			w.refuseForeign(f)
		} else {
			w.Warn("%s is not known to %s: dropped", f.Name, w.Provider())
		}
	}
}
