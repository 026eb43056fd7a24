package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
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

func TestFilesOfCgroupLimits(t *testing.T) {
	for _, tt := range []struct {
		groups string
		want   []string
	}{
		{"", nil}, {"nonsense\n:\n", nil},
		{"0::/\n", []string{"/sys/fs/cgroup/memory.max"}},
		{"0::/system.slice/llm-gateway.service\n", []string{
			"/sys/fs/cgroup/system.slice/llm-gateway.service/memory.max", "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/memory.max"}},
		{"0::/../../else\n", nil}, // of a namespace around this one
		{"12:cpu,cpuacct:/a\n4:memory:/a\n0::/\n", []string{
			"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"}},
	} {
		if got := cgroupLimits(tt.groups); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q", tt.groups, got)
		}
	}
}

func TestSmallestLimitCounts(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	var files []string
	for i, text := range []string{"max", "3000000", "1000000", "2000000"} {
		files = append(files, filepath.Join(t.TempDir(), strconv.Itoa(i)))
		if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := limitMemory(func(string) (string, bool) { return "", false }, files); got != 900_000 {
		t.Errorf("%d bytes", got)
	}
}
