package server

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// valuesOf counts the values of a decoded JSON text.
func valuesOf(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += valuesOf(e)
		}
	case map[string]any:
		for _, e := range v {
			n += valuesOf(e)
		}
	}
	return n
}

// randomValue returns a JSON value of at most the depth, without empty containers.
func randomValue(rng *rand.Rand, depth int) any {
	texts := []string{"", `a"b`, `\`, `\\"`, `{[,]}`, "é", `",`, `\",[`}
	switch kind := rng.IntN(6); {
	case kind == 0 && depth > 0:
		list := make([]any, 1+rng.IntN(4))
		for i := range list {
			list[i] = randomValue(rng, depth-1)
		}
		return list
	case kind <= 2 && depth > 0:
		members := map[string]any{}
		for range 1 + rng.IntN(4) {
			members[texts[rng.IntN(len(texts))]] = randomValue(rng, depth-1)
		}
		return members
	case kind == 3:
		return rng.Float64()
	case kind == 4:
		return nil
	}
	return texts[rng.IntN(len(texts))]
}

func TestCountValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		v := randomValue(rng, 5)
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := countValues(text), valuesOf(v); got != want {
			t.Fatalf("%s: %d, want %d", text, got, want)
		}
	}
	for _, text := range []string{"", `"`, `"\`, `"\"`, `{"a`, `[[[`} {
		countValues([]byte(text)) // no text makes it panic
	}
}

func BenchmarkCountValues(b *testing.B) {
	text, _ := json.Marshal(map[string]any{"messages": []any{map[string]any{"role": "user", "content": string(make([]byte, 8000))}}})
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		countValues(text)
	}
}
