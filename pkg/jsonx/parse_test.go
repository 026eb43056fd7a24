package jsonx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tree is the value as encoding/json would read it, with numbers as json.Number.
func tree(v jsonx.Value) any {
	switch v.Kind() {
	case jsonx.Bool:
		b, _ := v.Bool()
		return b
	case jsonx.Number:
		return json.Number(v.Raw())
	case jsonx.String:
		return v.Str()
	case jsonx.Array:
		a := []any{}
		for e := v.First(); e.Exists(); e = e.Next() {
			a = append(a, tree(e))
		}
		return a
	case jsonx.Object:
		o := map[string]any{}
		for m := v.First(); m.Exists(); m = m.Next() {
			o[string(m.Key())] = tree(m)
		}
		return o
	}
	return nil
}

func reference(text []byte) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err == nil || err.Error() != "EOF" {
		return nil, errors.New("trailing data")
	}
	return v, nil
}

var wellFormed = []string{
	`{}`, `[]`, `""`, `0`, `-0`, `1.5e+10`, `1E-7`, `null`, `true`, ` false `,
	`{"a":1,"b":[1,2,{"c":null}],"d":{"e":"f"}}`,
	"\t\r\n [ 1 , 2 ] \n",
	`"plain ascii that is longer than eight bytes"`,
	`"é ünïcödé 漢字 🙂 mixed with ascii"`,
	`"escapes \" \\ \/ \b \f \n \r \t é 🙂 \ud83d \ude42x \ud83da"`,
	`{"ke\u0079":1,"k":{"":0}}`,
	`[[[[[[]]]]]]`, `[1234567890123456789012345678901234567890]`,
	`{"a":"1234567","b":"12345678","c":"123456789\"","d":"1234567\\"}`,
}

// A short text of a caller's cannot take much memory; a provider's vectors can be long.
func TestValuesAreBounded(t *testing.T) {
	text := func(n int) []byte { return []byte("[" + strings.TrimSuffix(strings.Repeat("0,", n-1), ",") + "]") }
	if _, err := jsonx.Parse(text(jsonx.MaxValues), jsonx.Strict); err != nil {
		t.Error(err)
	}
	_, err := jsonx.Parse(text(jsonx.MaxValues+1), jsonx.Strict)
	if err == nil || !strings.Contains(jsonx.Syntax(err).Error(), "more than 524288 values") {
		t.Errorf("%v", err)
	}
	if _, err := jsonx.Parse(text(4*jsonx.MaxValues), jsonx.Lenient); err != nil {
		t.Error(err)
	}
}

func TestParseAgreesWithEncodingJSON(t *testing.T) {
	for _, text := range wellFormed {
		want, err := reference([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, mode := range []jsonx.Mode{jsonx.Strict, jsonx.Lenient} {
			v, err := jsonx.Parse([]byte(text), mode)
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if got := tree(v); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\n got %#v\nwant %#v", text, got, want)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	deep := strings.Repeat("[", jsonx.MaxDepth+1) + strings.Repeat("]", jsonx.MaxDepth+1)
	for text, want := range map[string]string{
		``:                                "the text is empty (at byte 0)",
		`  `:                              "the text is empty (at byte 2)",
		`{`:                               "expected a member's name in quotes, got the end of the text (at byte 1)",
		`{"a"}`:                           "expected a colon after a member's name, got '}' (at byte 4)",
		`{"a":}`:                          "a: expected a value, got '}' (at byte 5)",
		`{"a":1,}`:                        "expected a member's name in quotes, got '}' (at byte 7)",
		`{"a":[1,{"b":tru}]}`:             "a[1].b: expected a value, got 't' (at byte 13)",
		`[1 2]`:                           "expected a comma or ']', got '2' (at byte 3)",
		`[1,]`:                            "[1]: expected a value, got ']' (at byte 3)",
		`{"a":1} x`:                       "expected the end, got 'x' (at byte 8)",
		`01`:                              "a number must not begin with a zero (at byte 0)",
		`-`:                               "expected a digit, got the end of the text (at byte 1)",
		`[1.]`:                            "[0]: expected a digit, got ']' (at byte 3)",
		`[1e+]`:                           "[0]: expected a digit, got ']' (at byte 4)",
		`"abc`:                            "expected a closing quote, got the end of the text (at byte 4)",
		`"a\x"`:                           "a string holds a backslash that escapes nothing (at byte 2)",
		`"\u12g4"`:                        "a string holds a backslash that escapes nothing (at byte 1)",
		"{\"a\":\"line\nbreak\"}":         "a: a string holds the control character 0x0a unescaped (at byte 10)",
		"\xef\xbb\xbf{}":                  "expected a value, got the byte 0xef (at byte 0)",
		`{"messages":[{},{"a":1,"a":2}]}`: "messages[1].a: the member is there twice",
		`{"a":1,"\u0061":2}`:              "a: the member is there twice",
		"{\"a\":[\"caf\xe9 au lait\"]}":   "a[0]: the text is not valid UTF-8 (at byte 7)",
		"{\"a\xff\":1}":                   "the text is not valid UTF-8 (at byte 2)",
		deep:                              "nested deeper than 128 levels",
		`{"odd key":{"x.y":[nul]}}`:       `["odd key"]["x.y"][0]: expected a value, got 'n' (at byte 19)`,
	} {
		_, err := jsonx.Parse([]byte(text), jsonx.Strict)
		var se *jsonx.SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%.40q: %v", text, err)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q:\n got %s\nwant %s", text, err, want)
		}
	}
}

func TestDuplicatesInLargeObject(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"first":0`)
	for i := range 100_000 {
		fmt.Fprintf(&b, `,"k%d":0`, i)
	}
	if _, err := jsonx.Parse([]byte(b.String()+"}"), jsonx.Strict); err != nil {
		t.Fatal(err)
	}
	_, err := jsonx.Parse([]byte(b.String()+`,"k77":1}`), jsonx.Strict)
	if err == nil || !strings.Contains(err.Error(), "k77: the member is there twice") {
		t.Fatal(err)
	}
}

func TestLenient(t *testing.T) {
	v, err := jsonx.Parse([]byte("{\"a\":\"caf\xe9\\n\",\"b\":1,\"b\":2,\"\xff\":3}"), jsonx.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Get("a").Str(); got != "caf\uFFFD\n" {
		t.Errorf("invalid UTF-8: %q", got)
	}
	if n, _ := v.Get("b").Int64(); n != 2 {
		t.Errorf("the last duplicate does not count: %d", n)
	}
	if !v.Get("\uFFFD").Exists() {
		t.Error("invalid name not found")
	}
}

func TestValues(t *testing.T) {
	v, err := jsonx.Parse([]byte(`{"i":42,"neg":-7,"f":1.0,"e":1e2,"frac":1.5,"big":9223372036854775808,"max":9223372036854775807,
		"huge":1e999,"huge2":1e15,"huge3":1e17,"s":"x\n","n":null,"t":true,"o":{"a":[ 1, 2 ]}}`), jsonx.Strict)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"i": 42, "neg": -7, "f": 1, "e": 100, "max": 9223372036854775807, "huge2": 1e15} {
		if n, ok := v.Get(name).Int64(); !ok || n != want {
			t.Errorf("%s: %d %v", name, n, ok)
		}
	}
	for _, name := range []string{"frac", "big", "huge", "huge3", "s", "n", "absent"} {
		if n, ok := v.Get(name).Int64(); ok {
			t.Errorf("%s: %d", name, n)
		}
	}
	if _, ok := v.Get("huge").Float64(); ok {
		t.Error("1e999 read as a float")
	}
	if got := v.Get("o").Clone(); string(got) != `{"a":[1,2]}` {
		t.Errorf("Clone: %s", got)
	}
	if v.Get("n").Given() || !v.Get("n").Exists() || v.Get("absent").Exists() || v.Get("n").Clone() != nil {
		t.Error("null or absent is mistaken")
	}
	if !v.Get("s").Is("x\n") || v.Get("s").Is("x") || v.Get("i").Is("42") {
		t.Error("Is")
	}
	if got := v.Get("s").Raw(); string(got) != `"x\n"` {
		t.Errorf("Raw: %s", got)
	}
	if got := v.Get("o").Get("a").First().Next().Path(); got != "o.a[1]" {
		t.Errorf("Path: %s", got)
	}
	if got := v.Get("o").Member("we ird"); got != `o["we ird"]` {
		t.Errorf("Member: %s", got)
	}
	var none jsonx.Value
	if none.Get("x").Str()+string(none.Raw())+none.Path() != "" || none.First().Next().Exists() || none.Len() != 0 {
		t.Error("a missing value is something")
	}
}

func TestReuseDoesNotLeak(t *testing.T) {
	var d jsonx.Doc
	if err := d.Parse([]byte(`{"a":{"b":1}}`), jsonx.Strict); err != nil {
		t.Fatal(err)
	}
	if err := d.Parse([]byte(`{"a"`), jsonx.Strict); err == nil || d.Root().Exists() {
		t.Fatal("the root of a failed parse exists")
	}
	if err := d.Parse([]byte(`[1]`), jsonx.Strict); err != nil || d.Root().Len() != 1 || d.Root().Get("a").Exists() {
		t.Fatal("what was parsed before shows")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range wellFormed {
		f.Add([]byte(text))
	}
	for _, text := range []string{`{"a":1,"a":2}`, "\"\xff\"", `[1,`, `"\ud800"`, `{"a" 1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lenient, lerr := jsonx.Parse(text, jsonx.Lenient)
		strict, serr := jsonx.Parse(text, jsonx.Strict)
		if serr == nil && lerr != nil {
			t.Fatalf("strict accepts what lenient refuses: %v", lerr)
		}
		want, err := reference(text)
		if err != nil && lerr == nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if lerr != nil {
			if err == nil && !strings.Contains(lerr.Error(), "nested deeper") {
				t.Fatalf("refused (%v), but encoding/json accepts", lerr)
			}
			return
		}
		if serr == nil && !utf8.Valid(text) {
			t.Fatal("strict accepts invalid UTF-8")
		}
		if utf8.Valid(text) {
			if got := tree(lenient); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %#v, encoding/json %#v", got, want)
			}
		}
		if serr == nil && !reflect.DeepEqual(tree(strict), tree(lenient)) {
			t.Fatal("the modes differ")
		}
		compact := jsonx.AppendCompact(nil, lenient.Raw())
		if again, err := jsonx.Parse(compact, jsonx.Lenient); err != nil || !reflect.DeepEqual(tree(again), tree(lenient)) {
			t.Fatalf("compact form %s differs: %v", compact, err)
		}
	})
}
