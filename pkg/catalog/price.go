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

// PricesAt returns the prices of a request with so many input tokens, cached ones included, that began at the time
// (Unix milliseconds) and was served in the service tier that the provider reported. It reports false if they are
// unknown.
//
// DeepSeek exempts Chinese holidays from its peak hours. The catalogue does not know them, so costs at peak hours of
// those days are too high.
func (m *Model) PricesAt(serviceTier string, input, atMs int64) (Prices, bool) {
	if !isStandard(serviceTier) {
		return m.tierPrices(serviceTier, input)
	}
	list := m.price
	for change := range m.changes.elements() {
		if atMs >= dateMs(change.get("from").str()) {
			list = change
		}
	}
	for peak := range m.peaks.elements() {
		if within(peak.get("hours"), atMs) {
			list = peak
		}
	}
	for long := range m.longPrompts.elements() {
		if input > long.get("above").int64() {
			list = long
		}
	}
	return parsePrices(list)
}

// tierPrices returns the prices of a service tier. They are unknown for long prompts.
func (m *Model) tierPrices(name string, input int64) (Prices, bool) {
	for long := range m.longPrompts.elements() {
		if input > long.get("above").int64() {
			return Prices{}, false
		}
	}
	return parsePrices(m.tiers.get(name))
}

// isStandard says whether list prices are those of the service tier: default and auto are OpenAI's words, standard
// Anthropic's and Gemini's, on_demand Groq's.
func isStandard(tier string) bool {
	switch tier {
	case "", "default", "auto", "standard", "on_demand":
		return true
	}
	return false
}

// within says whether the time falls into one of the hours (UTC), such as 01:00-04:00, of a day from Monday to Friday.
func within(hours value, atMs int64) bool {
	t := time.UnixMilli(atMs).UTC()
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return false
	}
	now := t.Format("15:04")
	for span := range hours.elements() {
		if from, to, _ := strings.Cut(span.str(), "-"); from <= now && now < to {
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

// parsePrices reads an object of prices.
func parsePrices(list value) (Prices, bool) {
	p := Prices{Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, Unknown, false}
	for name, v := range list.members() {
		switch name {
		case "input":
			p.Input = pico(string(v))
		case "output":
			p.Output = pico(string(v))
		case "cacheRead":
			p.CacheRead = pico(string(v))
		case "cacheWrite":
			p.CacheWrite = pico(string(v))
		case "cacheWrite1h":
			p.CacheWrite1h = pico(string(v))
		case "audioInput":
			p.AudioInput = pico(string(v))
		case "audioOutput":
			p.AudioOutput = pico(string(v))
		case "derived":
			p.Derived = v == "true"
		}
	}
	return p, p.Input != Unknown
}

// pico reads a decimal number of USD per million tokens exactly.
func pico(s string) Pico {
	whole, frac, _ := strings.Cut(s, ".")
	return Pico(value(whole).int64()*1_000_000 + value((frac + "000000")[:6]).int64())
}
