package catalog

import (
	"strings"
	"time"
)

// Unknown is a price that is not known, which is not zero.
const Unknown Pico = -1

// Pico is a price in pico-dollars (10⁻¹² USD) a token: one dollar per million tokens is
// a million of them.
type Pico int64

// Prices are the prices of a model for one request. Each may be Unknown.
type Prices struct {
	Input, Output           Pico
	CacheRead               Pico
	CacheWrite              Pico // kept for the provider's default time
	CacheWrite1h            Pico // kept for an hour
	AudioInput, AudioOutput Pico
	// Derived marks prices that follow from a rule and were not published.
	Derived bool
}

// PricesAt are the prices of a request with so many input tokens, cached ones
// included, that began at the time (Unix milliseconds) and was served in the service tier
// that the provider reported; "" and its names for the usual one are the usual one. It
// reports false if they are unknown.
//
// DeepSeek's peak hours hold on every Monday to Friday here; that it exempts Chinese
// holidays is not known to the catalogue, so that costs of those hours are too high.
func (m *Model) PricesAt(serviceTier string, input, atMs int64) (Prices, bool) {
	if !usual(serviceTier) {
		return m.servicePrices(serviceTier, input)
	}
	list := m.price
	for change := range strings.SplitSeq(m.changes, ",") {
		if from, p, ok := strings.Cut(change, ":"); ok && atMs >= dateMs(from) {
			list = p
		}
	}
	for w := range strings.SplitSeq(m.windows, ",") {
		if hours, p, ok := strings.Cut(w, "="); ok && within(hours, atMs) {
			list = p
		}
	}
	for tier := range strings.SplitSeq(m.tiers, ",") {
		if above, p, ok := strings.Cut(tier, ":"); ok && input > number(above) {
			list = p
		}
	}
	return parsePrices(list)
}

// servicePrices are known for requests of usual length alone.
func (m *Model) servicePrices(name string, input int64) (Prices, bool) {
	if above, _, ok := strings.Cut(m.tiers, ":"); ok && input > number(above) {
		return Prices{}, false
	}
	for s := range strings.SplitSeq(m.servicing, ",") {
		if n, p, ok := strings.Cut(s, ":"); ok && n == name {
			return parsePrices(p)
		}
	}
	return Prices{}, false
}

// usual says whether the service tier is the one that list prices are for: default
// and auto are OpenAI's words, standard Anthropic's and Gemini's, on_demand Groq's.
func usual(tier string) bool {
	switch tier {
	case "", "default", "auto", "standard", "on_demand":
		return true
	}
	return false
}

// within says whether the time falls into one of the hours, 01:00-04:00+06:00-10:00,
// of a day from Monday to Friday, UTC.
func within(hours string, atMs int64) bool {
	t := time.UnixMilli(atMs).UTC()
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return false
	}
	now := t.Format("15:04")
	for span := range strings.SplitSeq(hours, "+") {
		if from, to, _ := strings.Cut(span, "-"); from <= now && now < to {
			return true
		}
	}
	return false
}

func dateMs(date string) int64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 1<<63 - 1
	}
	return t.UnixMilli()
}

// parsePrices reads "i1.25o10r0.125": a letter and USD per million tokens, repeated.
func parsePrices(s string) (Prices, bool) {
	p := Prices{Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, false}
	s, p.Derived = strings.CutSuffix(s, "~")
	for s != "" {
		letter := s[0]
		end := 1
		for end < len(s) && (s[end] == '.' || s[end] >= '0' && s[end] <= '9') {
			end++
		}
		v := pico(s[1:end])
		switch letter {
		case 'i':
			p.Input = v
		case 'o':
			p.Output = v
		case 'r':
			p.CacheRead = v
		case 'w':
			p.CacheWrite = v
		case 'W':
			p.CacheWrite1h = v
		case 'a':
			p.AudioInput = v
		case 'A':
			p.AudioOutput = v
		}
		s = s[end:]
	}
	return p, p.Input != Unknown
}

// pico reads a decimal number of USD per million tokens exactly.
func pico(s string) Pico {
	whole, frac, _ := strings.Cut(s, ".")
	return Pico(number(whole)*1_000_000 + number((frac + "000000")[:6]))
}
