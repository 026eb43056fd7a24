package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// catalogue is models.json. Package pkg/catalog explains its members.
type catalogue struct {
	Generated string            `json:"generated"` // the date of the price lists
	Sources   map[string]string `json:"sources"`
	Models    []*model          `json:"models"`
}

// model is one line, its members in the order in which they are written.
type model struct {
	ID                string               `json:"id"`
	Provider          string               `json:"provider"`
	Mode              string               `json:"mode,omitempty"` // empty: chat
	ContextWindow     int64                `json:"contextWindow,omitempty"`
	MaxOutputTokens   int64                `json:"maxOutputTokens,omitempty"`
	Dimensions        int64                `json:"dimensions,omitempty"`
	Price             *priceList           `json:"price,omitempty"`
	PriceChanges      []datedPrices        `json:"priceChanges,omitempty"`
	LongPromptPrices  []longPrices         `json:"longPromptPrices,omitempty"`
	PeakPrices        []peakPrices         `json:"peakPrices,omitempty"`
	ServiceTierPrices map[string]priceList `json:"serviceTierPrices,omitempty"`
	ReasoningEfforts  []string             `json:"reasoningEfforts,omitempty"`
	Capabilities      []string             `json:"capabilities,omitempty"`
	Endpoints         []string             `json:"endpoints,omitempty"`
	Released          string               `json:"released,omitempty"`
	EndOfLife         string               `json:"endOfLife,omitempty"`
	RoutedTo          string               `json:"routedTo,omitempty"`
	Replacement       string               `json:"replacement,omitempty"`
	AliasOf           string               `json:"aliasOf,omitempty"`
	Sources           []string             `json:"sources"`
	PriceDate         string               `json:"priceDate"`
	Note              string               `json:"note,omitempty"`
}

type priceList struct {
	Input        json.Number `json:"input,omitempty"`
	Output       json.Number `json:"output,omitempty"`
	CacheRead    json.Number `json:"cacheRead,omitempty"`
	CacheWrite   json.Number `json:"cacheWrite,omitempty"`
	CacheWrite1h json.Number `json:"cacheWrite1h,omitempty"`
	AudioInput   json.Number `json:"audioInput,omitempty"`
	AudioOutput  json.Number `json:"audioOutput,omitempty"`
	ImageOutput  json.Number `json:"imageOutput,omitempty"`
	WebSearch    json.Number `json:"webSearch,omitempty"`
	Derived      bool        `json:"derived,omitempty"`
}

type datedPrices struct {
	From string `json:"from"`
	priceList
}

type longPrices struct {
	Above int64 `json:"above"`
	priceList
}

type peakPrices struct {
	Hours []string `json:"hours"`
	priceList
}

// text writes the catalogue: one model a line, sorted by id, then provider. Sources that no line has are left out.
func (c *catalogue) text() ([]byte, error) {
	slices.SortFunc(c.Models,
		func(a, b *model) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Provider, b.Provider)) })
	var lines bytes.Buffer
	used := map[string]bool{}
	for i, m := range c.Models {
		err := m.normalize(c.Sources)
		if i > 0 && m.ID == c.Models[i-1].ID && m.Provider == c.Models[i-1].Provider {
			err = fmt.Errorf("is there twice")
		}
		line := encode(m)
		if bytes.IndexByte(line, '\\') >= 0 {
			err = fmt.Errorf("a text has a character that JSON escapes")
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", m.Provider, m.ID, err)
		}
		if i > 0 {
			lines.WriteString(",\n")
		}
		lines.Write(line)
		for _, key := range m.Sources {
			used[key] = true
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\"generated\":%s,\n\"sources\":{\n", encode(c.Generated))
	for i, key := range slices.Sorted(maps.Keys(used)) {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(&out, "%s:%s", encode(key), encode(c.Sources[key]))
	}
	fmt.Fprintf(&out, "\n},\n\"models\":[\n%s\n]}\n", lines.Bytes())
	return out.Bytes(), nil
}

func encode(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // structs of strings and numbers
	}
	return bytes.TrimSpace(buf.Bytes())
}

func strictly(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}
