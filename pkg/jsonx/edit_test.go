package jsonx_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A change is one of set, drop and rename.
type change struct {
	what, name, arg string
}

func edited(t testing.TB, in string, path []string, changes ...change) string {
	t.Helper()
	v, err := jsonx.Parse([]byte(in), jsonx.Lenient)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	for _, name := range path {
		v = v.Get(name)
	}
	e := jsonx.NewEdit(v)
	for _, c := range changes {
		switch c.what {
		case "set":
			e.Set(c.name, []byte(c.arg))
		case "drop":
			e.Drop(c.name)
		default:
			e.Rename(c.name, c.arg)
		}
	}
	out := e.Append([]byte("before"))
	if string(out[:6]) != "before" || !e.Changed() && string(v.Raw()) != in && path == nil && string(out[6:]) != in {
		t.Errorf("%s became %s", in, out)
	}
	return string(out[6:])
}

func TestEdit(t *testing.T) {
	odd := "\n { \"a\" :1 ,\t\"b\"\r\n: [ {\"a\":2} ] , \"\\u0063\":\"x,}\" }  \n"
	for _, c := range []struct {
		in      string
		changes []change
		want    string
	}{
		{odd, nil, odd},
		{odd, []change{{"drop", "z", ""}, {"rename", "y", "a"}, {"rename", "a", "a"}}, odd},
		{odd, []change{{"set", "a", `{"k":true}`}}, "\n { \"a\" :{\"k\":true} ,\t\"b\"\r\n: [ {\"a\":2} ] , \"\\u0063\":\"x,}\" }  \n"},
		{odd, []change{{"drop", "a", ""}}, "\n {\t\"b\"\r\n: [ {\"a\":2} ] , \"\\u0063\":\"x,}\" }  \n"},
		{odd, []change{{"drop", "b", ""}}, "\n { \"a\" :1 , \"\\u0063\":\"x,}\" }  \n"},
		{odd, []change{{"drop", "c", ""}}, "\n { \"a\" :1 ,\t\"b\"\r\n: [ {\"a\":2} ] }  \n"},
		{odd, []change{{"set", "c", "null"}, {"rename", "b", "B\"\n"}}, "\n { \"a\" :1 ,\t\"B\\\"\\n\"\r\n: [ {\"a\":2} ] , \"\\u0063\":null }  \n"},
		{odd, []change{{"set", "n", "1"}, {"set", "m", "2"}}, "\n { \"a\" :1 ,\t\"b\"\r\n: [ {\"a\":2} ] , \"\\u0063\":\"x,}\",\"n\":1,\"m\":2 }  \n"},
		{odd, []change{{"drop", "a", ""}, {"drop", "b", ""}, {"drop", "c", ""}}, "\n {}  \n"},
		{odd, []change{{"drop", "a", ""}, {"drop", "b", ""}, {"drop", "c", ""}, {"set", "a", "3"}}, "\n {\"a\":3}  \n"},
		{"{ }", []change{{"set", "a", "1"}}, `{"a":1}`},
		{"{}", []change{{"set", "a", "1"}, {"set", "a", "2"}, {"rename", "a", "b"}, {"set", "c", "4"}}, `{"b":2,"c":4}`},
		{"{}", []change{{"set", "a", "1"}, {"drop", "a", ""}}, "{}"},
		{`{"a":1,"b":2,"a":3}`, []change{{"set", "a", "4"}}, `{"b":2,"a":4}`},
		{`{"a":1,"b":2,"a":3}`, []change{{"drop", "a", ""}}, `{"b":2}`},
		{`{"a":1,"b":2,"a":3}`, []change{{"rename", "a", "b"}}, `{"b":3}`},
		{`{"a":1,"b":2,"a":3}`, []change{{"set", "c", "4"}}, `{"a":1,"b":2,"a":3,"c":4}`},
		{`{"a":1,"b":2}`, []change{{"rename", "a", "c"}, {"set", "a", "5"}}, `{"c":1,"b":2,"a":5}`},
	} {
		if got := edited(t, c.in, nil, c.changes...); got != c.want {
			t.Errorf("%q with %v:\n got %q\nwant %q", c.in, c.changes, got, c.want)
		}
	}
	if got := edited(t, `{"x": {"o": { "k" : 1 } } }`, []string{"x", "o"}, change{"set", "l", "2"}); got != `{ "k" : 1,"l":2 }` {
		t.Errorf("an inner object became %s", got)
	}
	if got := edited(t, `{"x": [1] }`, []string{"x"}, change{"drop", "l", ""}); got != `[1]` {
		t.Errorf("an array became %s", got)
	}
}

// FuzzEdit: an edited text means what the edited map means.
func FuzzEdit(f *testing.F) {
	f.Add(`{"a":1,"b":[2],"a":3}`, "a", "b", "c", uint8(0))
	f.Add("\t{ \"model\" : \"x\" ,\n\"s\\u0074op\":null }\n", "model", "stop", "max", uint8(27))
	f.Add(`{}`, "", "", "", uint8(255))
	f.Fuzz(func(t *testing.T, in, a, b, c string, order uint8) {
		var want map[string]json.RawMessage
		if !utf8.ValidString(in) || json.Unmarshal([]byte(in), &want) != nil || want == nil {
			return // the two replace invalid bytes in different ways
		}
		v, err := jsonx.Parse([]byte(in), jsonx.Lenient)
		if err != nil {
			return // too deep
		}
		names := []string{valid(a), valid(b), valid(c)}
		e := jsonx.NewEdit(v)
		for range 4 {
			name, other := names[order%3], names[order/3%3]
			switch order & 3 {
			case 0:
				e.Set(name, []byte(`{"set":"\u0020"}`))
				want[name] = json.RawMessage(`{"set":"\u0020"}`)
			case 1:
				e.Drop(name)
				delete(want, name)
			case 2:
				if value, ok := want[name]; ok {
					delete(want, name)
					want[other] = value
				}
				e.Rename(name, other)
			}
			order = order>>2 | order<<6
		}
		out := e.Append(nil)
		var got map[string]json.RawMessage
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s became %s: %v", in, out, err)
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
			t.Fatalf("%s became %s", in, out)
		}
		for name := range want {
			var x, y any
			if json.Unmarshal(want[name], &x) != nil || json.Unmarshal(got[name], &y) != nil || !reflect.DeepEqual(x, y) {
				t.Fatalf("%s became %s: %s is %s", in, out, name, got[name])
			}
		}
		if !e.Changed() && string(out) != in {
			t.Fatalf("unchanged, but %q became %q", in, out)
		}
	})
}

// valid is s as a name can be: of valid UTF-8.
func valid(s string) string {
	name, _ := jsonx.Parse(jsonx.AppendString(nil, s), jsonx.Lenient)
	return name.Str()
}
