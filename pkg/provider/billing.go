package provider

// Billing is what an upper bound of a request's cost and tokens has to reckon with.
type Billing struct {
	// Percent is the most that the provider charges of its list prices, such as 110 where a region costs more; 0: 100.
	Percent int64
	// TierOfAccount says that the account's settings choose the service tier of a request that names none.
	TierOfAccount bool
	// PricesVary says that the price is that of whoever serves the request behind the provider.
	PricesVary bool
	// ImageTokens is the most that a picture counts, as documented; 0: [mostImageTokens].
	ImageTokens int64
}

// mostImageTokens is the most that a picture counts anywhere: gpt-4o-mini counts 2,833 tokens and 5,667 for each of at most
// 8 tiles (platform.openai.com, "Images and vision", 2026-11). Gemini counts less, 258 for each of its tiles.
const mostImageTokens = 2833 + 8*5667

// MostImageTokens is the most that a picture counts as input.
func (p *Provider) MostImageTokens() int64 {
	if p.Billing.ImageTokens > 0 {
		return p.Billing.ImageTokens
	}
	return mostImageTokens
}
