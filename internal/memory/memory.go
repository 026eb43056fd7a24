// Package memory fits the garbage collector of a long-running process to the memory that it may use.
package memory

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

// Limit lets the collector work harder as the smallest limit of this process's control groups comes near. It returns what
// it has set, in bytes; 0: there is no limit, or GOMEMLIMIT is set, which goes first.
func Limit() int64 { return limit(os.LookupEnv, currentCgroupLimits()) }

// limit lets the garbage collector work harder before the smallest of the limits in the files is reached, where the
// kernel kills the process. A tenth is left for what the collector does not count. GOMEMLIMIT goes first.
func limit(env func(string) (string, bool), files []string) (least int64) {
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
		if n = n / 10 * 9; least == 0 || n < least {
			least = n
		}
	}
	if least > 0 {
		debug.SetMemoryLimit(least)
	}
	return least
}

const (
	floorBytes = 32 << 20
	// leastForFloor is the smallest limit of memory beside which the floor does not matter.
	leastForFloor = 256 << 20
)

// floor is never written to, so that it takes addresses, but no memory.
var floor []byte

// Floor lets the collector run when the heap has grown by at least 32 MB, instead of by what is in use: that of an idle
// gateway is a few megabytes, and under load it would run hundreds of times a second. The price is 32 MB of garbage. It
// does nothing if GOGC is set, or if the limit of memory is small.
func Floor() {
	if _, ok := os.LookupEnv("GOGC"); ok || debug.SetMemoryLimit(-1) < leastForFloor {
		return
	}
	floor = make([]byte, floorBytes)
}
