package main

import (
	"context"
	"runtime/debug"
)

// version is set by the linker for a release.
var version = ""

func printVersion(_ context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("version"), args); err != nil {
		return err
	}
	t.printf("llm-gateway %s\n", versionText())
	return nil
}

// versionText is the release, or what Go knows about where the source came from.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(development)"
	}
	return info.Main.Version
}
