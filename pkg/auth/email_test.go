package auth

import (
	"strings"
	"testing"
)

func TestNormalizeEmail(t *testing.T) {
	for in, want := range map[string]string{
		"name@example.com":         "name@example.com",
		"  Name@Example.COM\r\n":   "name@example.com",
		"first.last+tag@a-b.co.uk": "first.last+tag@a-b.co.uk",
		"admin@localhost":          "admin@localhost",
		"ÄRZTIN@BÜCHER.de":         "ärztin@bücher.de",
		"o'hara@example.com":       "o'hara@example.com",
		strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61): strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61),
	} {
		if got, err := NormalizeEmail(in); err != nil || got != want {
			t.Errorf("%q: %q %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]error{
		"":                                    errEmailEmpty,
		" \t ":                                errEmailEmpty,
		"name":                                errEmailShape,
		"@example.com":                        errEmailShape,
		"name@":                               errEmailShape,
		"name@@example.com":                   errEmailShape,
		"a@b@c.com":                           errEmailShape,
		"na me@example.com":                   errEmailShape,
		"name@exa mple.com":                   errEmailShape,
		"name@example..com":                   errEmailShape,
		"name@.example.com":                   errEmailShape,
		"name@example.com.":                   errEmailShape,
		"name@-example.com":                   errEmailShape,
		"name@example-.com":                   errEmailShape,
		"Name <name@example.com>":             errEmailShape,
		"name@exam_ple.com":                   errEmailShape,
		"name\x00@example.com":                errEmailShape,
		"name\n@example.com":                  errEmailShape,
		"na\u200bme@example.com":              errEmailShape, // zero width space
		"na\xffme@example.com":                errEmailShape,
		strings.Repeat("a", 65) + "@b.c":      errEmailShape,
		"a@" + strings.Repeat("b", 64) + ".c": errEmailShape,
		"a@" + strings.Repeat("b.", 127):      errEmailLong,
		strings.Repeat("a", 100_000):          errEmailLong,
	} {
		if got, err := NormalizeEmail(in); err != want || got != "" {
			t.Errorf("%.40q: %q %v, want %v", in, got, err, want)
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, seed := range []string{"name@example.com", " A@B ", "İ@x.de", "ẞ@x", "K@x", "a@b\u0301c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := NormalizeEmail(in)
		if err != nil {
			return
		}
		if len(out) > MaxEmailLength || strings.Count(out, "@") != 1 || strings.ContainsAny(out, " \t\r\n\x00<>") {
			t.Errorf("%q became %q", in, out)
		}
		if again, err := NormalizeEmail(out); err != nil || again != out {
			t.Errorf("%q, then %q, then %q (%v)", in, out, again, err)
		}
	})
}
