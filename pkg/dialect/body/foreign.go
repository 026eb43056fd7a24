package body

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

const (
	maxForeign     = 16 // fields of a request that are told of
	maxForeignName = 64 // bytes of a field's name that is told of
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

// Foreign says what of the caller's dialect is lost where the request is written in another.
func (w *Writer) Foreign() {
	for _, f := range w.Req.Foreign {
		if f.Essential {
			w.Refuse(f.Name, "%s cannot be sent to %s", f.Name, w.Provider())
		} else {
			w.Warn("%s is not known to %s: dropped", f.Name, w.Provider())
		}
	}
}
