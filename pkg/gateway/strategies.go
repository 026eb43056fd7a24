package gateway

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
)

// Strategy is the order of what may serve a request: of keys of equal priority, and of the targets of an alias.
type Strategy string

// The strategies. ExhaustFirst and RoundRobin keep the order of an alias's targets, and are about the keys of each.
const (
	ExhaustFirst Strategy = "exhaust-first" // the oldest until its quota is spent, then the next
	RoundRobin   Strategy = "round-robin"   // in turn
	Cheapest     Strategy = "cheapest"      // by the price of the request
	LeastLatency Strategy = "least-latency" // by how soon they answered lately
	Weighted     Strategy = "weighted"      // by chance: targets as their weights say, keys evenly
)

// Strategies returns all strategies.
func Strategies() []Strategy {
	return []Strategy{ExhaustFirst, RoundRobin, LeastLatency, Cheapest, Weighted}
}

// keepsOrder reports whether the targets of an alias stay in its order.
func (s Strategy) keepsOrder() bool { return s == ExhaustFirst || s == RoundRobin }

// strategyOf returns the strategy for the targets of an alias or for a model: of the request, the alias, the user or the
// gateway.
func (c *Call) strategyOf(t *target) Strategy {
	var alias Strategy
	if a := c.entry.table.alias(t.alias); a != nil && t.alias != "" {
		alias = Strategy(a.Strategy)
	}
	return cmp.Or(Strategy(c.req.Route.Strategy), alias, c.entry.table.strategy, c.g.settings.Strategy, ExhaustFirst)
}

// rank orders the candidates of one name, and gives each its rank, from the first that is free. Candidates of one rank are
// equal but for their priority.
func (c *Call) rank(all []candidate, strategy Strategy) {
	first := len(c.ranks)
	switch strategy {
	case Cheapest:
		c.rankBy(all, c.costOf)
	case LeastLatency:
		c.rankBy(all, c.latencies(all))
	case Weighted:
		c.draw(all)
	default:
		for i := range all {
			if i == 0 || all[i].of != all[i-1].of {
				c.ranks = append(c.ranks, c.names)
			}
			all[i].rank = len(c.ranks) - 1
		}
	}
	if first == len(c.ranks) {
		return // there is none
	}
	c.names++
}

// rankBy orders candidates by priority and then by what is least.
func (c *Call) rankBy(all []candidate, of func(candidate) int64) {
	type weighed struct {
		candidate
		n int64
	}
	list := make([]weighed, len(all))
	for i, k := range all {
		list[i] = weighed{k, of(k)}
	}
	slices.SortStableFunc(list, func(a, b weighed) int { return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.n, b.n)) })
	for i := range list {
		if i == 0 || list[i].n != list[i-1].n || list[i].priority != list[i-1].priority || list[i].of != list[i-1].of {
			c.ranks = append(c.ranks, c.names)
		}
		all[i] = list[i].candidate
		all[i].rank = len(c.ranks) - 1
	}
}

// expectedOutput is how many tokens of output a request is compared by if it has no lower maximum.
const expectedOutput = 1000

// noPrice is the cost of what has no price.
const noPrice = math.MaxInt64

// costOf returns what the request may cost with the candidate, in nano-dollars. What has no price comes last.
func (c *Call) costOf(k candidate) int64 {
	input, each, ok := c.prices(k, c.inputEstimate(), c.nowMs())
	if !ok {
		return noPrice
	}
	if c.req.Embedding != nil {
		return input
	}
	output := int64(expectedOutput)
	if most := c.maxTokens(k); most != nil {
		output = max(0, min(output, *most))
	}
	return input + each*output/1000
}

// draw orders the targets by chance, each in proportion to its weight, and keys of equal priority of each. The same request
// draws the same.
func (c *Call) draw(all []candidate) {
	id := c.req.ID
	chance := rand.New(rand.NewPCG(binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])))
	at := map[candidateID]float64{}
	place := map[*target]float64{}
	for _, k := range all {
		if _, drawn := place[k.of]; !drawn {
			// The least of exponential variables with these rates is each with the probability of its weight.
			place[k.of] = chance.ExpFloat64() / float64(max(1, k.of.Weight))
		}
		at[k.identity()] = chance.Float64()
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(place[a.of], place[b.of]), cmp.Compare(a.priority, b.priority),
			cmp.Compare(at[a.identity()], at[b.identity()]))
	})
	for i := range all {
		c.ranks = append(c.ranks, c.names)
		all[i].rank = len(c.ranks) - 1
	}
}

// stays reports whether the candidate is the key that made the latest saved turn of the conversation, and may come before the
// rank: a strategy that does not keep an order leaves a conversation where it is.
func (c *Call) stays(k candidate, rank int) bool {
	return k.id == c.affinity && (k.rank == rank || !k.strategy.keepsOrder() && c.ranks[k.rank] == c.ranks[rank])
}
