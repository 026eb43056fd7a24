package main

import (
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// cgroupLimits returns the files in which Linux may say how much memory the process may use: of its control group and of
// those around it, in versions 1 and 2. groups is the text of /proc/self/cgroup; in a container it names the root
// (https://docs.kernel.org/admin-guide/cgroup-v2.html, read 2026-12-01).
func cgroupLimits(groups string) (files []string) {
	add := func(root, group, file string) {
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			files = append(files, root+path.Join(group, file))
			if group == "/" {
				return
			}
		}
	}
	for line := range strings.Lines(groups) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		switch {
		case !ok || strings.Contains(group, ".."):
		case id == "0" && controllers == "":
			add("/sys/fs/cgroup", group, "/memory.max")
		case controllers == "memory":
			add("/sys/fs/cgroup/memory", group, "/memory.limit_in_bytes")
		}
	}
	return files
}

// currentCgroupLimits are those of this process; none where there are no control groups.
func currentCgroupLimits() []string {
	groups, _ := os.ReadFile("/proc/self/cgroup")
	return cgroupLimits(string(groups))
}

// unlimited is more memory than machines have: cgroups v1 write such a number where there is no limit.
const unlimited = 1 << 50

// limitMemory lets the garbage collector work harder before the smallest of the limits in the files is reached, where the
// kernel kills the process. A tenth is left for what the collector does not count. GOMEMLIMIT goes first.
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
		if n = n / 10 * 9; limit == 0 || n < limit {
			limit = n
		}
	}
	if limit > 0 {
		debug.SetMemoryLimit(limit)
	}
	return limit
}
