package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// cgroupLimits are the files in which Linux says how much memory the process may use: those of cgroups v2 and v1, as a
// container sees them (https://docs.kernel.org/admin-guide/cgroup-v2.html, read 2026-12-01).
var cgroupLimits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// unlimited is more memory than machines have: cgroups v1 write such a number where there is no limit.
const unlimited = 1 << 50

// limitMemory lets the garbage collector work harder before the cgroup's limit is reached, where the kernel kills the
// process. A tenth is left for what the collector does not count. GOMEMLIMIT goes first.
func limitMemory(env func(string) (string, bool), files []string) (limit int64) {
	if value, ok := env("GOMEMLIMIT"); ok && value != "" {
		return 0
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil || n <= 0 || n >= unlimited {
			continue // "max"
		}
		limit = n / 10 * 9
		debug.SetMemoryLimit(limit)
		return limit
	}
	return 0
}
