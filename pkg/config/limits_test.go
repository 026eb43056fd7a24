package config

import (
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "8192": 8192, "8192B": 8192, "64KB": 64 << 10, "64kb": 64 << 10, "64K": 64 << 10, "64 KiB": 64 << 10, "32MB": 32 << 20,
		"1GB": 1 << 30, "8388608 MB": 8 << 40, "8589934591GB": 8589934591 << 30,
	} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%q: %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "+1", "1.5MB", "1TB", "1 M B", "1i", "1iB", "1BB", "1MM", "KB1", "0x10", "1e3",
		"9223372036854775808", "8589934592GB", "٣"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
	for _, n := range []int64{0, 1, 1000, 1 << 10, 1 << 20, 3 << 20, 1 << 30, 5<<30 + 1} {
		if got, ok := parseSize(formatSize(n)); !ok || got != n {
			t.Errorf("%d is written %s and read as %d", n, formatSize(n), got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "90s": 90 * time.Second, "15m": 15 * time.Minute, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "0": 0,
	} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%q: %s %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "s", "-5", "1d", "90 s", "9223372037", "1e9"} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"1", "32MB", "1 GiB", "9999999999GB", "i", "1\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := parseSize(text)
		if ok && n < 0 {
			t.Errorf("%q is %d", text, n)
		}
		if again, fine := parseSize(formatSize(n)); ok && (!fine || again != n) {
			t.Errorf("%q is %d, then %d", text, n, again)
		}
	})
}
