package jsonx

import (
	"strconv"
	"strings"
)

// Paths names values of one document as [Value.Path] does. It remembers where it was, so that naming any number of
// values, in the order of the document, walks it once. The zero value is ready.
type Paths struct{ levels []pathLevel }

// A pathLevel is an array or object on the way to the last value, and the child that leads there.
type pathLevel struct {
	parent, child Value
	position      int
}

// Of returns the path of the value.
func (p *Paths) Of(v Value) string {
	if v.d == nil {
		return ""
	}
	var path strings.Builder
	at := v.d.Root()
	for depth := 0; at.i != v.i; depth++ {
		level := pathLevel{parent: at, child: at.First()}
		if depth < len(p.levels) {
			if known := p.levels[depth]; known.parent == at && known.child.i <= v.i {
				level = known
			}
		}
		for level.child.node().next <= v.i {
			level.child = level.child.Next()
			level.position++
		}
		if depth == len(p.levels) {
			p.levels = append(p.levels, level)
		}
		p.levels[depth] = level // those below are known by their parents
		if at.Kind() == Array {
			path.WriteString("[" + strconv.Itoa(level.position) + "]")
		} else {
			s := segment(string(level.child.Key()))
			if path.Len() > 0 && s[0] != '[' {
				path.WriteByte('.')
			}
			path.WriteString(s)
		}
		at = level.child
	}
	return path.String()
}
