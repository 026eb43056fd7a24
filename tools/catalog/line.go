package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// head writes what the catalogue's lines mean and where its data come from.
func head(buf *bytes.Buffer, src *input) {
	fmt.Fprintf(buf, `# Models of the providers, their limits and list prices. Written by tools/catalog from data of %s; do not edit.
#
# One model a line, sorted by id, then provider: the id, the provider, and fields name=value, absent if unknown.
#   m  mode: e embedding, r Responses API only; absent: chat
#   c  tokens of context        o  tokens of output at most     d  dimensions of embeddings
#   p  prices                   t  prices above so many prompt tokens: N:prices,...
#   n  prices from a date on: DATE:prices,...
#   w  prices at times of day (UTC), Monday to Friday: HH:MM-HH:MM+...=prices
#   s  prices of service tiers: NAME:prices,...
#   e  levels of reasoning effort: n none, i minimal, l low, m medium, h high, x xhigh, X max, d default
#   k  capabilities: t tools, p parallel tool calls, s JSON schema, j JSON object, r reasoning, i images in,
#      f PDF in, a audio in, A audio out, v video in, c prompt cache, P prefill, S no sampling parameters, D deprecated
#   x  endpoints: c chat/completions, r responses, l completions, t realtime
#   r  released                 z  end of life                  a  alias of
#   y  the model as which the provider serves and bills this one from its end of life on
#   f  sources and the date of the price
# Prices are USD per million tokens: i input, o output, r cache read, w cache write, W cache write for an hour,
# a audio input, A audio output; a final ~ marks prices derived by rule, not published.
#
# Sources:
`, src.Generated)
	for _, k := range slices.Sorted(maps.Keys(src.Sources)) {
		where, _, cut := strings.Cut(src.Sources[k], " as stored")
		if _, when, ok := strings.Cut(src.Sources[k], ", "); cut && ok {
			where += ", " + when // Where the page lay in the meantime says nothing.
		}
		fmt.Fprintf(buf, "#   %s  %s\n", k, where)
	}
}

var (
	levels  = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max", "default"}
	efforts = map[string]string{"none": "n", "minimal": "i", "low": "l", "medium": "m", "high": "h", "xhigh": "x", "max": "X", "default": "d"}
	caps    = map[string]string{
		"tools": "t", "parallel_tools": "p", "json_schema": "s", "json_object": "j", "reasoning": "r", "image_in": "i", "pdf_in": "f",
		"audio_in": "a", "audio_out": "A", "video_in": "v", "cache": "c", "prefill": "P", "no_sampling": "S", "deprecated": "D",
	}
	endpoints = map[string]string{"chat/completions": "c", "responses": "r", "completions": "l", "realtime": "t"}
	modes     = map[string]string{"chat": "", "embedding": "e", "responses": "r"}
)

func write(buf *bytes.Buffer, m *entry) error {
	if m.ID == "" || strings.ContainsAny(m.ID, " \t\n#=") {
		return fmt.Errorf("the id cannot be written")
	}
	w := line{Buffer: buf}
	fmt.Fprintf(buf, "%s %s", m.ID, m.Provider)
	mode, ok := modes[m.Mode]
	if !ok {
		return fmt.Errorf("unknown mode %q", m.Mode)
	}
	w.field("m", mode)
	w.number("c", m.Context)
	w.number("o", m.MaxOutput)
	w.number("d", m.Dims)
	w.field("p", w.prices(m.prices))
	w.field("t", w.tiers(m.Tiers))
	w.field("n", w.changes(m.Next))
	w.field("w", w.windows(m.Windows))
	w.field("s", w.services(m.Services))
	slices.SortFunc(m.Efforts, func(a, b string) int { return slices.Index(levels, a) - slices.Index(levels, b) })
	w.field("e", w.letters(efforts, m.Efforts))
	w.field("k", w.letters(caps, m.Caps))
	w.field("x", w.letters(endpoints, m.Endpoints))
	w.field("r", m.Released)
	w.field("z", m.EndOfLife)
	w.field("y", m.routedTo())
	alias, _, _ := strings.Cut(m.AliasOf, " ")
	w.field("a", alias)
	w.field("f", m.Source+"@"+m.AsOf)
	buf.WriteByte('\n')
	return w.err
}

// line writes the fields of one model; the first thing that cannot be written stays in err.
type line struct {
	*bytes.Buffer
	err error
}

func (l *line) field(name, value string) {
	if strings.ContainsAny(value, " \t\n") {
		l.err = fmt.Errorf("field %s: %q has white space", name, value)
	}
	if value != "" {
		fmt.Fprintf(l, " %s=%s", name, value)
	}
}

func (l *line) number(name string, n int64) {
	if n > 0 {
		fmt.Fprintf(l, " %s=%d", name, n)
	}
}

func (l *line) letters(codes map[string]string, words []string) string {
	var s strings.Builder
	for _, word := range words {
		code, ok := codes[word]
		if !ok {
			l.err = fmt.Errorf("unknown word %q", word)
		}
		s.WriteString(code)
	}
	return s.String()
}

func (l *line) prices(p prices) string {
	var s strings.Builder
	for _, f := range []struct {
		letter string
		price  json.Number
	}{{"i", p.In}, {"o", p.Out}, {"r", p.Read}, {"w", p.Write}, {"W", p.Write1h}, {"a", p.InAudio}, {"A", p.OutAudio}} {
		if f.price != "" {
			if rat(f.price).Sign() < 0 {
				l.err = fmt.Errorf("price %s is negative", f.price)
			}
			s.WriteString(f.letter + decimal(rat(f.price)))
		}
	}
	if s.Len() > 0 && p.Derived != 0 {
		s.WriteByte('~')
	}
	return s.String()
}

func (l *line) tiers(tiers []tier) string {
	slices.SortFunc(tiers, func(a, b tier) int { return int(a.Above - b.Above) })
	var out []string
	for _, t := range tiers {
		out = append(out, fmt.Sprintf("%d:%s", t.Above, l.prices(t.prices)))
	}
	return strings.Join(out, ",")
}

func (l *line) changes(changes []change) string {
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.From, b.From) })
	var out []string
	for _, c := range changes {
		out = append(out, c.From+":"+l.prices(c.prices))
	}
	return strings.Join(out, ",")
}

func (l *line) windows(windows []window) string {
	var out []string
	for _, w := range windows {
		if !strings.HasPrefix(w.Days, "Mon-Fri") {
			l.err = fmt.Errorf("window on %q", w.Days)
		}
		out = append(out, strings.ReplaceAll(w.UTC, ",", "+")+"="+l.prices(w.prices))
	}
	return strings.Join(out, ",")
}

func (l *line) services(tiers map[string]prices) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(tiers)) {
		out = append(out, name+":"+l.prices(tiers[name]))
	}
	return strings.Join(out, ",")
}
