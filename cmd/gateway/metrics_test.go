package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	dto "github.com/prometheus/client_model/go"
)

// repository is its absolute path: tests work in folders of their own.
var repository, _ = filepath.Abs("../..")

const metricsToken = "metrics-token-0123456789"

// scrape reads metrics as Prometheus does.
func scrape(t *testing.T, url, token string) map[string]*dto.MetricFamily {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %d %s", url, resp.StatusCode, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// chat sends a request that streams, and reads the answer, which may be an error.
func (w *world) chat(t *testing.T, model string, header ...string) {
	t.Helper()
	req, _ := http.NewRequest("POST", w.base+"/api/chat",
		strings.NewReader(`{"model":"`+model+`","stream":true,"messages":[{"role":"user","content":"`+said+`"}]}`))
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
}

// said is the prompt of chat. It must not be found anywhere.
const said = "words: 4 of a prompt"

// sum adds up the values of a family whose labels include the wanted ones, "name=value".
func sum(f *dto.MetricFamily, labels ...string) (total float64) {
	for _, m := range f.GetMetric() {
		var has []string
		for _, l := range m.GetLabel() {
			has = append(has, l.GetName()+"="+l.GetValue())
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(has, l) }) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return total
}

func TestMetrics(t *testing.T) {
	s := newShell(t, "METRICS_TOKEN="+metricsToken, "METRICS_ADDRESS=127.0.0.1:0")
	w := s.visit(t)
	own := w.out.Wait(t, `metrics  (http://\S+)\n`)
	w.key(t, "sk-emulated-0001")
	w.chat(t, "gpt-4o-mini")
	w.chat(t, "who-is-a@example.com") // no model: what callers write is no label
	families := scrape(t, w.base+"/metrics", metricsToken)
	for name, want := range map[string][]string{
		"llm_gateway_requests_total":              {"provider=openai", "model=gpt-4o-mini", "outcome=answered", "error="},
		"llm_gateway_request_duration_seconds":    {"provider=openai", "model=gpt-4o-mini"},
		"llm_gateway_attempts_total":              {"provider=openai", "class=ok"},
		"llm_gateway_attempt_duration_seconds":    {"provider=openai", "result=ok"},
		"llm_gateway_http_requests_total":         {"route=/api/chat", "method=POST", "status=200"},
		"llm_gateway_cost_dollars_total":          {"provider=openai", "model=gpt-4o-mini"},
		"llm_gateway_tokens_total":                {"provider=openai", "model=gpt-4o-mini", "kind=output"},
		"llm_gateway_time_to_first_token_seconds": {"provider=openai"},
		"llm_gateway_reserve_seconds":             nil,
		"llm_gateway_settle_seconds":              nil,
		"llm_gateway_database_seconds":            {"kind=run"},
		"llm_gateway_database_up":                 nil,
		"llm_gateway_database_connections":        nil,
		"llm_gateway_upstream_requests_limit":     nil,
		"go_goroutines":                           nil,
		"process_start_time_seconds":              nil,
	} {
		if sum(families[name], want...) <= 0 {
			t.Errorf("%s%v is missing: %v", name, want, families[name])
		}
	}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.Contains(l.GetValue(), "@") || strings.Contains(l.GetValue(), "sk-") || strings.Contains(l.GetValue(), "llm_") {
					t.Errorf("%s: the label %s is %s", name, l.GetName(), l.GetValue())
				}
			}
		}
	}
	for _, c := range []struct {
		url, token string
		status     int
	}{
		{w.base + "/metrics", "", 401}, {w.base + "/metrics", "wrong", 401}, {own, "", 401}, {own, metricsToken, 200},
		{strings.TrimSuffix(own, "/metrics") + "/health", metricsToken, 404},
	} {
		req, _ := http.NewRequest("GET", c.url, nil)
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s with %q: %d, want %d", c.url, c.token, resp.StatusCode, c.status)
		}
	}
}

// Without a setting nobody reads metrics; a listener of its own asks for no token if there is none, and then the
// gateway's port has none. A worker has its listener, too.
func TestMetricsAreReadWhereTheyAreSet(t *testing.T) {
	s := newShell(t)
	out, stop := s.start()
	if status, _, _ := get(t, out.Wait(t, `ready on (\S+)\n`)+"/metrics"); status != 404 {
		t.Errorf("without settings: %d", status)
	}
	stop()
	s = newShell(t, "METRICS_ADDRESS=127.0.0.1:0")
	out, stop = s.start()
	url := out.Wait(t, `ready on (\S+)\n`)
	if status, _, _ := get(t, url+"/metrics"); status != 404 {
		t.Errorf("on the gateway's port without a token: %d", status)
	}
	scrape(t, out.Wait(t, `metrics  (http://\S+)\n`), "")
	stop()
	out, stop = s.start("worker")
	if sum(scrape(t, out.Wait(t, `metrics  (http://\S+)\n`), "")["llm_gateway_database_up"]) != 1 {
		t.Error("the worker does not know that its database is up")
	}
	stop()
	s.set("METRICS_ADDRESS=9464")
	s.want(1, `METRICS_ADDRESS is not an address with a port`, "worker")
}

// The dashboard for Grafana and the documentation name only metrics that exist, and the documentation names all.
func TestGrafanaDashboardNamesMetrics(t *testing.T) {
	s := newShell(t, "METRICS_TOKEN="+metricsToken)
	w := s.visit(t)
	w.key(t, "sk-emulated-0001")
	w.chat(t, "gpt-4o-mini")
	families := scrape(t, w.base+"/metrics", metricsToken)
	known := map[string]bool{}
	for _, name := range []string{"cooldowns", "unpriced_requests_total", "database_errors_total", "limits", "limit_windows_used"} {
		known["llm_gateway_"+name] = true // that have no value here
	}
	for name, f := range families {
		known[name] = true
		if f.GetType() == dto.MetricType_HISTOGRAM {
			known[name+"_bucket"], known[name+"_sum"], known[name+"_count"] = true, true, true
		}
	}
	text, err := os.ReadFile(repository + "/deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\b(llm_gateway|go|process)_\w+`)
	used := 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			for _, name := range names.FindAllString(target.Expr, -1) {
				if used++; !known[name] {
					t.Errorf("panel %q: there is no metric %s", p.Title, name)
				}
			}
		}
	}
	if used < 15 {
		t.Errorf("the dashboard uses %d metrics", used)
	}
	page, err := os.ReadFile(repository + "/docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, name := range names.FindAllString(string(page), -1) {
		if told[name] = true; strings.HasPrefix(name, "llm_gateway_") && !known[name] {
			t.Errorf("docs/observability.md: there is no metric %s", name)
		}
	}
	for name := range families {
		if strings.HasPrefix(name, "llm_gateway_") && !told[name] {
			t.Errorf("docs/observability.md does not tell of %s", name)
		}
	}
}
