package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
)

// The words that a line may have, in the order in which they are written.
var (
	modes        = []string{"", "responses", "embedding"}
	efforts      = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max", "default"}
	capabilities = []string{"tools", "parallel_tools", "json_schema", "json_object", "reasoning", "image_input",
		"pdf_input", "audio_input",
		"audio_output", "video_input", "prompt_cache", "prefill", "no_sampling", "deprecated"}
	endpoints = []string{"chat/completions", "responses", "completions", "realtime"}
)

var (
	ids   = regexp.MustCompile(`^[^\s"\\#]+$`)
	days  = regexp.MustCompile(`^(\d{4}-\d\d(-\d\d)?)?$`)
	day   = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	hours = regexp.MustCompile(`^\d\d:\d\d-\d\d:\d\d$`)
)

// normalize brings a line into normal form, so that equal facts have equal bytes, and refuses what pkg/catalog cannot read.
func (m *model) normalize(sources map[string]string) error {
	switch {
	case !ids.MatchString(m.ID) || !ids.MatchString(m.Provider):
		return fmt.Errorf("the id %q or the provider %q cannot be written", m.ID, m.Provider)
	case !slices.Contains(modes, m.Mode):
		return fmt.Errorf("unknown mode %q", m.Mode)
	case !days.MatchString(m.Released) || !days.MatchString(m.EndOfLife) || !days.MatchString(m.PriceDate):
		return fmt.Errorf("%q, %q or %q is no date", m.Released, m.EndOfLife, m.PriceDate)
	case m.RoutedTo != "" && !day.MatchString(m.EndOfLife):
		return fmt.Errorf("it is routed to %s, but not from a day on", m.RoutedTo)
	case len(m.Sources) == 0 || m.PriceDate == "":
		return fmt.Errorf("it has no source or no date")
	}
	for _, key := range m.Sources {
		if sources[key] == "" {
			return fmt.Errorf("unknown source %q", key)
		}
	}
	for _, list := range []struct{ words, known []string }{{m.ReasoningEfforts, efforts},
		{m.Capabilities, capabilities}, {m.Endpoints, endpoints}} {
		for _, w := range list.words {
			if !slices.Contains(list.known, w) {
				return fmt.Errorf("unknown word %q", w)
			}
		}
		slices.SortFunc(list.words,
			func(a, b string) int { return slices.Index(list.known, a) - slices.Index(list.known, b) })
	}
	return m.normalizePrices()
}

func (m *model) normalizePrices() error {
	slices.SortFunc(m.PriceChanges, func(a, b datedPrices) int { return cmp.Compare(a.From, b.From) })
	slices.SortFunc(m.LongPromptPrices, func(a, b longPrices) int { return cmp.Compare(a.Above, b.Above) })
	var lists []*priceList
	if m.Price != nil {
		lists = append(lists, m.Price)
	}
	for i := range m.PriceChanges {
		if !day.MatchString(m.PriceChanges[i].From) {
			return fmt.Errorf("%q is no date", m.PriceChanges[i].From)
		}
		lists = append(lists, &m.PriceChanges[i].priceList)
	}
	for i := range m.LongPromptPrices {
		lists = append(lists, &m.LongPromptPrices[i].priceList)
	}
	for i := range m.PeakPrices {
		for _, h := range m.PeakPrices[i].Hours {
			if !hours.MatchString(h) {
				return fmt.Errorf("%q are no hours", h)
			}
		}
		lists = append(lists, &m.PeakPrices[i].priceList)
	}
	for _, l := range lists {
		if err := l.normalize(); err != nil {
			return err
		}
	}
	for name, l := range m.ServiceTierPrices {
		if err := l.normalize(); err != nil {
			return err
		}
		m.ServiceTierPrices[name] = l
	}
	if m.Price == nil && (len(lists) > 0 || len(m.ServiceTierPrices) > 0) {
		return fmt.Errorf("it has exceptions to a price that is not there")
	}
	return nil
}

func (l *priceList) normalize() error {
	for _, n := range []*json.Number{&l.Input, &l.Output, &l.CacheRead, &l.CacheWrite, &l.CacheWrite1h, &l.AudioInput,
		&l.AudioOutput, &l.ImageOutput, &l.WebSearch} {
		if *n == "" {
			continue
		}
		r, ok := new(big.Rat).SetString(n.String())
		if !ok || r.Sign() < 0 {
			return fmt.Errorf("the price %q is none", *n)
		}
		*n = json.Number(decimal(r))
	}
	return nil
}
