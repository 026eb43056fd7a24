package body

import "strings"

// PartialJSON follows a JSON object or array that arrives in pieces. The zero value is ready.
type PartialJSON struct {
	begun          bool // there is more than white space
	depth          int  // of nesting
	quoted, escape bool // within a string, behind its backslash
	complete       bool
}

// Add takes the next piece.
func (p *PartialJSON) Add(s string) {
	p.begun = p.begun || !Blank(s)
	for i := range len(s) {
		switch c := s[i]; {
		case p.escape:
			p.escape = false
		case p.quoted:
			p.escape, p.quoted = c == '\\', c != '"'
		case c == '"':
			p.quoted = true
		case c == '{', c == '[':
			p.depth++
		case c == '}', c == ']':
			p.depth--
			p.complete = p.complete || p.depth == 0
		}
	}
}

// Begun says whether there is more than white space.
func (p *PartialJSON) Begun() bool { return p.begun }

// Complete says whether the end of the object or array has come. A text that is neither is never complete.
func (p *PartialJSON) Complete() bool { return p.complete }

// Blank says whether the text is nothing but white space.
func Blank(s string) bool { return s == "" || strings.TrimSpace(s) == "" }
