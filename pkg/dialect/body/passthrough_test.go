package body_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// through passes the body through; encoded are the members that the encoder writes.
func through(t testing.TB, in, encoded string, rules *dialect.CommonRules, p body.Passthrough) (string, []string, bool) {
	t.Helper()
	root, ok := body.ParsePassthrough([]byte(in))
	if !ok {
		t.Fatalf("%s is no object", in)
	}
	w := body.NewWriter(&chat.Request{}, rules, dialect.ModelExceptions{})
	if p.Encode == nil {
		p.Encode = func() { w.Raw(encoded) }
	}
	enc, ok := w.Passthrough("/path", []byte(in), root, &p)
	return string(enc.Body), enc.Warnings, ok
}

func TestPassthrough(t *testing.T) {
	all := body.Members{
		"a": {Compare: body.Replaced}, "e": {Compare: body.Exact}, "r": {Loss: body.Refuses}, "s": {Loss: body.Silent}, "one": {Default: 1},
		"o": {Compare: body.Replaced, Members: body.Members{"a": {Compare: body.Replaced}, "e": {Compare: body.Exact}}},
		"f": {Compare: body.Replaced, Fields: true, Members: body.Members{"a": {Compare: body.Replaced}}},
		"t": {Compare: body.Replaced, Equal: func(caller, encoded jsonx.Value) bool { return caller.Kind() == encoded.Kind() }},
	}
	drop := func(names ...string) dialect.CommonRules { return dialect.CommonRules{Provider: "p", Drop: names} }
	const dropped = " is not supported by p for this model: dropped"
	for _, c := range []struct {
		in, encoded, want string
		rules             dialect.CommonRules
		warning           string
	}{
		{`{"":{ },"a":1}`, `"a":2`, `{"":{ },"a":2}`, dialect.CommonRules{}, ""},
		{` { "x" : [ 1 ] , "a":1.0 } `, `"a":1`, ` { "x" : [ 1 ] , "a":1.0 } `, dialect.CommonRules{}, ""},
		{`{"a": "\u0061" }`, `"a":"a"`, `{"a": "\u0061" }`, dialect.CommonRules{}, ""},
		{`{ "a" : 1 ,"x":2}`, `"a":2`, `{ "a" : 2 ,"x":2}`, dialect.CommonRules{}, ""},
		{`{"a":null}`, `"a":2`, `{"a":2}`, dialect.CommonRules{}, ""},
		{`{"a":1}`, ``, `{"a":1}`, dialect.CommonRules{}, ""},
		{`{"a":"\u0061"}`, `"a":["a"]`, `{"a":["\u0061"]}`, dialect.CommonRules{}, ""},
		{`{"a":["a", "b"]}`, `"a":["a","b"]`, `{"a":["a", "b"]}`, dialect.CommonRules{}, ""},
		{`{"x":1 }`, `"a":2,"e":{}`, `{"x":1,"a":2,"e":{} }`, dialect.CommonRules{}, ""},
		{`{"e":1,"x":2}`, ``, `{"x":2}`, dialect.CommonRules{}, ""},
		{`{"e":null}`, ``, `{"e":null}`, dialect.CommonRules{}, ""},
		{`{"t":1}`, `"t":2`, `{"t":1}`, dialect.CommonRules{}, ""},
		{`{"t":"1"}`, `"t":2`, `{"t":2}`, dialect.CommonRules{}, ""},
		{`{"o": {"x":1, "a":1,"e" :2} }`, `"o":{"a":2}`, `{"o": {"x":1, "a":2} }`, dialect.CommonRules{}, ""},
		{`{"o":{"x":1}}`, `"o":{"a":2,"e":3}`, `{"o":{"x":1,"a":2,"e":3}}`, dialect.CommonRules{}, ""},
		{`{"o":null}`, `"o":{"a":2}`, `{"o":{"a":2}}`, dialect.CommonRules{}, ""},
		{`{"o":{"e":2,"x":1}}`, ``, `{"o":{"x":1}}`, dialect.CommonRules{}, ""},
		{`{"o":{"x":1}}`, ``, `{"o":{"x":1}}`, drop("x"), ""},
		{`{"f":{"x":1,"a":2}}`, ``, `{"f":{}}`, drop("x", "a"), "x" + dropped},
		{`{"x":1,"y":2}`, ``, `{"y":2}`, drop("x"), "x" + dropped},
		{`{"x":null,"y":"","z":[]}`, ``, `{}`, drop("x", "y", "z"), ""},
		{`{"x":{}}`, ``, `{}`, drop("x"), "x" + dropped},
		{`{"x":false}`, ``, `{}`, drop("x"), "x" + dropped},
		{`{"s":1,"one":1.0,"a":2,"e":3}`, ``, `{}`, drop("s", "one", "a", "e"), ""},
		{`{"one":0}`, ``, `{}`, drop("one"), "one" + dropped},
		{`{"x":1,"new":2}`, ``, `{"new":1}`, dialect.CommonRules{Rename: map[string]string{"x": "new"}}, ""},
		{`{"a": 1}`, `"b":2`, `{"b": 2}`, dialect.CommonRules{Rename: map[string]string{"a": "b"}}, ""},
		{`{"x":1,"y":2}`, ``, `{"y":2}`, dialect.CommonRules{Provider: "p", Fields: []string{"y"}}, "x" + dropped},
	} {
		got, warnings, ok := through(t, c.in, c.encoded, &c.rules, body.Passthrough{Members: all})
		if !ok || got != c.want || strings.Join(warnings, "|") != c.warning {
			t.Errorf("%s with %s: %v %q\n got %s\nwant %s", c.in, c.encoded, ok, warnings, got, c.want)
		}
	}
	rules := drop("r")
	if got, _, ok := through(t, `{"r":[1]}`, "", &rules, body.Passthrough{Members: all}); ok {
		t.Errorf("what must not be lost passes as %s", got)
	}
	if got, _, ok := through(t, `{"r":[]}`, "", &rules, body.Passthrough{Members: all}); !ok || got != "{}" {
		t.Errorf("%v %s", ok, got)
	}
	for _, in := range []string{``, `[]`, `{`, `{} x`, `"a"`} {
		if _, ok := body.ParsePassthrough([]byte(in)); ok {
			t.Errorf("%q is no object", in)
		}
	}
}

// Fields have several names, in a dialect whose providers take one and in one whose providers take all.
func TestPassthroughNames(t *testing.T) {
	same := body.Members{"max": {Compare: body.Replaced}, "config": {Compare: body.Replaced, Members: body.Members{"topK": {Compare: body.Replaced}}}}
	field := func(name string, _ jsonx.Value) string {
		switch name {
		case "old_max":
			return "max"
		case "older_max":
			return ""
		}
		return name
	}
	in := `{"older_max":1, "old_max" :2,"config":{"old_max":3}}`
	if got, _, _ := through(t, in, `"max":4`, &dialect.CommonRules{}, body.Passthrough{Members: same, Field: field}); got != `{ "max" :4,"config":{"old_max":3}}` {
		t.Error(got)
	}
	spelling := func(m jsonx.Value) string { return strings.ReplaceAll(string(m.Key()), "top_k", "topK") }
	in = `{"config":{"top_k" :2,"x":1}}`
	if got, _, _ := through(t, in, `"config":{"topK":3}`, &dialect.CommonRules{}, body.Passthrough{Members: same, Spelling: spelling}); got != `{"config":{"top_k" :3,"x":1}}` {
		t.Error(got)
	}
}

func TestPassthroughGroups(t *testing.T) {
	const in = `{"x":1, "b": 2 ,"c":3}`
	for stays, want := range map[bool]string{true: in, false: `{"x":1, "b": 4,"a":5 }`} {
		w := body.NewWriter(&chat.Request{}, &dialect.CommonRules{}, dialect.ModelExceptions{})
		root, _ := body.ParsePassthrough([]byte(in))
		p := body.Passthrough{Encode: func() {}}
		if !stays {
			p.Anew(func() { w.Raw(`"a":5,"b":4`) }, "a", "b", "c")
		}
		enc, ok := w.Passthrough("", []byte(in), root, &p)
		if !ok || string(enc.Body) != want {
			t.Errorf("%v %s", ok, enc.Body)
		}
	}
}

// A member of a random document, and what is to become of it.
type randomMember struct {
	name, text  string // text is the whole member
	value, want string // want is empty if the member is to be dropped
}

// TestPassthroughKeepsBytes: in random documents, of which some members differ from the encoder's, every other member
// keeps its bytes and its place.
func TestPassthroughKeepsBytes(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		space := func() string { return []string{"", "", " ", "\n\t", "\r\n  "}[r.IntN(5)] }
		var list []randomMember
		members := body.Members{}
		var in, encoded []string
		changes := false
		for i := range r.IntN(12) {
			name := fmt.Sprintf("m%d", i)
			m := randomMember{name: name, value: randomValue(r, 3, space)}
			m.want = m.value
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(m.value)); err != nil {
				t.Fatal(err)
			}
			switch r.IntN(6) {
			case 0: // the encoder does not write it, and it is not compared
			case 1:
				members[name] = body.Member{Compare: body.Replaced}
			case 2:
				members[name] = body.Member{Compare: body.Replaced}
				encoded = append(encoded, fmt.Sprintf("%q:%s", name, compact.String()))
			case 3:
				members[name] = body.Member{Compare: body.Exact}
				m.want, changes = fmt.Sprintf(`{"replaced":%d}`, i), true
				encoded = append(encoded, fmt.Sprintf("%q:%s", name, m.want))
			case 4:
				if strings.TrimSpace(m.value) != "null" {
					members[name] = body.Member{Compare: body.Exact}
					m.want, changes = "", true
				}
			case 5:
				members[name] = body.Member{Compare: body.Replaced}
				m.want, changes = "[true,null,2]", true
				encoded = append(encoded, fmt.Sprintf("%q:%s", name, m.want))
			}
			between := space() + ":" + space()
			m.text = fmt.Sprintf("%q%s%s", name, between, m.want)
			in = append(in, space()+fmt.Sprintf("%q%s%s", name, between, m.value)+space())
			list = append(list, m)
		}
		text := space() + "{" + strings.Join(in, ",") + "}" + space()
		r.Shuffle(len(encoded), func(i, j int) { encoded[i], encoded[j] = encoded[j], encoded[i] })
		got, warnings, ok := through(t, text, strings.Join(encoded, ","), &dialect.CommonRules{}, body.Passthrough{Members: members})
		if !ok || len(warnings) > 0 || !json.Valid([]byte(got)) || !changes && got != text {
			t.Fatalf("seed %d: %v %q\n%q became\n%q", seed, ok, warnings, text, got)
		}
		rest := strings.TrimSpace(got)[1:]
		for _, m := range list {
			if m.want == "" {
				continue
			}
			before, after, found := strings.Cut(rest, m.text)
			if !found || strings.Trim(before, " \r\n\t,") != "" {
				t.Fatalf("seed %d: %q does not follow\n%q became\n%q", seed, m.text, text, got)
			}
			rest = after
		}
		if strings.TrimSpace(rest) != "}" {
			t.Fatalf("seed %d: %q became\n%q", seed, text, got)
		}
	}
}

func randomValue(r *rand.Rand, depth int, space func() string) string {
	n := 6
	if depth == 0 {
		n = 4
	}
	switch r.IntN(n) {
	case 0:
		return []string{"null", "true", "false"}[r.IntN(3)]
	case 1:
		return []string{"0", "-1", "1e3", "2.50", "12345678901234567890"}[r.IntN(5)]
	case 2, 3:
		return []string{`""`, `"a,}\""`, `"\u00e9\/"`, `"漢"`}[r.IntN(4)]
	case 4:
		var list []string
		for range r.IntN(4) {
			list = append(list, space()+randomValue(r, depth-1, space)+space())
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	var list []string
	for i := range r.IntN(4) {
		list = append(list, fmt.Sprintf("%s\"k%d\"%s:%s%s", space(), i, space(), space(), randomValue(r, depth-1, space)))
	}
	return "{" + strings.Join(list, ",") + "}"
}

// A request with very many members costs no more than its length: this takes a minute if each costs a look at all.
func TestPassthroughIsLinear(t *testing.T) {
	var in strings.Builder
	in.WriteString(`{"a":1`)
	for i := range 250_000 {
		fmt.Fprintf(&in, `,"member%d":null`, i)
	}
	in.WriteString("}")
	begun := time.Now()
	got, _, ok := through(t, in.String(), `"a":2`, &dialect.CommonRules{}, body.Passthrough{Members: body.Members{"a": {Compare: body.Replaced}}})
	if want := strings.Replace(in.String(), "1", "2", 1); !ok || got != want {
		t.Errorf("%v, %d bytes became %d", ok, in.Len(), len(got))
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}
