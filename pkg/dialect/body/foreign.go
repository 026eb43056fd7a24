package body

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

const (
	maxForeign     = 16             // fields of a request that are told of
	maxForeignAt   = 2 * maxForeign // those without which it means something else have room beside them
	maxForeignName = 64             // bytes of a field's name that is told of
)

// NoteForeign notes a member that the canonical form does not carry, unless it says nothing.
func NoteForeign(req *chat.Request, m jsonx.Value, essential bool) {
	name := string(m.Key())
	if no, isBool := m.Bool(); isBool && !no || !says(m) || len(name) > maxForeignName || !Printable(name) {
		return
	}
	if essential || len(req.Foreign) < maxForeign {
		req.Foreign = append(req.Foreign, chat.Foreign{Name: name, Essential: essential})
	}
}

// NoteForeignAt notes something that the canonical form does not carry, wherever in the body, and without which the
// request means something else.
func NoteForeignAt(req *chat.Request, v jsonx.Value, problem string) {
	if len(req.Foreign) < maxForeignAt {
		req.Foreign = append(req.Foreign, chat.Foreign{Name: v.Path(), Problem: problem, Essential: true})
	}
}

// KeepForeign refuses to write what lies at the paths anew, if what was noted there would be lost by it.
func (w *Writer) KeepForeign(paths ...string) {
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

// Foreign says what of the caller's dialect is lost where the request is written in another.
func (w *Writer) Foreign() {
	for _, f := range w.Req.Foreign {
		if f.Essential {
			w.refuseForeign(f)
		} else {
			w.Warn("%s is not known to %s: dropped", f.Name, w.Provider())
		}
	}
}
