package jsonx_test

import (
	"math/rand/v2"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func TestPaths(t *testing.T) {
	v, err := jsonx.Parse([]byte(`{"a":[1,[2,{"b c":3}],{}],"d":{"e":[{"f":null}]},"":[[]],"g":[1,2,3]}`), jsonx.Strict)
	if err != nil {
		t.Fatal(err)
	}
	var all []jsonx.Value
	var add func(v jsonx.Value)
	add = func(v jsonx.Value) {
		all = append(all, v)
		for c := v.First(); c.Exists(); c = c.Next() {
			add(c)
		}
	}
	add(v)
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 { // in the order of the document, then in any
		var p jsonx.Paths
		for _, v := range all {
			if got, want := p.Of(v), v.Path(); got != want {
				t.Fatalf("%q, want %q", got, want)
			}
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	var p jsonx.Paths
	if got := p.Of(jsonx.Value{}); got != "" {
		t.Error(got)
	}
}
