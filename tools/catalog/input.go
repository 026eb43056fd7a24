package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// input is a file of merged price lists.
type input struct {
	Generated string            `json:"generated"`
	Sources   map[string]string `json:"sources"`
	Models    []*entry          `json:"models"`
}

// entry is a model as the input has it. Prices are json.Number so that no digit is lost.
type entry struct {
	Provider  string   `json:"p"`
	ID        string   `json:"id"`
	Mode      string   `json:"mode"` // chat, responses, embedding
	Context   int64    `json:"ctx"`
	MaxOutput int64    `json:"max_out"`
	Efforts   []string `json:"effort"`
	Caps      []string `json:"caps"`
	Endpoints []string `json:"ep"`
	Dims      int64    `json:"dims"`
	Released  string   `json:"rel"`
	EndOfLife string   `json:"eol"`
	// Replacement is the model that the provider names instead; routed:ID if from the end of life on it serves and
	// bills this id as that one.
	Replacement string `json:"repl"`
	AliasOf     string `json:"alias_of"` // an id, perhaps followed by a remark
	Note        string `json:"note"`
	AsOf        string `json:"asof"` // the date of the prices' source
	Source      string `json:"src"`  // keys of the sources merged, oldest first: ll+md
	prices
	Tiers    []tier            `json:"tiers"`
	Windows  []window          `json:"win"`
	Next     []change          `json:"next"`
	Services map[string]prices `json:"svc"`
}

type prices struct {
	In       json.Number `json:"in"`
	Out      json.Number `json:"out"`
	Read     json.Number `json:"cr"`
	Write    json.Number `json:"cw"`
	Write1h  json.Number `json:"cw1h"`
	InAudio  json.Number `json:"in_audio"`
	OutAudio json.Number `json:"out_audio"`
	// WebSearch is the price of a thousand searches.
	WebSearch json.Number `json:"web_search"`
	Derived   int         `json:"est"`
}

type tier struct {
	Above int64 `json:"above"` // prompt tokens
	prices
}

type window struct {
	UTC  string `json:"utc"`  // 01:00-04:00,06:00-10:00
	Days string `json:"days"` // Mon-Fri...
	prices
}

type change struct {
	From string `json:"from"` // a date
	prices
}

// replace puts the input's models in the place of those of the same providers.
func (c *catalogue) replace(src *input, log io.Writer) error {
	entries := repair(src.Models, log)
	replaced := map[string]bool{}
	for _, e := range entries {
		replaced[e.Provider] = true
	}
	c.Models = slices.DeleteFunc(c.Models, func(m *model) bool { return replaced[m.Provider] })
	for _, e := range entries {
		m, err := e.model()
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.Provider, e.ID, err)
		}
		c.Models = append(c.Models, m)
	}
	if c.Sources == nil {
		c.Sources = map[string]string{}
	}
	for key, text := range src.Sources {
		// The archive of a page is no source of its own.
		c.Sources[key] = strings.NewReplacer(" as stored in docs corpus", "", " as stored", "").Replace(text)
	}
	c.Generated = src.Generated
	return nil
}

// capNames are the catalogue's names of capabilities that the input calls otherwise.
var capNames = map[string]string{"image_in": "image_input", "pdf_in": "pdf_input", "audio_in": "audio_input",
	"audio_out": "audio_output",
	"video_in":  "video_input", "cache": "prompt_cache"}

func (e *entry) model() (*model, error) {
	m := &model{
		ID: e.ID, Provider: e.Provider, Mode: e.Mode, ContextWindow: max(e.Context,
			0), MaxOutputTokens: max(e.MaxOutput, 0), Dimensions: e.Dims,
		Price: e.prices.list(), ReasoningEfforts: e.Efforts, Endpoints: e.Endpoints, Released: e.Released,
		EndOfLife: e.EndOfLife,
		RoutedTo:  e.routedTo(), PriceDate: e.AsOf, Note: e.Note,
	}
	if !strings.HasPrefix(e.Replacement, routed) {
		m.Replacement = e.Replacement
	}
	m.AliasOf, _, _ = strings.Cut(e.AliasOf, " ")
	if e.Source != "" {
		m.Sources = strings.Split(e.Source, "+")
	}
	if m.Mode == "chat" {
		m.Mode = ""
	}
	for _, c := range e.Caps {
		if name, ok := capNames[c]; ok {
			c = name
		}
		m.Capabilities = append(m.Capabilities, c)
	}
	for _, n := range e.Next {
		m.PriceChanges = append(m.PriceChanges, datedPrices{n.From, *n.prices.list()})
	}
	for _, t := range e.Tiers {
		m.LongPromptPrices = append(m.LongPromptPrices, longPrices{t.Above, *t.prices.list()})
	}
	for _, w := range e.Windows {
		if !strings.HasPrefix(w.Days, "Mon-Fri") {
			return nil, fmt.Errorf("prices at hours of %q", w.Days)
		}
		m.PeakPrices = append(m.PeakPrices, peakPrices{strings.Split(w.UTC, ","), *w.prices.list()})
	}
	for name, p := range e.Services {
		if m.ServiceTierPrices == nil {
			m.ServiceTierPrices = map[string]priceList{}
		}
		m.ServiceTierPrices[name] = *p.list()
	}
	return m, nil
}

// list returns nil if there is no price.
func (p *prices) list() *priceList {
	l := priceList{Input: p.In, Output: p.Out, CacheRead: p.Read, CacheWrite: p.Write, CacheWrite1h: p.Write1h,
		AudioInput: p.InAudio, AudioOutput: p.OutAudio, WebSearch: p.WebSearch, Derived: p.Derived != 0}
	if l == (priceList{Derived: l.Derived}) {
		return nil
	}
	return &l
}
