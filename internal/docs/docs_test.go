// Package docs holds the documents of the repository to what the code does.
package docs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/config"
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

func TestREADMEHasTheTableOfVariables(t *testing.T) {
	if !strings.Contains(read(t, "README.md"), config.MarkdownTable()) {
		t.Errorf("README.md lacks the table of pkg/config as it is now:\n%s", config.MarkdownTable())
	}
}

func TestREADMEHasEveryRoute(t *testing.T) {
	readme := read(t, "README.md")
	row := regexp.MustCompile("`([A-Z|]+) (/[^` ]*)`")
	documented := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(readme, -1) {
		for method := range strings.SplitSeq(m[1], "|") {
			documented[method+" "+m[2]] = true
		}
	}
	for _, r := range server.Routes() {
		if name := r.Method + " " + r.Pattern; !documented[name] {
			t.Errorf("README.md says nothing of %s", name)
		} else {
			delete(documented, name)
		}
	}
	for name := range documented {
		t.Errorf("README.md has %s, which is no route", name)
	}
}

func TestExampleEnvironmentIsReal(t *testing.T) {
	var known []string
	for _, v := range config.Variables() {
		known = append(known, v.Name)
	}
	set := regexp.MustCompile(`(?m)^#? ?([A-Z_]+)=`)
	found := set.FindAllStringSubmatch(read(t, ".env.example"), -1)
	if len(found) < 10 {
		t.Fatalf("only %d variables found", len(found))
	}
	for _, m := range found {
		if !slices.Contains(known, m[1]) {
			t.Errorf(".env.example has %s, which nothing reads", m[1])
		}
	}
	if _, err := config.ParseDotEnv(strings.NewReader(read(t, ".env.example"))); err != nil {
		t.Error(err)
	}
}
