// Package catalog knows the providers' models: limits, capabilities, list prices, and
// which provider a model id belongs to. It is data: models.txt, written by
// tools/catalog and embedded, whose head explains its lines and names its sources.
//
// The text is sorted and searched where it lies. Nothing is parsed before it is asked
// for, so that a process that starts pays nothing for the catalogue.
package catalog

import (
	_ "embed"
	"iter"
	"strconv"
	"strings"
)

//go:embed models.txt
var text string

// Mode is what a model is asked through.
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

// capLetters are the letters of models.txt in the order of the bits above.
const capLetters = "tpsjrifaAvcPSD"

// Has says whether all of the capabilities are there.
func (c Caps) Has(want Caps) bool { return c&want == want }

// Names are the names of the capabilities, as the field calls them; not nil.
func (c Caps) Names() []string {
	names := []string{}
	for i, name := range [...]string{"tools", "parallel_tools", "json_schema", "json_object", "reasoning", "image_input", "pdf_input", "audio_input",
		"audio_output", "video_input", "prompt_cache", "prefill", "no_sampling", "deprecated"} { // in the order of the bits
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
	Context    int64 // tokens of input, or of input and output; providers differ
	MaxOutput  int64 // tokens
	Dimensions int64 // of embeddings
	Caps       Caps
	Released   string // a date, 2026-07-02
	EndOfLife  string // a date: from it on requests fail, unless RoutedTo is set
	RoutedTo   string // an id of the same provider, as which it serves and bills this one from EndOfLife on
	AliasOf    string // an id of the same provider
	Sources    string // letters explained in models.txt, oldest first: ll+md
	PriceDate  string // of the source of the prices

	efforts, endpoints                        string
	price, tiers, changes, windows, servicing string
}

// Efforts are the levels of reasoning effort that the model takes, rising; nil if unknown.
func (m *Model) Efforts() []string {
	var out []string
	for _, c := range m.efforts {
		switch c {
		case 'n':
			out = append(out, "none")
		case 'i':
			out = append(out, "minimal")
		case 'l':
			out = append(out, "low")
		case 'm':
			out = append(out, "medium")
		case 'h':
			out = append(out, "high")
		case 'x':
			out = append(out, "xhigh")
		case 'X':
			out = append(out, "max")
		case 'd':
			out = append(out, "default")
		}
	}
	return out
}

// ChatCompletions says whether OpenAI's chat/completions serves the model, as far as is known.
func (m *Model) ChatCompletions() bool {
	return m.Mode == Chat && (m.endpoints == "" || strings.Contains(m.endpoints, "c"))
}

// Responses says whether OpenAI's Responses API serves the model, as far as is known.
func (m *Model) Responses() bool {
	return m.Mode == Responses || m.Mode == Chat && (m.endpoints == "" || strings.Contains(m.endpoints, "r"))
}

// Ended says whether the provider serves the model no more on the day, a date such as 2026-12-01.
func (m *Model) Ended(day string) bool {
	return m.EndOfLife != "" && m.EndOfLife <= day && m.RoutedTo == ""
}

// Lookup finds a model by its exact id at the provider.
func Lookup(provider, id string) (Model, bool) {
	for line := range linesOf(id) {
		if _, p, _ := cutLine(line); p == provider {
			return parse(line), true
		}
	}
	return Model{}, false
}

// Related is Lookup, and failing that the model of which id is a dated snapshot or a
// routing variant: gpt-5-2026-01-31, claude-x-20260131, author/model:nitro. It is good
// for limits and capabilities. Prices of snapshots and variants may differ.
func Related(provider, id string) (Model, bool) {
	if m, ok := Lookup(provider, id); ok {
		return m, true
	}
	if base := undated(id); base != id {
		return Lookup(provider, base)
	}
	return Model{}, false
}

// All gives every model, sorted by id and then provider.
func All() iter.Seq[Model] {
	return func(yield func(Model) bool) {
		for line := range strings.Lines(text) {
			if line[0] != '#' && !yield(parse(line)) {
				return
			}
		}
	}
}

// Of gives the models of one provider, sorted by id.
func Of(provider string) iter.Seq[Model] {
	return func(yield func(Model) bool) {
		for line := range strings.Lines(text) {
			if line[0] == '#' {
				continue
			}
			if _, p, _ := cutLine(line); p == provider && !yield(parse(line)) {
				return
			}
		}
	}
}

// linesOf gives the lines of the id, one for each provider that has it.
func linesOf(id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := text[search(id):]; rest != ""; {
			line := rest[:strings.IndexByte(rest, '\n')+1]
			if first, _, _ := cutLine(line); first != id || !yield(line) {
				return
			}
			rest = rest[len(line):]
		}
	}
}

// search is the offset of the first line whose id is not less than id. The lines of
// the head are part of the order: '#' is less than what any id begins with.
func search(id string) int {
	lo, hi := 0, len(text)
	for lo < hi {
		start := lo + strings.LastIndexByte(text[lo:(lo+hi)/2], '\n') + 1
		end := start + strings.IndexByte(text[start:], '\n') + 1
		if first, _, _ := strings.Cut(text[start:end-1], " "); first < id {
			lo = end
		} else {
			hi = start
		}
	}
	return lo
}

func cutLine(line string) (id, provider, fields string) {
	id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	provider, fields, _ = strings.Cut(rest, " ")
	return id, provider, fields
}

func parse(line string) Model {
	id, provider, rest := cutLine(line)
	m := Model{Provider: provider, ID: id, Mode: Chat}
	for rest != "" {
		var field string
		field, rest, _ = strings.Cut(rest, " ")
		name, value, _ := strings.Cut(field, "=")
		m.set(name, value)
	}
	return m
}

func (m *Model) set(name, value string) {
	switch name {
	case "m":
		m.Mode = Embedding
		if value == "r" {
			m.Mode = Responses
		}
	case "c":
		m.Context = number(value)
	case "o":
		m.MaxOutput = number(value)
	case "d":
		m.Dimensions = number(value)
	case "p":
		m.price = value
	case "t":
		m.tiers = value
	case "n":
		m.changes = value
	case "w":
		m.windows = value
	case "s":
		m.servicing = value
	case "e":
		m.efforts = value
	case "k":
		for _, c := range value {
			m.Caps |= 1 << strings.IndexRune(capLetters, c)
		}
	case "x":
		m.endpoints = value
	case "r":
		m.Released = value
	case "z":
		m.EndOfLife = value
	case "y":
		m.RoutedTo = value
	case "a":
		m.AliasOf = value
	case "f":
		m.Sources, m.PriceDate, _ = strings.Cut(value, "@")
	}
}

// number reads what the generator wrote; TestEveryEntry holds it to digits.
func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
