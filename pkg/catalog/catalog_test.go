package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// document is models.json for encoding/json.
type document struct {
	Generated string
	Sources   map[string]string
	Models    []struct {
		ID, Provider, Mode                         string
		ContextWindow, MaxOutputTokens, Dimensions int64
		Price                                      map[string]any
		PriceChanges, LongPromptPrices, PeakPrices []map[string]any
		ServiceTierPrices                          map[string]map[string]any
		ReasoningEfforts, Capabilities, Endpoints  []string
		Released, EndOfLife, RoutedTo, AliasOf     string
		Sources                                    []string
		PriceDate, Replacement, Note               string
	}
}

func readDocument(t *testing.T) document {
	t.Helper()
	var d document
	decoder := json.NewDecoder(strings.NewReader(file))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Errorf("something follows the document: %v", err)
	}
	return d
}

// The package reads the file with code that relies on its form. This test compares the result with encoding/json.
func TestEveryEntry(t *testing.T) {
	if n := len(file); n > 450_000 {
		t.Errorf("the catalogue has grown to %d bytes", n)
	}
	d := readDocument(t)
	if len(d.Models) < 1000 || d.Generated == "" {
		t.Errorf("only %d models, of %q", len(d.Models), d.Generated)
	}
	next, stop := iter.Pull(All())
	defer stop()
	last := ""
	for _, want := range d.Models {
		m, ok := next()
		mode := Mode(cmp.Or(want.Mode, "chat"))
		if !ok || m.ID != want.ID || m.Provider != want.Provider || m.Mode != mode || m.Context != want.ContextWindow || m.MaxOutput != want.MaxOutputTokens ||
			m.Dimensions != want.Dimensions || !slices.Equal(m.Efforts(), want.ReasoningEfforts) || m.Released != want.Released ||
			m.EndOfLife != want.EndOfLife || m.RoutedTo != want.RoutedTo || m.AliasOf != want.AliasOf || m.PriceDate != want.PriceDate {
			t.Fatalf("%+v is read as %+v", want, m)
		}
		if names := m.Caps.Names(); len(names) != len(want.Capabilities) || len(names) > 0 && !slices.Equal(names, want.Capabilities) {
			t.Errorf("%s: %v, want %v", m.ID, names, want.Capabilities)
		}
		if key := m.ID + " " + m.Provider; key <= last && strings.HasPrefix(last, m.ID+" ") || m.ID < strings.SplitN(last, " ", 2)[0] {
			t.Errorf("%q stands after %q", key, last)
		} else {
			last = key
		}
		for _, key := range want.Sources {
			if d.Sources[key] == "" {
				t.Errorf("%s: there is no source %q", m.ID, key)
			}
		}
		if len(want.Sources) == 0 {
			t.Errorf("%s has no source", m.ID)
		}
		samePrices(t, m.ID, m.price, want.Price)
		for _, list := range []struct {
			got  value
			want []map[string]any
		}{{m.changes, want.PriceChanges}, {m.longPrompts, want.LongPromptPrices}, {m.peaks, want.PeakPrices}} {
			n := 0
			for p := range list.got.elements() {
				samePrices(t, m.ID, p, list.want[n])
				n++
			}
			if n != len(list.want) {
				t.Errorf("%s: %d lists of prices are read from %v", m.ID, n, list.want)
			}
		}
		for name, prices := range want.ServiceTierPrices {
			samePrices(t, m.ID, m.tiers.get(name), prices)
		}
	}
	if m, more := next(); more {
		t.Errorf("and then %+v", m)
	}
}

// samePrices compares a price list as the package reads it with its members.
func samePrices(t *testing.T, id string, list value, want map[string]any) {
	t.Helper()
	got, priced := parsePrices(list)
	if priced != (want["input"] != nil) {
		t.Errorf("%s: %v is priced: %v", id, want, priced)
	}
	for name, p := range map[string]Pico{"input": got.Input, "output": got.Output, "cacheRead": got.CacheRead, "cacheWrite": got.CacheWrite,
		"cacheWrite1h": got.CacheWrite1h, "audioInput": got.AudioInput, "audioOutput": got.AudioOutput} {
		price := big.NewRat(-1, 1)
		if n, ok := want[name].(json.Number); ok {
			price.SetString(n.String())
			price.Mul(price, big.NewRat(1_000_000, 1))
		}
		if price.Cmp(new(big.Rat).SetInt64(int64(p))) != 0 {
			t.Errorf("%s: %s is %d, want %v", id, name, p, want[name])
		}
	}
	for name := range want {
		switch name {
		case "input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "audioInput", "audioOutput":
		case "webSearch":
			if got.WebSearch != Pico(1e9*list.get(name).int64()) {
				t.Errorf("%s: a search costs %d", id, got.WebSearch)
			}
		case "derived":
			if !got.Derived {
				t.Errorf("%s: derived prices are not marked", id)
			}
		case "from", "above", "hours":
			if list.get(name) == "" {
				t.Errorf("%s: %s is not read", id, name)
			}
		default:
			t.Errorf("%s: unknown member %s of a price list", id, name)
		}
	}
}

func TestEveryModelIsFoundAndSane(t *testing.T) {
	count := map[string]int{}
	for m := range All() {
		count[m.Provider]++
		got, ok := Lookup(m.Provider, m.ID)
		if !ok || got != m {
			t.Errorf("%s %s is not found", m.Provider, m.ID)
		}
		if m.AliasOf != "" && m.Provider != "deepseek" && m.ID != "mistral-medium-3" {
			if _, ok := Lookup(m.Provider, m.AliasOf); !ok {
				t.Errorf("%s is an alias of %s, which is not there", m.ID, m.AliasOf)
			}
		}
		if m.RoutedTo != "" {
			if to, ok := Lookup(m.Provider, m.RoutedTo); !ok || to.RoutedTo != "" || m.EndOfLife == "" {
				t.Errorf("%s, which ends on %q, is routed to %s: %+v", m.ID, m.EndOfLife, m.RoutedTo, to)
			}
		}
		if m.price == "" && m.longPrompts+m.peaks+m.changes+m.tiers != "" {
			t.Errorf("%s %s has exceptions to a price that it has not", m.Provider, m.ID)
		}
		if m.changes != "" && m.longPrompts+m.peaks != "" {
			t.Errorf("%s %s: prices that change with the date have no bands or hours here", m.Provider, m.ID)
		}
		pricesAreSane(t, &m)
	}
	if len(count) < 9 {
		t.Errorf("only %d providers have models", len(count))
	}
}

// pricesAreSane checks what is true of every price list.
func pricesAreSane(t *testing.T, m *Model) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixMilli()
	base, priced := m.PricesAt("", 0, at)
	if !priced {
		return
	}
	if base.Input > 1000*1e6 || base.Output > 1000*1e6 {
		t.Errorf("%s %s costs more than $1000 a million", m.Provider, m.ID)
	}
	if base.CacheRead > base.Input {
		t.Errorf("%s %s: a cache read costs more than input", m.Provider, m.ID)
	}
	if m.Provider == "anthropic" && base.CacheWrite != Unknown && (base.CacheWrite < base.Input || base.CacheWrite1h < base.CacheWrite) {
		t.Errorf("%s: cache writes %d and %d, input %d", m.ID, base.CacheWrite, base.CacheWrite1h, base.Input)
	}
	long, _ := m.PricesAt("", 1<<40, at)
	if long.Input < base.Input || long.Output < base.Output {
		t.Errorf("%s %s: long prompts are cheaper", m.Provider, m.ID)
	}
	if base.Input == 0 && base.Output == 0 && !strings.HasSuffix(m.ID, ":free") && m.ID != "openrouter/free" &&
		!strings.HasPrefix(m.ID, "gemma-") && !strings.HasPrefix(m.ID, "labs-") {
		t.Errorf("%s %s is free", m.Provider, m.ID)
	}
}

func TestLookupOfWhatIsNotThere(t *testing.T) {
	for _, k := range [][2]string{{"openai", ""}, {"openai", "#"}, {"openai", "]"}, {"openai", `gpt-5","provider":"openai`}, {"openai", "{"}, {"openai", "gpt-"}, {"openai", "zzz"}, {"openai", "~~~"}, {"", "gpt-5"}, {"groq", "gpt-5"}, {"openai", "\xff"}} {
		if m, ok := Lookup(k[0], k[1]); ok {
			t.Errorf("%q: %+v", k, m)
		}
	}
}

func TestFields(t *testing.T) {
	m, ok := Lookup("openai", "gpt-5.6-sol")
	if !ok || m.Mode != Chat || m.Context != 1_050_000 || m.MaxOutput != 128_000 || fmt.Sprint(m.Efforts()) != "[none low medium high xhigh max]" ||
		!m.Caps.Has(Tools|ImageIn|Reasoning) || m.Caps.Has(NoSampling) || !m.ChatCompletions() || m.PriceDate == "" {
		t.Errorf("%+v", m)
	}
	if m, _ := Lookup("openai", "gpt-5-pro"); m.Mode != Responses || m.ChatCompletions() || !m.Responses() {
		t.Errorf("%+v", m)
	}
	if m, _ := Lookup("openai", "text-embedding-3-large"); m.Mode != Embedding || m.Dimensions != 3072 {
		t.Errorf("%+v", m)
	}
	if m, _ := Lookup("deepseek", "deepseek-v4-flash"); m.AliasOf != "deepseek-flash" {
		t.Errorf("%+v", m)
	}
}

func TestEnded(t *testing.T) {
	for _, tt := range []struct {
		provider, model, day string
		ended                bool
	}{
		{"openai", "o3", "2026-12-10", false},
		{"openai", "o3", "2026-12-11", true}, // requests fail from the day on
		{"openai", "o3-2025-04-16", "2026-12-11", true},
		{"openai", "gpt-audio-2025-08-28", "2027-01-19", false}, // a snapshot ends as its model does
		{"openai", "gpt-audio-2025-08-28", "2027-01-20", true},
		{"mistral", "devstral-latest", "2026-07-31", true}, // an alias, too
		{"gemini", "gemini-2.5-pro", "2026-12-01", false},  // served all the same
		{"gemini", "gemini-4-argon", "2099-01-01", false},
	} {
		m, ok := Lookup(tt.provider, tt.model)
		if !ok || m.Ended(tt.day) != tt.ended {
			t.Errorf("%s on %s: %v, %v, want %v", tt.model, tt.day, ok, m.Ended(tt.day), tt.ended)
		}
	}
}

func TestRelated(t *testing.T) {
	for id, want := range map[string]string{
		"gpt-5.5-2031-12-31": "gpt-5.5", "gpt-5.5-20311231": "gpt-5.5", "gpt-5.5": "gpt-5.5", "gpt-4o-2024-05-13": "gpt-4o-2024-05-13",
		"gpt-5.5-1999-12-31": "", "gpt-5.5-2031-12-3x": "", "gpt-5.5-2031": "", "-2031-12-31": "",
	} {
		if m, ok := Related("openai", id); m.ID != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", id, m.ID, ok, want)
		}
	}
	if m, ok := Related("fireworks", "accounts/fireworks/models/glm-5p3#accounts/me/deployments/x"); !ok || m.ID != "accounts/fireworks/models/glm-5p3" {
		t.Errorf("%+v", m)
	}
	if m, ok := Related("openrouter", "openai/gpt-5:nitro"); !ok || m.ID != "openai/gpt-5" {
		t.Errorf("%+v", m)
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Lookup("openai", "gpt-5.4")
	}
}

func BenchmarkRelatedUnknown(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Related("openai", "gpt-5.4-2031-01-01")
	}
}

func BenchmarkOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for range Of("openrouter") {
		}
	}
}
