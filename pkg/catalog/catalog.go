// Package catalog knows the providers' models: limits, capabilities, list prices and dates. The data are in models.json,
// which tools/catalog writes and this package embeds.
//
// models.json has one model per line, sorted by id and then by provider. The text is searched in place and only the
// line that is asked for is parsed, so that the catalogue costs nothing at start-up. Members that are unknown are
// absent. [Model] explains most members; the others are
//
//	price               USD per million tokens: input, output, cacheRead, cacheWrite (kept for the provider's default
//	                    time), cacheWrite1h, audioInput, audioOutput, imageOutput; webSearch is of a thousand
//	                    searches; derived marks those that follow from a rule
//	priceChanges        prices from a date on
//	longPromptPrices    prices of requests with more prompt tokens than "above"
//	peakPrices          prices at hours of the day (UTC), Monday to Friday
//	serviceTierPrices   prices by service tier
//	replacement, note   for readers: what the provider recommends instead, and what the numbers do not say
//	sources             keys of the file's own "sources", oldest first; priceDate is the date of the price's source
package catalog

import (
	"cmp"
	_ "embed"
	"iter"
	"slices"
	"strings"
)

//go:embed models.json
var file string

// lines holds the models, one per line. Each line but the last ends in a comma.
var lines = file[strings.Index(file, linesBegin)+len(linesBegin):]

const (
	linesBegin = "\"models\":[\n"
	lineBegin  = `{"id":"`
	afterID    = `","provider":"`
)

// Mode is the kind of API that serves a model.
type Mode string

// The modes.
const (
	Chat      Mode = "chat"
	Responses Mode = "responses" // OpenAI's Responses API only
	Embedding Mode = "embedding"
)

// Caps is a set of capabilities.
type Caps uint32

// The capabilities. A bit that is not set means: not known to have it.
const (
	Tools Caps = 1 << iota
	ParallelTools
	JSONSchema
	JSONObject
	Reasoning
	ImageIn
	FileIn // PDF
	AudioIn
	AudioOut
	VideoIn
	PromptCache
	Prefill    // continues an assistant turn
	NoSampling // refuses temperature and its like
	Deprecated
)

// capNames are the names of the capabilities in the order of the bits above, as the API and models.json have them.
var capNames = [...]string{"tools", "parallel_tools", "json_schema", "json_object", "reasoning", "image_input", "pdf_input", "audio_input",
	"audio_output", "video_input", "prompt_cache", "prefill", "no_sampling", "deprecated"}

// Has says whether all of the capabilities are there.
func (c Caps) Has(want Caps) bool { return c&want == want }

// Names returns the names of the capabilities; not nil.
func (c Caps) Names() []string {
	names := []string{}
	for i, name := range capNames {
		if c.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// Model is what is known of a model at a provider. Zero values mean unknown.
type Model struct {
	Provider   string
	ID         string // as the provider knows it
	Mode       Mode
	Context    int64  // contextWindow: tokens of input, or of input and output; providers differ
	MaxOutput  int64  // maxOutputTokens
	Dimensions int64  // of embeddings
	Caps       Caps   // capabilities
	Released   string // a date, 2026-07-02
	EndOfLife  string // a date: from it on requests fail, unless RoutedTo is set
	RoutedTo   string // an id of the same provider: from EndOfLife on it serves and bills this id as that one
	AliasOf    string // an id of the same provider
	PriceDate  string // of the source of the prices

	replacement value

	efforts, endpoints                        value
	price, changes, longPrompts, peaks, tiers value
}

// Efforts returns the levels of reasoning effort that the model takes, in rising order; nil if unknown.
func (m *Model) Efforts() []string {
	var out []string
	for e := range m.efforts.elements() {
		out = append(out, e.str())
	}
	return out
}

// ChatCompletions says whether OpenAI's chat/completions serves the model, as far as is known.
func (m *Model) ChatCompletions() bool {
	return m.Mode == Chat && (m.endpoints == "" || strings.Contains(string(m.endpoints), `"chat/completions"`))
}

// Responses says whether OpenAI's Responses API serves the model, as far as is known.
func (m *Model) Responses() bool {
	return m.Mode == Responses || m.Mode == Chat && (m.endpoints == "" || strings.Contains(string(m.endpoints), `"responses"`))
}

// Ended says whether the provider has stopped serving the model by the day, a date such as 2026-12-01.
func (m *Model) Ended(day string) bool {
	return m.EndOfLife != "" && m.EndOfLife <= day && m.RoutedTo == ""
}

// Successor returns the model that the provider serves, or recommends, instead of this one, in the provider's words.
func (m *Model) Successor() string { return cmp.Or(m.RoutedTo, m.replacement.str()) }

// Listed says whether the model may be listed or suggested on the day, a date such as 2026-12-01: its end has not come.
// After it, the provider may serve another model under the id, on which nobody should begin to rely.
func (m *Model) Listed(day string) bool { return m.EndOfLife == "" || m.EndOfLife > day }

// Lookup returns the model with exactly this id at the provider.
func Lookup(provider, id string) (Model, bool) {
	if line := lineOf(provider, id); line != "" {
		return parse(line), true
	}
	return Model{}, false
}

// Related returns the model with the id or, if there is none, the model of which the id is a dated snapshot or a routing
// variant: gpt-5-2026-01-31, claude-x-20260131, author/model:nitro. Use it for limits and capabilities; prices of
// snapshots and variants may differ.
func Related(provider, id string) (Model, bool) {
	line := lineOf(provider, id)
	if base := baseID(id); line == "" && base != id {
		line = lineOf(provider, base)
	}
	if line == "" {
		return Model{}, false
	}
	return parse(line), true
}

// All yields every model, sorted by id and then provider.
func All() iter.Seq[Model] {
	return func(yield func(Model) bool) {
		for line := range strings.Lines(lines) {
			if strings.HasPrefix(line, lineBegin) && !yield(parse(line)) {
				return
			}
		}
	}
}

// Of yields the models of one provider, sorted by id.
func Of(provider string) iter.Seq[Model] {
	return func(yield func(Model) bool) {
		for line := range strings.Lines(lines) {
			if _, p := cutLine(line); p == provider && !yield(parse(line)) {
				return
			}
		}
	}
}

// lineOf returns the line of the provider's model; it is empty if there is none.
func lineOf(provider, id string) string {
	for line := range linesOf(id) {
		if _, p := cutLine(line); p == provider {
			return line
		}
	}
	return ""
}

// linesOf yields the lines of the id, one for each provider that has it.
func linesOf(id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(lines[search(id):]) {
			if first, _ := cutLine(line); first != id || id == "" || !yield(line) {
				return
			}
		}
	}
}

// search returns the offset of the first line whose id is not less than id. It halves the text down to a few lines,
// which it then reads in order.
func search(id string) int {
	lo, hi := 0, len(lines) // the lines before lo are less, those from hi on are not
	for hi-lo > 1024 {
		middle := (lo + hi) / 2
		start := middle + strings.IndexByte(lines[middle:], '\n') + 1
		if start >= hi {
			break
		}
		if less(lines[start:], id) {
			lo = start
		} else {
			hi = start
		}
	}
	for lo < hi && less(lines[lo:], id) {
		lo += strings.IndexByte(lines[lo:], '\n') + 1
	}
	return lo
}

// less says whether the id of the line that the text begins with is less than id. The end of the list is not.
func less(text, id string) bool {
	first, _ := cutLine(text)
	return first != "" && first < id
}

// cutLine returns the id and the provider of a line; the line that ends the list has neither.
func cutLine(line string) (id, provider string) {
	rest, ok := strings.CutPrefix(line, lineBegin)
	if !ok {
		return "", ""
	}
	id, rest, _ = strings.Cut(rest, afterID)
	provider, _, _ = strings.Cut(rest, `"`)
	return id, provider
}

func parse(line string) Model {
	m := Model{Mode: Chat}
	for name, v := range value(strings.TrimRight(line, ",\n")).members() {
		m.set(name, v)
	}
	return m
}

func (m *Model) set(name string, v value) {
	switch name {
	case "id":
		m.ID = v.str()
	case "provider":
		m.Provider = v.str()
	case "mode":
		m.Mode = Mode(v.str())
	case "contextWindow":
		m.Context = v.int64()
	case "maxOutputTokens":
		m.MaxOutput = v.int64()
	case "dimensions":
		m.Dimensions = v.int64()
	case "price":
		m.price = v
	case "priceChanges":
		m.changes = v
	case "longPromptPrices":
		m.longPrompts = v
	case "peakPrices":
		m.peaks = v
	case "serviceTierPrices":
		m.tiers = v
	case "reasoningEfforts":
		m.efforts = v
	case "capabilities":
		for c := range v.elements() {
			m.Caps |= 1 << slices.Index(capNames[:], c.str())
		}
	case "endpoints":
		m.endpoints = v
	case "released":
		m.Released = v.str()
	case "endOfLife":
		m.EndOfLife = v.str()
	case "replacement":
		m.replacement = v
	case "routedTo":
		m.RoutedTo = v.str()
	case "aliasOf":
		m.AliasOf = v.str()
	case "priceDate":
		m.PriceDate = v.str()
	}
}
