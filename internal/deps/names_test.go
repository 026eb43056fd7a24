package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/provider"
)

// source is a Go file outside of tests.
type source struct {
	name string // from the repository's root, with slashes
	file *ast.File
	fset *token.FileSet
}

// sources reads the repository's Go files, but for tests and what only tests use.
func sources(t *testing.T) []source {
	t.Helper()
	const root = "../.."
	var all []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(root, name)
		short = filepath.ToSlash(short)
		if d.IsDir() {
			if slices.Contains([]string{".git", "node_modules", "testdata", "tests", "bench", "pkg/store/storetest"}, short) ||
				d.Name() == "node_modules" || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(short, ".go") || strings.HasSuffix(short, "_test.go") {
			return nil
		}
		s := source{name: short, fset: token.NewFileSet()}
		if s.file, err = parser.ParseFile(s.fset, name, nil, 0); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d files were found", len(all))
	}
	return all
}

// texts yields the string literals of a file with the lines where they stand.
func (s source) texts(yield func(line int, text string)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				yield(s.fset.Position(lit.Pos()).Line, text)
			}
		}
		return true
	})
}

// dialectPackages returns the packages of the dialects.
func dialectPackages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../../pkg/dialect/*/dialect.go")
	if err != nil || len(found) < 5 {
		t.Fatalf("the dialects are %v, %v", found, err)
	}
	var packages []string
	for _, name := range found {
		packages = append(packages, "pkg/dialect/"+filepath.Base(filepath.Dir(name)))
	}
	return packages
}

// A dialect is used through the interfaces of pkg/dialect: only the tables of callers' dialects and of
// providers import its package, or name it.
func TestDialectsAreNamedInTables(t *testing.T) {
	packages, ids := dialectPackages(t), providerIDs(t)
	tables := []string{"pkg/server/dialects.go", "pkg/server/routes.go", "pkg/provider/custom.go"}
	for _, s := range sources(t) {
		if slices.Contains(tables, s.name) || s.isRow(ids) {
			continue
		}
		if under(path.Dir(s.name), "pkg/server") || under(path.Dir(s.name), "pkg/gateway") {
			s.namesNoDialect(t, packages)
		}
		for _, spec := range s.file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			short := strings.TrimPrefix(imported, module+"/")
			if slices.Contains(packages, short) && !strings.HasPrefix(s.name, "pkg/dialect/") {
				t.Errorf("%s imports %s: a dialect is used through pkg/dialect", s.name, short)
			}
		}
	}
}

// namesNoDialect looks for identifiers that are named like a dialect.
func (s source) namesNoDialect(t *testing.T, packages []string) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if ok && ast.IsExported(id.Name) &&
			slices.ContainsFunc(packages, func(p string) bool { return strings.EqualFold(path.Base(p), id.Name) }) {
			t.Errorf("%s names the dialect %s", s.fset.Position(id.Pos()), id.Name)
		}
		return true
	})
}

func providerIDs(t *testing.T) []string {
	t.Helper()
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	return table.IDs()
}

// isRow reports whether the file declares a row of the provider table, or what only the row uses: its name
// begins with the row's id.
func (s source) isRow(ids []string) bool {
	id, _, _ := strings.Cut(strings.TrimSuffix(path.Base(s.name), ".go"), "_")
	return path.Dir(s.name) == "pkg/provider" && slices.Contains(ids, id)
}

// A provider is a row of the table. Only the catalogue, which has its models, and the emulator, which answers
// like it, name it elsewhere.
func TestProvidersAreNamedInRows(t *testing.T) {
	ids := providerIDs(t)
	knows := []string{"pkg/catalog", "tools/catalog", "internal/emulator"}
	rows := map[string]bool{}
	for _, s := range sources(t) {
		if slices.ContainsFunc(knows, func(dir string) bool { return under(path.Dir(s.name), dir) }) {
			continue
		}
		dir := path.Dir(s.name)
		s.texts(func(line int, text string) {
			switch {
			case !slices.Contains(ids, text):
			case dir == "pkg/dialect/"+text: // the dialect's own name
			case s.isRow(ids) && strings.HasPrefix(path.Base(s.name), text):
				rows[text] = true
			default:
				t.Errorf("%s:%d names the provider %q", s.name, line, text)
			}
		})
	}
	if len(rows) != len(ids) {
		t.Errorf("rows were found of %v, want %v", rows, ids)
	}
}
