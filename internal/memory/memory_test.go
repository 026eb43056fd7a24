package memory

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
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
		got := limit(tt.env, []string{filepath.Join(t.TempDir(), "missing"), file})
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
	if got := limit(func(string) (string, bool) { return "", false }, files); got != 900_000 {
		t.Errorf("%d bytes", got)
	}
}

// The collector does not run for every few megabytes of garbage, unless the process may use little.
func TestFloorOfTheHeap(t *testing.T) {
	defer func() { floor = nil }()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(leastForFloor - 1))
	t.Setenv("GOGC", "50")
	next := func() uint64 {
		Floor()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NextGC
	}
	next()
	if floor != nil {
		t.Error("the floor goes before GOGC")
	}
	os.Unsetenv("GOGC")
	next()
	if floor != nil {
		t.Error("there is a floor below a small limit")
	}
	debug.SetMemoryLimit(math.MaxInt64)
	if n := next(); n < 2*floorBytes {
		t.Errorf("the next collection is at %d bytes", n)
	}
}
