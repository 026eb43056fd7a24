package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// startsGoroutines returns the places of a file where a goroutine starts: a go statement, or a method Go, such as that of
// a WaitGroup. A call of the package contain is none.
func startsGoroutines(f *ast.File) (at []token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			at = append(at, n.Pos())
		case *ast.CallExpr:
			selector, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || selector.Sel.Name != "Go" {
				break
			}
			if of, ok := selector.X.(*ast.Ident); !ok || of.Name != "contain" {
				at = append(at, n.Pos())
			}
		}
		return true
	})
	return at
}

// A panic in a goroutine ends the process, unless the goroutine was started by the package contain.
func TestGoroutinesAreContained(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../../pkg", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "contain" || entry.Name() == "storetest") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		files++
		for _, pos := range startsGoroutines(f) {
			t.Errorf("%s starts a goroutine: use contain.Go", set.Position(pos))
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files, %v", files, err)
	}
}

func TestStartsGoroutines(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
func f() { go g(); w.wg.Go(g); wg.Go(func() {}); contain.Go(nil, "x", g); a.Gone(); Go() }`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(startsGoroutines(f)); n != 3 {
		t.Errorf("%d", n)
	}
}
