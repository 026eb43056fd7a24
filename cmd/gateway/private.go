package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxLooseFiles bounds how many files a warning names.
const maxLooseFiles = 5

// looseFiles returns the folder and those of its files that other users of the machine can read or write. The gateway
// creates them for its own user alone, but a folder that was there before, or a restored backup, may be open to all.
func looseFiles(dir string) []string {
	if runtime.GOOS == "windows" {
		return nil // the mode says nothing there
	}
	var loose []string
	note := func(path string, info fs.FileInfo, err error) {
		if err == nil && info.Mode().Perm()&0o077 != 0 && len(loose) < maxLooseFiles {
			loose = append(loose, path)
		}
	}
	info, err := os.Stat(dir)
	note(dir, info, err)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return loose // nobody else gets at what is inside
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return loose
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			info, err := e.Info()
			note(filepath.Join(dir, e.Name()), info, err)
		}
	}
	return loose
}

// looseWarning says how to close what others can read; empty if there is nothing.
func looseWarning(dir string) string {
	loose := looseFiles(dir)
	if len(loose) == 0 {
		return ""
	}
	return fmt.Sprintf("other users of this machine can open %s: the folder holds your keys; run chmod -R go= %s",
		strings.Join(loose, ", "), dir)
}
