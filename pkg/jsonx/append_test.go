package jsonx_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `""`,
		"plain":                   `"plain"`,
		"a \"quoted\" \\ string":  `"a \"quoted\" \\ string"`,
		"\x00\x01\b\f\n\r\t\x1f":  `"\u0000\u0001\b\f\n\r\t\u001f"`,
		"<html> & é 漢 🙂 \u2028":   "\"<html> & é 漢 🙂 \u2028\"",
		"12345678\"12345678\n123": `"12345678\"12345678\n123"`,
		"bad \xff\xfe utf-8 \xe6": "\"bad \uFFFD\uFFFD utf-8 \uFFFD\"",
		"\x7f":                    "\"\x7f\"",
	} {
		if got := string(jsonx.AppendString(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for _, f := range []float64{0, 1, -1, 0.7, 1.5, 1e20, 1e21, 1e-6, 1e-7, 123456.789, math.MaxFloat64, 5e-324} {
		got := string(jsonx.AppendFloat(nil, f))
		var back float64
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != f {
			t.Errorf("%v is written as %s", f, got)
		}
	}
	if got := string(jsonx.AppendFloat(nil, math.NaN())); got != "null" {
		t.Error(got)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 1024)
	text := "some text with \"quotes\", é and\nlines"
	if n := testing.AllocsPerRun(100, func() {
		buf = jsonx.AppendString(buf[:0], text)
		buf = jsonx.AppendFloat(buf, 0.7)
		buf = jsonx.AppendInt(buf, 12)
		buf = jsonx.AppendBool(buf, true)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "abc", "a\"b\\c", "\x00\x1f", "é漢🙂", "\xff\xc0", "1234567\n", "12345678\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := jsonx.AppendString(nil, s)
		if strings.ContainsAny(string(out), "\r\n") || !utf8.Valid(out) {
			t.Fatalf("%q", out)
		}
		var back string
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for _, r := range s {
			want.WriteRune(r)
		}
		if back != want.String() {
			t.Fatalf("got %q, want %q", back, want.String())
		}
		v, err := jsonx.Parse(out, jsonx.Strict)
		if err != nil || v.Str() != back {
			t.Fatalf("reads back as %q, %v", v.Str(), err)
		}
	})
}
