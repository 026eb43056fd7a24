package gateway

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

func TestContextSize(t *testing.T) {
	for message, want := range map[string][2]int64{
		"prompt is too long: 208310 tokens > 200000 maximum":                                                                 {208310, 200000},
		"This model's maximum context length is 128000 tokens. However, your messages resulted in 130011 tokens.":            {130011, 128000},
		"However, you requested 1050000 tokens (1040000 in the messages, 10000 in the completion). Maximum: 1048576":         {1050000, 1040000},
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).":                            {1200000, 1048576},
		"Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length":           {140000, 131072},
		"The prompt is too long: 140,123, model maximum context length: 131,072":                                             {140123, 131072},
		"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens`": {209573, 200000},
		"Your input exceeds the context window of this model.":                                                               {},
		"The model gpt-4-0613 takes at most 8192 tokens":                                                                     {},
		"": {},
	} {
		requested, limit := contextSize(&chat.Error{Message: message})
		if requested != want[0] || limit != want[1] {
			t.Errorf("%q: %d of %d", message, requested, limit)
		}
	}
}
