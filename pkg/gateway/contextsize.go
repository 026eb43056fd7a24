package gateway

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// contextSize reads how many tokens a request has that is too long, and how many its model takes, from the provider's
// words; zeros if they do not say it. A request that is too long has more than the limit, whatever the order.
func contextSize(e *chat.Error) (requested, limit int64) {
	if e.Limit > 0 && e.Requested > 0 {
		return e.Requested, e.Limit
	}
	if m := exceedsLimit.FindStringSubmatch(e.Message); m != nil {
		input, output := tokenNumber(m[1]), tokenNumber(m[2])
		return input + output, tokenNumber(m[3])
	}
	var found []int64
	for _, m := range tokenCount.FindAllStringSubmatch(e.Message, -1) {
		if n := tokenNumber(m[1]); n >= minContext && len(found) < 2 {
			found = append(found, n)
		}
	}
	if len(found) < 2 || found[0] == found[1] {
		return 0, 0
	}
	return max(found[0], found[1]), min(found[0], found[1])
}

// minContext is less than the context of any model: smaller numbers are something else.
const minContext = 1000

var (
	exceedsLimit = regexp.MustCompile(`context limit: (\d+) \+ (\d+) > (\d+)`)
	// tokenCount fits a number that is no part of a model's name or of a version.
	tokenCount = regexp.MustCompile(`(?:^|[\s(:])(\d{1,3}(?:,\d{3})+|\d+)(?:[\s),.:;]|$)`)
)

func tokenNumber(text string) int64 {
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
