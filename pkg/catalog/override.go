package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// Overrides are prices that an operator sets instead of the list prices: for a contract, or for a model that
// the catalogue has no price of. The zero value overrides nothing.
type Overrides struct {
	exact  map[string]Prices
	prefix []prefixPrices // the longest first
}

type prefixPrices struct {
	prefix string
	Prices
}

// overrideRow is the JSON of one model's prices, USD per million tokens.
type overrideRow struct {
	Input        json.Number `json:"input"`
	Output       json.Number `json:"output"`
	CacheRead    json.Number `json:"cacheRead"`
	CacheWrite   json.Number `json:"cacheWrite"`
	CacheWrite1h json.Number `json:"cacheWrite1h"`
	AudioInput   json.Number `json:"audioInput"`
	AudioOutput  json.Number `json:"audioOutput"`
	ImageOutput  json.Number `json:"imageOutput"`
	WebSearch    json.Number `json:"webSearch"` // a thousand calls
}

// ParseOverrides reads
//
//	{"openai/gpt-5-mini": {"input": 0.25, "output": 2, "cacheRead": 0.025}, "fireworks/accounts/me/*": {"input": 0.9, "output": 0.9}}
//
// in USD per million tokens; a name may end in *. Other members are cacheWrite, cacheWrite1h, audioInput,
// audioOutput, imageOutput, and webSearch (USD per thousand calls). An input class without a price costs what input costs. The error says which entry is wrong.
func ParseOverrides(text string) (Overrides, error) {
	var o Overrides
	if strings.TrimSpace(text) == "" {
		return o, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	var rows map[string]overrideRow
	if err := d.Decode(&rows); err != nil {
		return o, errors.New("is not a JSON object of prices by provider/model")
	}
	if _, err := d.Token(); err != io.EOF {
		return o, errors.New("has something after the JSON object")
	}
	o.exact = map[string]Prices{}
	for name, row := range rows {
		provider, model, ok := strings.Cut(name, "/")
		if !ok || provider == "" || model == "" || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
			return o, fmt.Errorf("has the name %q, which is not provider/model", name)
		}
		p, err := row.prices()
		if err != nil {
			return o, fmt.Errorf("%s: %w", name, err)
		}
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			o.addPrefix(prefix, p)
		} else {
			o.exact[name] = p
		}
	}
	return o, nil
}

func (o *Overrides) addPrefix(prefix string, p Prices) {
	at := 0
	for at < len(o.prefix) && len(o.prefix[at].prefix) >= len(prefix) {
		at++
	}
	o.prefix = append(o.prefix[:at], append([]prefixPrices{{prefix, p}}, o.prefix[at:]...)...)
}

// isDecimal says whether a price is a number below a million dollars with at most six places, which is a pico-dollar a token.
func isDecimal(s string) bool {
	whole, frac, point := strings.Cut(s, ".")
	digits := func(s string) bool { return len(s) >= 1 && len(s) <= 6 && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(frac))
}

func (r *overrideRow) prices() (Prices, error) {
	p := Prices{}
	for _, f := range []struct {
		name string
		text json.Number
		to   *Pico
	}{
		{"input", r.Input, &p.Input}, {"output", r.Output, &p.Output}, {"cacheRead", r.CacheRead, &p.CacheRead},
		{"cacheWrite", r.CacheWrite, &p.CacheWrite}, {"cacheWrite1h", r.CacheWrite1h, &p.CacheWrite1h},
		{"audioInput", r.AudioInput, &p.AudioInput}, {"audioOutput", r.AudioOutput, &p.AudioOutput},
		{"imageOutput", r.ImageOutput, &p.ImageOutput}, {"webSearch", r.WebSearch, &p.WebSearch},
	} {
		switch {
		case f.text == "" && (f.name == "input" || f.name == "output"):
			return p, fmt.Errorf("%s is required", f.name)
		case f.text == "":
			*f.to = Unknown
		case !isDecimal(f.text.String()):
			return p, fmt.Errorf("%s must be USD per million tokens, such as 0.25, with at most six decimal places", f.name)
		default:
			*f.to = pico(f.text.String())
		}
	}
	if p.WebSearch != Unknown {
		p.WebSearch *= 1000
	}
	return p, nil
}

// Cost is like [Cost] but uses the overrides first: of a whole name before those of a prefix, the longest prefix first, and
// for equal names those of the model that answered before those of the model asked for. They apply in every service
// tier. A cost that the provider itself reports still wins.
func (o Overrides) Cost(r Request, u *chat.Usage) Charge {
	if o.exact != nil && u != nil && !u.HasCost {
		names := []string{r.Provider + "/" + r.Model}
		if r.Answered != "" {
			names = []string{r.Provider + "/" + withoutCollection(r.Answered), names[0]}
		}
		if p, ok := o.prices(names); ok {
			return p.Cost(u)
		}
	}
	return Cost(r, u)
}

// prices returns the overrides of the first name that has any.
func (o Overrides) prices(names []string) (Prices, bool) {
	for _, name := range names {
		if p, ok := o.exact[name]; ok {
			return p, true
		}
	}
	for _, p := range o.prefix {
		for _, name := range names {
			if strings.HasPrefix(name, p.prefix) {
				return p.Prices, true
			}
		}
	}
	return Prices{}, false
}
