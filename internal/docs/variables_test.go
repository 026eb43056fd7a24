package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// generated compares a file of the repository with want, or writes it with -update.
func generated(t *testing.T, name, want string) {
	t.Helper()
	if read(t, name) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date; go test ./internal/docs -update writes it", name)
	}
	if err := os.WriteFile("../../"+name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestConfigurationHasTheTableOfVariables(t *testing.T) {
	head, rest, found := strings.Cut(read(t, "docs/configuration.md"), "\n| variable | default |")
	_, tail, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatal("docs/configuration.md has no table of variables")
	}
	generated(t, "docs/configuration.md", head+"\n"+variablesTable()+"\n"+tail)
}

func TestEnvExampleHasEveryVariable(t *testing.T) {
	generated(t, ".env.example", envExample())
}

func TestOpenAPIListsTheProviders(t *testing.T) {
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	const begin = "\n    Provider: { type: string, enum: ["
	head, rest, found := strings.Cut(read(t, "public/openapi.yaml"), begin)
	_, tail, ended := strings.Cut(rest, "]")
	if !found || !ended {
		t.Fatal("public/openapi.yaml has no list of providers")
	}
	generated(t, "public/openapi.yaml", head+begin+strings.Join(table.IDs(), ", ")+"]"+tail)
}

// documented returns the variables, with one line for the base URLs of all providers.
func documented() []config.Variable {
	var out []config.Variable
	told := false
	for _, v := range config.Variables() {
		if v.Provider != "" {
			v.Name, v.Description = "OPENAI_BASE_URL", "Another base URL for OpenAI: a proxy, a region, a test. Every provider has such a variable with its id, such as `GROQ_BASE_URL`."
			if told {
				continue
			}
			told = true
		}
		out = append(out, v)
	}
	return out
}

func variablesTable() string {
	var b strings.Builder
	b.WriteString("| variable | default | what it does |\n|---|---|---|\n")
	for _, v := range documented() {
		name, def := "`"+v.Name+"`", ""
		if v.HasFile() {
			name += ", `" + v.Name + "_FILE`"
		}
		if v.Default != "" {
			def = "`" + v.Default + "`"
		}
		if v.FunctionsDefault != "" {
			def += ", on functions `" + v.FunctionsDefault + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, def, v.Description)
	}
	return b.String()
}

func envExample() string {
	var b strings.Builder
	b.WriteString("# Copy this file to .env and keep it out of version control. A gateway on one machine needs none of\n" +
		"# the variables: without DATABASE_URL it uses SQLite and generates its own secret.\n" +
		"# A file may contain a secret or a URL instead: NAME_FILE=/path.\n")
	for _, v := range documented() {
		b.WriteString("\n" + comment(strings.ReplaceAll(v.Description, "`", "")) + "# " + v.Name + "=" + v.Default + "\n")
	}
	return b.String()
}

// comment wraps text into comment lines of at most 100 characters.
func comment(text string) string {
	var b strings.Builder
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 100 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}
