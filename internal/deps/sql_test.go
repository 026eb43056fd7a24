package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// statement matches the beginning of a statement, or a clause that only SQL has, in a string literal.
var statement = regexp.MustCompile(`(?i)^\s*select\s+\S+\s|\bselect\s[^.]*\sfrom\s|\binsert\s+into\s|\bupdate\s+\w+(\s+(as\s+)?\w+)?\s+set\s|` +
	`\bdelete\s+from\s|\bon\s+conflict\s*\(|\b(create|alter|drop)\s+(table|index|view)\s`)

// Statements are in the package of the schema, so that a change of a table is a change of one package. Packages that
// only tests use are exempt.
func TestSQLIsInStore(t *testing.T) {
	const root = "../.."
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata"}, d.Name()) ||
				under(name, "pkg/store") || under(name, "tests") || under(name, "internal/pgtest") ||
				under(name, "internal/dialecttest") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		for _, text := range literals(t, path) {
			if statement.MatchString(text) {
				t.Errorf("%s holds SQL, which belongs in pkg/store: %q", name, text)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were read", files)
	}
}

func TestStatementIsSQL(t *testing.T) {
	for text, want := range map[string]bool{
		"select 1 from t": true, "select count(*) from keys where id = $1": true, "\n  SELECT a,\n b\nFROM t": true,
		"insert into t (a) values ($1)": true, "update users as u set name = $1": true, "update t set a = 1": true,
		"delete from t where id = $1": true, " on conflict (id) do nothing": true, "create table t (id int)": true,
		"update the key, set a limit": false, "choose what to select": false, "delete the token from the list": false,
	} {
		if got := statement.MatchString(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// literals returns the string literals of a file, those that are added up as one.
func literals(t *testing.T, path string) (texts []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if text, ok := sum(n); ok {
				texts = append(texts, text)
				return false
			}
		case *ast.BasicLit:
			if text, ok := sum(n); ok {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

// sum is the text of a literal or a sum of them; what else is added counts as one word.
func sum(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, okLeft := sum(e.X)
		right, okRight := sum(e.Y)
		if e.Op != token.ADD || !okLeft && !okRight {
			return "", false
		}
		if !okLeft {
			left = "x"
		}
		if !okRight {
			right = "x"
		}
		return left + right, true
	}
	return "", false
}
