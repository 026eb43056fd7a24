package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLooseFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	write := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	open := write("gateway.db", 0o644)
	write("secret", 0o600)
	if loose := looseFiles(dir); len(loose) != 0 {
		t.Errorf("in a closed folder: %v", loose)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if loose := looseFiles(dir); !slices.Equal(loose, []string{dir, open}) {
		t.Errorf("%v", loose)
	}
	if text := looseWarning(dir); !strings.Contains(text, "chmod -R go= "+dir) {
		t.Error(text)
	}
	if loose := looseFiles(filepath.Join(dir, "missing")); len(loose) != 0 {
		t.Errorf("of no folder: %v", loose)
	}
}
