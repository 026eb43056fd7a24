package provider

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// The numbers of a context that is too long are told only where the provider's form of words is known: a client that is
// told a wrong limit shortens its conversation in vain.
func TestSizesAreReadAndNotGuessed(t *testing.T) {
	for message, want := range map[string][2]int64{
		"prompt is too long: 208310 tokens > 200000 maximum":                                                                                                  {208310, 200000},
		"This model's maximum context length is 128000 tokens. However, your messages resulted in 130011 tokens.":                                             {130011, 128000},
		"This endpoint's maximum context length is 1048576 tokens. However, you requested about 1050000 tokens (1040000 of text input, 10000 in the output).": {1050000, 1048576},
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).":                                                             {1200000, 1048576},
		"Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length":                                            {140000, 131072},
		"The prompt is too long: 140,123, model maximum context length: 131,072":                                                                              {140123, 131072},
		"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens`":                                  {209573, 200000},
		"However, you requested 1050000 tokens (1040000 in the messages, 10000 in the completion). Maximum: 1048576":                                          {},
		"Your input exceeds the context window of this model.":                                                                                                {},
		"The model gpt-4-0613 takes at most 8192 tokens":                                                                                                      {},
		"": {},
	} {
		var err chat.Error
		readSize(&err, strings.ToLower(message))
		if err.Requested != want[0] || err.Limit != want[1] {
			t.Errorf("%q: %d of %d", message, err.Requested, err.Limit)
		}
	}
}
