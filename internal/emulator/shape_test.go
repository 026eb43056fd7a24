package emulator

import (
	"fmt"
	"testing"
)

func TestReaderFindsWhatIsWrong(t *testing.T) {
	s := objectOf(fields{
		"name!": aString(), "n": anInteger(), "f": aNumber(), "on": aBool(), "size": oneOf("S",
			"L"), "any": anyValue(), "maybe": orNull(aString()),
		"list": listOf(objectOf(fields{"x": aString()})), "either": stringOr(listOf(aString())),
		"openMap": &shape{kind: objectKind, every: anInteger()},
		"kind":    byType(map[string]*shape{"a": objectOf(fields{"type!": aString(), "v!": aString()})}),
	})
	tests := []struct {
		json  string
		proto bool
		want  string // wrong, path as dots, of each violation
	}{
		{`{"name":"a","n":1,"f":1.5,"on":true,"size":"S","any":[1],"maybe":null,"list":[{"x":"y"}],"either":["a"],"openMap":{"q":1},"kind":{"type":"a","v":"w"}}`, false, ""},
		{`{"name":"a","either":"b"}`, false, ""},
		{`{}`, false, "1 name"},
		{`{"name":"a","b":1}`, false, "0 b"},
		{`{"name":null}`, false, "2 name"},
		{`{"name":"a","n":1.5}`, false, "2 n"},
		{`{"name":"a","n":"1"}`, false, "2 n"},
		{`{"name":"a","size":"M"}`, false, "3 size"},
		{`{"name":"a","list":[{},{"x":1},{"y":1}]}`, false, "2 list.1.x; 0 list.2.y"},
		{`{"name":"a","either":{"b":1}}`, false, "2 either"},
		{`{"name":"a","openMap":{"q":"r"}}`, false, "2 openMap.q"},
		{`{"name":"a","kind":{}}`, false, "1 kind.type"},
		{`{"name":"a","kind":{"type":"b"}}`, false, "3 kind.type"},
		{`{"name":"a","kind":{"type":"a","x":1}}`, false, "1 kind.a.v; 0 kind.a.x"},
		{`{"name":"a","open_map":{"q":1},"n":"12","size":"s","on":null}`, true, ""},
		{`{"name":"a","n":"twelve"}`, true, "2 n"},
		{`{"name":"a","no_such":1}`, true, "0 no_such"},
	}
	for _, tt := range tests {
		v, err := decode([]byte(tt.json))
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{proto: tt.proto}
		r.read(s, v, nil)
		got := ""
		for i, f := range r.found {
			if i > 0 {
				got += "; "
			}
			got += fmt.Sprint(int(f.wrong), " ", f.path.dots())
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.json, got, tt.want)
		}
		if tt.proto && tt.want == "" && string(encode(v)) != `{"n":12,"name":"a","on":null,"openMap":{"q":1},"size":"s"}` {
			t.Errorf("read as %s", encode(v))
		}
	}
}

func TestPathsInBrackets(t *testing.T) {
	p := path{"generationConfig", "list", 3, tag("x"), "someName"}
	if got := p.brackets(snake); got != "generation_config.list[3].some_name" {
		t.Errorf("%s", got)
	}
}
