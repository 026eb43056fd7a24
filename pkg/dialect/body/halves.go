package body

import (
	"bytes"
	"slices"
	"strings"
)

// Halves puts characters together whose two UTF-16 halves come in two events of a stream: servers that cut texts by
// tokens, and write every other character as an escape, end one event in "\ud83d" and begin the next with "\ude00".
// Apart, each half would become U+FFFD. The zero value is ready, for the events of one stream.
type Halves struct{ held []half }

// A half is the first half of a character, as an escape, which the string ended in that the name and the indexes tell.
type half struct{ place, escape string }

// maxHalves bounds how many halves wait for their other half.
const maxHalves = 64

// Join returns the data of the next event, a JSON text, as if it had whole characters: a first half at the end of a
// string moves to the beginning of the string of the same place in a later event. Data without such halves is returned
// as it is.
func (h *Halves) Join(data []byte) []byte {
	if len(h.held) == 0 && !bytes.Contains(data, []byte(`\ud`)) && !bytes.Contains(data, []byte(`\uD`)) {
		return data
	}
	texts, indexes := textsIn(data)
	var out []byte
	done := 0
	for _, t := range texts {
		begin, end := t.begin, t.end
		if len(h.held) == 0 && firstHalfAtEnd(data[begin:end]) < 0 {
			continue
		}
		place := t.name + indexes
		first := ""
		if i := slices.IndexFunc(h.held, func(k half) bool { return k.place == place }); i >= 0 && begin < end {
			first = h.held[i].escape
			h.held = slices.Delete(h.held, i, i+1)
		}
		last := ""
		if at := firstHalfAtEnd(data[begin:end]); at >= 0 && len(h.held) < maxHalves {
			last = string(data[begin+at : end])
			end = begin + at
			h.held = append(h.held, half{place, last})
		}
		if first == "" && last == "" {
			continue
		}
		out = append(append(append(out, data[done:begin]...), first...), data[begin:end]...)
		done = t.end
	}
	if out == nil {
		return data
	}
	return append(out, data[done:]...)
}

// firstHalfAtEnd returns where the inside of a string ends in an escape of a first half; -1 if it does not.
func firstHalfAtEnd(s []byte) int {
	at := len(s) - 6
	if at < 0 || s[at] != '\\' || s[at+1] != 'u' || s[at+2]|0x20 != 'd' || strings.IndexByte("89abAB", s[at+3]) < 0 {
		return -1
	}
	backslashes := 0
	for i := at - 1; i >= 0 && s[i] == '\\'; i-- {
		backslashes++
	}
	if backslashes%2 == 1 {
		return -1 // the backslash is an escaped one
	}
	return at
}

// A text is a string that is a value, in a JSON text.
type text struct {
	name       string // of the member
	begin, end int    // of the inside
}

// textsIn finds the strings of a JSON text, and its indexes: the numbers by which an event says what it is about, as one
// text. Of a malformed text it finds some.
func textsIn(data []byte) (texts []text, indexes string) {
	var numbers []byte
	name := ""
	for i := 0; i < len(data); i++ {
		if data[i] != '"' {
			if strings.HasSuffix(name, "index") && data[i] >= '0' && data[i] <= '9' {
				from := i
				for i+1 < len(data) && data[i+1] >= '0' && data[i+1] <= '9' {
					i++
				}
				numbers = append(append(append(append(numbers, '/'), name...), '='), data[from:i+1]...)
				name = ""
			}
			continue
		}
		begin := i + 1
		for i = begin; i < len(data) && data[i] != '"'; i++ {
			if data[i] == '\\' {
				i++
			}
		}
		end := min(i, len(data))
		if rest := bytes.TrimLeft(data[min(end+1, len(data)):], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			name = string(data[begin:end])
			continue
		}
		texts = append(texts, text{name: name, begin: begin, end: end})
	}
	return texts, string(numbers)
}
