package gemini

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A partialCall is a call whose arguments come value by value, as Vertex AI sends them on request
// (streamFunctionCallArguments): the first part has the name, each has partialArgs, and the last has no
// willContinue. The last may be missing (gemini-3-flash-preview): then the call ends with the answer.
type partialCall struct {
	made chat.ToolCall
	args value
	size int // bytes of the pieces so far
}

// A value is a JSON value that grows. The zero value is null.
type value struct {
	kind    jsonx.Kind
	key     string // as a member of an object
	text    []byte // of a string, its characters; of a number, boolean or null, its JSON
	open    bool   // the string continues in the next piece
	members []*value
}

// callPiece reads a piece of a call. It returns false if the part holds a whole call.
func (c *choice) callPiece(out []chat.Event, v jsonx.Value, signature, answer string) (
	_ []chat.Event, failed *chat.Error, partial bool) {
	name, args, continues := v.Get("name"), v.Get("partialArgs"), isTrue(v.Get("willContinue"))
	switch {
	case !args.Given() && !continues && (c.open == nil || !name.Empty()):
		return c.closeCall(out, answer), nil, false
	case c.open == nil || !name.Empty():
		if name.Empty() {
			return out, malformedCall(), true
		}
		out = c.closeCall(out, answer)
		c.open = &partialCall{made: chat.ToolCall{Name: name.Str(), Signature: signature}, args: value{kind: jsonx.Object}}
	}
	if id := v.Get("id"); !id.Empty() {
		c.open.made.ID = id.Str()
	}
	for m := v.Get("args").First(); m.Exists(); m = m.Next() {
		c.open.args.member(string(m.Key())).set(m.Clone())
	}
	if c.open.size += len(args.Raw()); c.open.size > chat.MaxArguments {
		return out, chat.TooMuch(chat.MaxArguments, "bytes of arguments"), true
	}
	for p := args.First(); p.Exists(); p = p.Next() {
		if !c.open.args.add(p) {
			return out, malformedCall(), true
		}
	}
	if !continues {
		out = c.closeCall(out, answer)
	}
	return out, nil, true
}

func malformedCall() *chat.Error {
	return &chat.Error{Class: chat.Transport, Message: "the provider's answer has a garbled piece of a call"}
}

// closeCall ends the call that is open, if one is.
func (c *choice) closeCall(out []chat.Event, answer string) []chat.Event {
	if c.open == nil {
		return out
	}
	made := c.open.made
	made.Arguments = string(c.open.args.append(nil))
	c.open = nil
	return c.wholeCall(out, &made, answer)
}

// add sets the value of one of partialArgs. It is false if its path leads nowhere.
func (v *value) add(piece jsonx.Value) bool {
	at := v
	path, ok := strings.CutPrefix(piece.Get("jsonPath").Str(), "$")
	for depth := 0; ok && path != ""; depth++ {
		if at, path = at.step(path); at == nil || depth > maxDepth {
			return false
		}
	}
	if !ok || at == v {
		return false
	}
	text := piece.Get("stringValue")
	switch {
	case text.Kind() == jsonx.String:
		if at.kind != jsonx.String || !at.open {
			*at = value{kind: jsonx.String, key: at.key}
		}
		at.text = append(at.text, text.Str()...)
		at.open = isTrue(piece.Get("willContinue"))
	case piece.Get("numberValue").Kind() == jsonx.Number:
		at.set(piece.Get("numberValue").Clone())
	case piece.Get("boolValue").Kind() == jsonx.Bool:
		at.set(piece.Get("boolValue").Clone())
	default: // nullValue
		at.set([]byte("null"))
	}
	return true
}

// maxDepth is the deepest nesting of arguments.
const maxDepth = 100

// step returns the member or element that the first segment of a path (RFC 9535: .name, [0], ['name']) names, and
// the rest of the path. It adds the member or element if it is missing; nil if the segment is invalid.
func (v *value) step(path string) (*value, string) {
	if name, ok := strings.CutPrefix(path, "."); ok {
		end := strings.IndexAny(name, ".[")
		if end < 0 {
			end = len(name)
		}
		if end == 0 {
			return nil, ""
		}
		return v.member(name[:end]), name[end:]
	}
	inner, ok := strings.CutPrefix(path, "[")
	if !ok || inner == "" {
		return nil, ""
	}
	if quote := inner[0]; quote == '\'' || quote == '"' {
		name, rest, ok := quoted(inner[1:], quote)
		if rest, closed := strings.CutPrefix(rest, "]"); ok && closed {
			return v.member(name), rest
		}
		return nil, ""
	}
	digits, rest, ok := strings.Cut(inner, "]")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return nil, ""
	}
	return v.element(n), rest
}

// quoted reads a name up to the quote that ends it.
func quoted(s string, quote byte) (name, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case quote:
			text := strings.NewReplacer(`\\`, `\\`, `\'`, `'`, `\"`, `\"`, `"`, `\"`).Replace(s[:i])
			err := json.Unmarshal([]byte(`"`+text+`"`), &name)
			return name, s[i+1:], err == nil
		}
	}
	return "", "", false
}

// member returns the member of that name and adds it if it is missing. A value that is no object becomes one.
func (v *value) member(name string) *value {
	if v.kind != jsonx.Object {
		*v = value{kind: jsonx.Object, key: v.key}
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].key == name {
			return v.members[i]
		}
	}
	v.members = append(v.members, &value{key: name})
	return v.members[len(v.members)-1]
}

// element returns the nth element and adds it if it is the next; nil if it lies beyond. A value that is no array
// becomes one.
func (v *value) element(n int) *value {
	if v.kind != jsonx.Array {
		*v = value{kind: jsonx.Array, key: v.key}
	}
	switch {
	case n > len(v.members):
		return nil
	case n == len(v.members):
		v.members = append(v.members, new(value))
	}
	return v.members[n]
}

// set replaces the value by JSON.
func (v *value) set(raw []byte) { *v = value{key: v.key, text: raw} }

func (v *value) append(out []byte) []byte {
	switch v.kind {
	case jsonx.Object:
		out = append(out, '{')
		for _, m := range v.members {
			out = m.append(jsonx.AppendKey(out, m.key))
		}
		return append(out, '}')
	case jsonx.Array:
		out = append(out, '[')
		for _, m := range v.members {
			out = m.append(jsonx.AppendComma(out))
		}
		return append(out, ']')
	case jsonx.String:
		return jsonx.AppendString(out, string(v.text))
	}
	if len(v.text) == 0 {
		return append(out, "null"...)
	}
	return append(out, v.text...)
}
