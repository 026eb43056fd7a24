package emulator

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object without an order of members.
type object = map[string]any

// ordered is a JSON object with an order of members, as in recorded answers.
type ordered []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, encode(m.name)...), ':'), encode(m.value)...)
	}
	return append(b, '}'), nil
}

// encode returns v as JSON; v must be encodable. As with the providers, "<" is not escaped.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// decode reads any JSON value, and keeps numbers as written.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, &json.SyntaxError{Offset: d.InputOffset()}
	}
	return v, nil
}

// extend adds a member to the end of an encoded object.
func extend(b []byte, name string, value any) []byte {
	if len(b) < 2 || b[len(b)-1] != '}' {
		return b
	}
	out := append([]byte{}, b[:len(b)-1]...)
	if !bytes.HasSuffix(bytes.TrimRight(out, " \t\r\n"), []byte("{")) {
		out = append(out, ',')
	}
	out = append(append(out, encode(name)...), ':')
	return append(append(out, encode(value)...), '}')
}

// null returns nil for an empty string.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}
