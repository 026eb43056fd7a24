package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// Nobody is led to a model that is about to go: what people read and copy names no model that ends within 90 days of the
// day of the catalogue, nor one that has ended.
func TestExamplesNameModelsThatStay(t *testing.T) {
	var day string
	ends := map[string]string{}
	stays := map[string]bool{} // at some provider
	for m := range catalog.All() {
		if len(m.PriceDate) == len(time.DateOnly) {
			day = max(day, m.PriceDate)
		}
		if m.EndOfLife == "" {
			stays[m.ID] = true
		} else if ends[m.ID] < m.EndOfLife {
			ends[m.ID] = m.EndOfLife
		}
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	soon := at.AddDate(0, 0, 90).Format(time.DateOnly)
	name := regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._/:-]*[A-Za-z0-9]`)
	seen := 0
	check := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			for _, at := range name.FindAllStringIndex(line, -1) {
				word := line[at[0]:at[1]]
				if strings.HasPrefix(line[at[1]:], "*") {
					continue // a pattern
				}
				if stays[word] {
					seen++
				}
				if end, ok := ends[word]; ok && !stays[word] && end <= soon {
					t.Errorf("%s:%d: %s ends on %s", strings.TrimPrefix(path, "../../"), n+1, word, end)
				}
			}
		}
	}
	check("../../README.md")
	for _, dir := range []string{"../../docs", "../../public"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				switch filepath.Ext(path) {
				case ".md", ".js", ".html", ".yaml":
					check(path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	demo, err := filepath.Glob("../../cmd/gateway/demo*.go")
	if err != nil || len(demo) == 0 {
		t.Fatal("there is no demo", err)
	}
	for _, path := range demo {
		check(path)
	}
	if seen < 10 {
		t.Errorf("only %d names of models were found", seen)
	}
}
