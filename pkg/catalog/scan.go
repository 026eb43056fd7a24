package catalog

import (
	"iter"
	"strconv"
	"strings"
)

// value is a JSON value as tools/catalog writes it: no white space between tokens, no escapes in strings. It is a
// piece of the embedded text, so that reading it allocates nothing.
type value string

// str returns the text of a string.
func (v value) str() string { return strings.Trim(string(v), `"`) }

// int64 returns a whole number, 0 if it is none.
func (v value) int64() int64 {
	n, _ := strconv.ParseInt(string(v), 10, 64)
	return n
}

// members yields the members of an object.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		for rest := v.inside(); rest != ""; {
			name, after, _ := strings.Cut(rest[1:], `":`)
			end := valueEnd(after)
			if !yield(name, value(after[:end])) {
				return
			}
			rest = strings.TrimPrefix(after[end:], ",")
		}
	}
}

// get returns the member of the name; it is empty if there is none.
func (v value) get(name string) value {
	for n, m := range v.members() {
		if n == name {
			return m
		}
	}
	return ""
}

// elements yields the elements of an array.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		for rest := v.inside(); rest != ""; {
			end := valueEnd(rest)
			if !yield(value(rest[:end])) {
				return
			}
			rest = strings.TrimPrefix(rest[end:], ",")
		}
	}
}

// inside returns what stands between the brackets of an object or an array.
func (v value) inside() string {
	if len(v) < 2 {
		return ""
	}
	return string(v[1 : len(v)-1])
}

// valueEnd returns the index after the value that the text begins with.
func valueEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += 1 + strings.IndexByte(text[i+1:], '"')
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 { // a string or a bracket has ended
			return i + 1
		}
	}
	return len(text)
}
