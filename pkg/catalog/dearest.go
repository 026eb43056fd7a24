package catalog

import "errors"

// Ceiling holds the highest prices of a token that a request may be charged.
type Ceiling struct{ Input, Output Pico }

// Why a request has no [Ceiling].
var (
	ErrUnpriced    = errors.New("the price of the model is not known")
	ErrUnknownTier = errors.New("the price of the service tier is not known")
)

// TierUndecided in [Request.ServiceTier] says that the provider chooses among its service tiers.
const TierUndecided = "undecided"

// tierOnRequest is a service tier that no request gets without asking for it.
const tierOnRequest = "fast"

// Dearest returns the highest prices that a request with at most so many input tokens may be charged: each class of input
// and output, long prompts, the service tier or the standard one instead, and the model that the provider serves in place of
// the one asked for. Overrides are used first, see [Overrides.Cost]. Errors: ErrUnpriced, ErrUnknownTier.
func (o Overrides) Dearest(r Request, input int64) (Ceiling, error) {
	if p, ok := o.prices([]string{r.Provider + "/" + r.Model}); ok {
		var c Ceiling
		c.raise(&p)
		return c, nil
	}
	return Dearest(r, input)
}

// Dearest is [Overrides.Dearest] without overrides.
func Dearest(r Request, input int64) (c Ceiling, err error) {
	c = Ceiling{Unknown, Unknown}
	m, ok := Lookup(r.Provider, r.Model)
	if !ok {
		return c, ErrUnpriced
	}
	models := []Model{m}
	for _, id := range [...]string{m.RoutedTo, m.AliasOf} {
		if other, ok := Lookup(r.Provider, id); ok && id != "" {
			models = append(models, other)
		}
	}
	for i := range models {
		if err := c.raiseTo(&models[i], r, input); err != nil {
			return c, err
		}
	}
	return c, nil
}

// raiseTo raises the ceiling to the prices of a model.
func (c *Ceiling) raiseTo(m *Model, r Request, input int64) error {
	tiers := []string{""}
	switch {
	case r.ServiceTier == TierUndecided:
		for name := range m.tiers.members() {
			if name != tierOnRequest {
				tiers = append(tiers, name)
			}
		}
	case isStandard(r.ServiceTier):
	case m.tiers.get(r.ServiceTier) == "":
		return ErrUnknownTier
	default:
		tiers = append(tiers, r.ServiceTier)
	}
	for _, tier := range tiers {
		for _, n := range [...]int64{0, input} {
			p, ok := m.PricesAt(tier, n, r.AtMs)
			if !ok {
				return ErrUnpriced
			}
			c.raise(&p)
		}
	}
	return nil
}

func (c *Ceiling) raise(p *Prices) {
	c.Input = max(c.Input, p.Input, p.CacheRead, p.CacheWrite, p.CacheWrite1h, p.AudioInput)
	c.Output = max(c.Output, p.Output, p.AudioOutput, p.ImageOutput)
}
