package catalog

import (
	"math"
	"math/bits"
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
	ImageOutput             Pico
	WebSearch               Pico // a call
	// Assumed marks prices of another tier than that of the request, which has none.
	Assumed bool
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
	list := m.listAt(atMs)
	standard, ok := parsePrices(list)
	if !ok {
		return standard, false
	}
	long, isLong := standard, false
	for band := range m.longPrompts.elements() {
		if input > band.get("above").int64() {
			long, ok = parsePrices(band)
			isLong = ok
		}
	}
	long.WebSearch = standard.WebSearch
	if isStandard(serviceTier) {
		return long, true
	}
	tier, ok := parsePrices(m.tiers.get(serviceTier))
	switch {
	case !ok:
		long.Assumed = true
		return long, true
	default: // a tier follows changes of the standard price; that it does so for long prompts is known of multiples only
		if base, ok := parsePrices(m.price); ok {
			tier = tier.times(long.Input, base.Input, long.Output, base.Output)
		}
		tier.Assumed = isLong && !tier.Derived
	}
	tier.WebSearch = standard.WebSearch
	return tier, true
}

// listAt returns the list of prices that holds at the time.
func (m *Model) listAt(atMs int64) value {
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
	return list
}

// times returns the prices multiplied by a/b for input and by c/d for output.
func (p Prices) times(a, b, c, d Pico) Prices {
	for _, price := range []*Pico{&p.Input, &p.CacheRead, &p.CacheWrite, &p.CacheWrite1h, &p.AudioInput} {
		*price = price.times(a, b)
	}
	for _, price := range []*Pico{&p.Output, &p.AudioOutput, &p.ImageOutput} {
		*price = price.times(c, d)
	}
	return p
}

// times returns the price multiplied by a/b, rounded down; unchanged if one of them is unknown or zero.
func (p Pico) times(a, b Pico) Pico {
	if p <= 0 || a <= 0 || b <= 0 {
		return p
	}
	hi, lo := bits.Mul64(uint64(p), uint64(a))
	if hi >= uint64(b) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(b))
	return Pico(min(q, math.MaxInt64))
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

var unknownPrices = Prices{Input: Unknown, Output: Unknown, CacheRead: Unknown, CacheWrite: Unknown, CacheWrite1h: Unknown,
	AudioInput: Unknown, AudioOutput: Unknown, ImageOutput: Unknown, WebSearch: Unknown}

// parsePrices reads an object of prices.
func parsePrices(list value) (Prices, bool) {
	p := unknownPrices
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
		case "imageOutput":
			p.ImageOutput = pico(string(v))
		case "webSearch": // of a thousand calls
			p.WebSearch = pico(string(v)) * 1000
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
