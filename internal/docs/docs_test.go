// Package docs tests that the documents of the repository agree with the code.
package docs

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/server"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var update = flag.Bool("update", false, "write the generated documents")

func TestAPIPageHasEveryRoute(t *testing.T) {
	page := read(t, "docs/api.md")
	row := regexp.MustCompile("`([A-Z|]+) (/[^` ]*)`")
	documented := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		for method := range strings.SplitSeq(m[1], "|") {
			documented[method+" "+m[2]] = true
		}
	}
	for _, r := range server.Routes() {
		if name := r.Method + " " + r.Pattern; !documented[name] {
			t.Errorf("docs/api.md says nothing of %s", name)
		} else {
			delete(documented, name)
		}
	}
	for name := range documented {
		t.Errorf("docs/api.md has %s, which is no route", name)
	}
}
