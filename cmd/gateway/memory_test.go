package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestMemoryLimitOfTheCgroup(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	file := filepath.Join(t.TempDir(), "memory.max")
	unset := func(string) (string, bool) { return "", false }
	set := func(string) (string, bool) { return "300MiB", true }
	for _, tt := range []struct {
		text string
		env  func(string) (string, bool)
		want int64
	}{
		{"max\n", unset, 0}, {"9223372036854771712\n", unset, 0}, {"0", unset, 0}, {"", unset, 0},
		{"1000000000\n", set, 0}, {"1000000000\n", unset, 900_000_000},
	} {
		debug.SetMemoryLimit(math.MaxInt64)
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := limitMemory(tt.env, []string{filepath.Join(t.TempDir(), "missing"), file})
		in := debug.SetMemoryLimit(-1)
		if got != tt.want || tt.want > 0 && in != tt.want || tt.want == 0 && in != math.MaxInt64 {
			t.Errorf("%q: %d, and %d is set", tt.text, got, in)
		}
	}
}
