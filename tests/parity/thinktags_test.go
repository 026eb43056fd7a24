package parity

import "testing"

// TestThinkTags: reasoning that a model writes into its text is reasoning in every dialect, whole and streamed, unless
// the provider's bytes are forwarded.
func TestThinkTags(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, model := range []string{"together/deepseek-ai/DeepSeek-R1", "groq/qwen/qwen3-32b"} {
		provider := map[byte]string{'t': "together", 'g': "groq"}[model[0]]
		p.key(provider, "")
		for _, s := range callers() {
			for _, streamed := range []bool{false, true} {
				a := request{model: model, turns: []turn{{text: "think: one </ and\n one"}}, effort: "high", streamed: streamed}
				want := answer{text: "I have thought about it.", reasoning: "one </ and\n one"}
				if provider == "groq" && s.name == "openai" {
					want = answer{text: "<think>\none </ and\n one\n</think>\n\nI have thought about it."}
				}
				got, r, err := p.exchange(s, &a)
				if err != nil || got.text != want.text || got.reasoning != want.reasoning {
					t.Errorf("%s, %s, streamed %v: %v, %d %s", model, s.name, streamed, err, r.status, r.body)
				}
			}
		}
	}
}
