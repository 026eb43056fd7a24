package docs

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/config"
)

// buttons returns the README's links that make a deployment.
func buttons(t *testing.T) []url.Values {
	t.Helper()
	var all []url.Values
	for _, m := range regexp.MustCompile(`\((https://vercel\.com/new/clone\?[^)]*)\)`).FindAllStringSubmatch(read(t, "README.md"), -1) {
		u, err := url.Parse(m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u.Query())
	}
	if len(all) != 2 {
		t.Fatalf("README.md has %d links that deploy, want 2", len(all))
	}
	return all
}

// injected are the variables that the stores of a link set
// (neon.com/docs/guides/vercel-managed-integration, upstash.com/docs/redis/howto/vercelintegration).
func injected(t *testing.T, stores string) map[string]string {
	t.Helper()
	if stores == "" {
		return nil
	}
	var list []struct{ Type, IntegrationSlug, ProductSlug string }
	if err := json.Unmarshal([]byte(stores), &list); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, s := range list {
		switch s.Type + " " + s.IntegrationSlug + " " + s.ProductSlug {
		case "integration neon neon":
			for name, host := range map[string]string{"DATABASE_URL": "ep-x-pooler", "POSTGRES_URL": "ep-x-pooler", "DATABASE_URL_UNPOOLED": "ep-x", "POSTGRES_URL_NON_POOLING": "ep-x"} {
				env[name] = "postgres://neondb_owner:secret@" + host + ".us-east-2.aws.neon.tech/neondb?sslmode=require"
			}
		case "integration upstash upstash-kv":
			for _, name := range []string{"KV_URL", "REDIS_URL"} {
				env[name] = "rediss://default:secret@x.upstash.io:6379"
			}
			env["KV_REST_API_URL"], env["KV_REST_API_TOKEN"] = "https://x.upstash.io", "secret"
		default:
			t.Errorf("the link offers a store that this test does not know: %+v", s)
		}
	}
	return env
}

// The variables of a link and of its stores are exactly those that a deployment needs.
func TestButtonsHaveTheVariablesThatAreRead(t *testing.T) {
	known := map[string]bool{}
	for _, v := range config.Variables() {
		known[v.Name] = true
	}
	values := map[string]string{
		"DATABASE_URL": "postgres://user:password@db.example/gateway", "JWT_SECRET": "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7iOx5Nq1Re",
		"SETUP_TOKEN": "a-password", "CRON_SECRET": "c0ffee00c0ffee00c0ffee00",
	}
	for i, link := range buttons(t) {
		variables := strings.Split(link.Get("env"), ",")
		env := injected(t, link.Get("stores"))
		if (env == nil) != slices.Contains(variables, "DATABASE_URL") {
			t.Errorf("link %d: it asks for %v and offers %q", i, variables, link.Get("stores"))
		}
		if env == nil {
			env = map[string]string{}
		}
		for _, name := range variables {
			if !known[name] || values[name] == "" {
				t.Errorf("link %d asks for %s, which is not read", i, name)
			}
			if env[name] != "" {
				t.Errorf("link %d asks for %s, which a store sets", i, name)
			}
			if !strings.Contains(link.Get("envDescription"), name+": ") {
				t.Errorf("link %d does not say what %s is", i, name)
			}
			env[name] = values[name]
		}
		for _, name := range []string{"JWT_SECRET", "SETUP_TOKEN", "CRON_SECRET"} {
			if !slices.Contains(variables, name) {
				t.Errorf("link %d does not ask for %s", i, name)
			}
		}
		if link.Get("repository-url") != "https://github.com/alicetears/llm-gateway" || !strings.HasPrefix(link.Get("envLink"), link.Get("repository-url")) {
			t.Errorf("link %d: %v", i, link)
		}
		cfg, err := config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformFunctions)
		if err != nil {
			t.Errorf("link %d makes a deployment that does not start: %v", i, err)
			continue
		}
		if link.Get("stores") != "" && (cfg.Database.URL == cfg.Database.MigrationURL || cfg.RedisURL == "") {
			t.Errorf("link %d: the stores' variables are not used: %v", i, cfg.Redacted())
		}
		for name := range env { // each is required
			if slices.Contains(variables, name) && name != "SETUP_TOKEN" && name != "CRON_SECRET" {
				less := maps.Clone(env)
				delete(less, name)
				_, err := config.Load(func(n string) (string, bool) { v, ok := less[n]; return v, ok }, config.PlatformFunctions)
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("link %d: without %s: %v", i, name, err)
				}
			}
		}
	}
}

// Supabase's integration sets POSTGRES_URL and POSTGRES_URL_NON_POOLING, and no DATABASE_URL.
func TestSupabasesVariablesAreRead(t *testing.T) {
	env := map[string]string{"JWT_SECRET": "mJ3Vx8sQ2nLrT6wYb9KcDfGhPzE4uA7iOx5Nq1Re",
		"POSTGRES_URL": "postgres://postgres.x:secret@aws-0.pooler.supabase.com:6543/postgres", "POSTGRES_URL_NON_POOLING": "postgres://postgres.x:secret@aws-0.pooler.supabase.com:5432/postgres"}
	cfg, err := config.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, config.PlatformFunctions)
	if err != nil || cfg.Database.URL != env["POSTGRES_URL"] || cfg.Database.MigrationURL != env["POSTGRES_URL_NON_POOLING"] {
		t.Errorf("%v", err)
	}
}
