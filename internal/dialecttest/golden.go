// Package dialecttest has helpers for the tests of all dialects: golden files, and readers of streams.
package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Golden compares got with the file, except for line ends at its end, or writes the file with -update.
func Golden(t testing.TB, path string, got []byte) {
	t.Helper()
	got = append(bytes.TrimRight(got, "\n"), '\n')
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := Read(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n got %s\nwant %s", path, got, want)
	}
}

// Indented returns v as JSON, a field a line, with <, > and & unescaped and a line end at the end.
func Indented(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Inputs returns the files in testdata that match the pattern. It fails the test if there is none.
func Inputs(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return names
}

// Read returns the content of a file.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// SameMembers compares members of two JSON objects by their values.
func SameMembers(t testing.TB, got, want []byte, names ...string) {
	t.Helper()
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(got, &a), json.Unmarshal(want, &b)); err != nil {
		t.Fatalf("%v\n%s\n%s", err, got, want)
	}
	for _, name := range names {
		if !reflect.DeepEqual(a[name], b[name]) {
			t.Errorf("%s differs:\n got %s\nwant %s", name, got, want)
		}
	}
}
