// Package version names the version of the running gateway. The command line, the dashboard and the User-Agent
// towards providers all show it.
package version

import (
	"runtime/debug"
	"sync"
)

// release is set by the linker for a release:
//
//	-ldflags "-X github.com/alicetears/llm-gateway/internal/version.release=v1.2.3"
var release string

// String returns the version of the running binary: that of the release, the module version of go install …@v1.2.3, or
// the revision of a local build. It has no spaces or parentheses, so that it can stand in a User-Agent (RFC 9110, 5.6.2).
var String = sync.OnceValue(func() string {
	info, _ := debug.ReadBuildInfo()
	return of(release, info)
})

// unknown is the version of a build without information about its source.
const unknown = "devel"

// of returns the version that the linker and the build information, which may be nil, give.
func of(release string, info *debug.BuildInfo) string {
	if release != "" {
		return release
	}
	if info == nil {
		return unknown
	}
	// The go command also writes a version here for a build in a Git checkout: a pseudo-version with the revision, and
	// "+dirty" if files are changed (go.dev/doc/go1.24#go-command).
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return unknown
	}
	const shown = 12 // as in a pseudo-version
	version := unknown + "-" + revision[:min(len(revision), shown)]
	if settings["vcs.modified"] == "true" {
		version += "+dirty"
	}
	return version
}
