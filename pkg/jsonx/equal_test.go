package jsonx_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func TestEqual(t *testing.T) {
	parse := func(text string) jsonx.Value {
		if text == "" {
			return jsonx.Value{}
		}
		v, err := jsonx.Parse([]byte(text), jsonx.Lenient)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"", "null", false}, {"null", "null", true}, {"true", "false", false}, {"true", "true", true},
		{"1", "1.0", true}, {"1", "1.5", false}, {"0.70", "7e-1", true}, {"9007199254740993", "9007199254740992", false},
		{"1e999", "1e999", true}, {"1e999", "2e999", false}, {"1", `"1"`, false},
		{`"a\u0062"`, `"ab"`, true}, {`"a"`, `"b"`, false}, {`"\\"`, `"\/"`, false}, {`"é"`, `"\u00e9"`, true},
		{"[1, 2]", "[1,2.0]", true}, {"[1]", "[1,2]", false}, {"[]", "{}", false}, {`{ "a":[null] }`, `{"a":[null]}`, true},
		{`{"a":1}`, `{"b":1}`, false}, {`{"a":1,"b":2}`, `{"b":2,"a":1}`, false}, {`{"a":{"b":1}}`, `{"a":{"b":2}}`, false},
	} {
		if got := jsonx.Equal(parse(c.a), parse(c.b)); got != c.want || jsonx.Equal(parse(c.b), parse(c.a)) != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}
