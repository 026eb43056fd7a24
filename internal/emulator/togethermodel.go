package emulator

import (
	"encoding/json"
	"slices"
	"strings"
)

// hybrids are Together's models that reason unless reasoning.enabled is false
// (docs.together.ai/docs/inference/chat/reasoning).
var hybrids = []string{"deepseek-ai/DeepSeek-V4", "zai-org/GLM-5", "moonshotai/Kimi-K2.", "Qwen/Qwen3.", "deepcogito/"}

func (r *chatRequest) togetherThinks() bool {
	if r.Reasoning != nil && r.Reasoning.Enabled != nil {
		return *r.Reasoning.Enabled
	}
	return r.ReasoningEffort != "" || strings.HasPrefix(r.Model, "deepseek-ai/DeepSeek-R1") ||
		slices.ContainsFunc(hybrids, func(p string) bool { return strings.HasPrefix(r.Model, p) })
}

// togetherRules refuses what Together's document of April 2026 does not have.
func (x *exchange) togetherRules() *failure {
	r := x.req
	refused := func(message, param string) *failure {
		return &failure{422, x.p.errorBody(message, "invalid_request_error", "", param)}
	}
	if raw := r.raw["logprobs"]; raw != nil && string(raw) != "null" {
		var n int
		if json.Unmarshal(raw, &n) != nil || n < 0 || n > 20 {
			return refused("logprobs: Input should be an integer from 0 to 20", "logprobs")
		}
	}
	// The document has three levels, the catalogues a fourth for some models.
	if r.ReasoningEffort != "" && !slices.Contains([]string{"low", "medium", "high", "max"}, r.ReasoningEffort) {
		return refused("reasoning_effort: Input should be 'low', 'medium' or 'high'", "reasoning_effort")
	}
	return nil
}

// togetherLogprobs reports whether probabilities are wanted: in a whole answer they are lists, in a chunk a number.
func (x *exchange) togetherLogprobs() bool {
	var n int
	return x.p.id == "together" && json.Unmarshal(x.req.raw["logprobs"], &n) == nil && n > 0
}

// probability is the same for every token of this model.
const probability = -0.25

func logprobLists(text string) object {
	tokens, ids, probabilities := pieces(text), []any{}, []any{}
	for range tokens {
		ids, probabilities = append(ids, 42), append(probabilities, probability)
	}
	return object{"tokens": append([]string{}, tokens...), "token_ids": ids, "token_logprobs": probabilities}
}
