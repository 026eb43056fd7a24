// Command catalog writes the gateway's catalogue of models, pkg/catalog/models.txt,
// from a JSON file that merges public price lists:
//
//	go -C tools run ./catalog -in FILE -out ../pkg/catalog/models.txt
//
// The input is an object with "generated" (a date), "sources" (letters to where the
// data came from) and "models", whose entries have the fields of type entry: prices in
// USD per million tokens, each with the date of its source ("asof") and the letters of
// the sources merged ("src"), oldest first. What the output's lines mean is said in its
// own head, which this command writes.
//
// The command repairs what is known to be wrong in such lists, and says so on standard
// error; the rules are in repair.go. The same input always gives the same bytes.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

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
	AliasOf     string `json:"alias_of"`
	AsOf        string `json:"asof"`
	Source      string `json:"src"`
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
	Derived  int         `json:"est"`
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

func main() {
	in := flag.String("in", "", "the merged price lists, JSON")
	out := flag.String("out", "", "the catalogue to write")
	flag.Parse()
	if *in == "" || *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*in, *out, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(in, out string, log io.Writer) error {
	data, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	text, err := generate(data, log)
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}

func generate(data []byte, log io.Writer) ([]byte, error) {
	var src input
	if err := json.Unmarshal(data, &src); err != nil {
		return nil, err
	}
	models := repair(src.Models, log)
	slices.SortFunc(models, func(a, b *entry) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return strings.Compare(a.Provider, b.Provider)
	})
	var buf bytes.Buffer
	head(&buf, &src)
	for i, m := range models {
		if i > 0 && models[i-1].ID == m.ID && models[i-1].Provider == m.Provider {
			return nil, fmt.Errorf("%s %s stands twice", m.Provider, m.ID)
		}
		if err := write(&buf, m); err != nil {
			return nil, fmt.Errorf("%s %s: %w", m.Provider, m.ID, err)
		}
	}
	return buf.Bytes(), nil
}
