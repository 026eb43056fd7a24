package gateway

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

func textPart(s, phase string) chat.Part { return chat.Part{Kind: chat.Text, Text: s, Phase: phase} }

func callPart(id string) chat.Part {
	return chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: "f", Arguments: "{}"}}
}

func sealedPart(text, signature string) chat.Part {
	return chat.Part{Kind: chat.Reason, Text: text, State: &chat.ReasoningState{Signature: signature}}
}

// The turn goes back as it was said, however the caller's format arranges what it keeps.
func TestTurnsAreRestoredInOrder(t *testing.T) {
	said := []chat.Part{sealedPart("hm", "S1"), textPart("Grüße, ", "commentary"), sealedPart("", "S2"), callPart("c1"), textPart("then ", ""), sealedPart("so", "S3"), callPart("c2"), textPart("done", "")}
	saved, maker := savedFrom(said)
	inAHeap := []chat.Part{sealedPart("hm", "S1"), sealedPart("", "S2"), sealedPart("so", "S3")}
	for name, c := range map[string]struct{ kept, want []chat.Part }{
		"as it was":                {[]chat.Part{textPart("Grüße, ", "commentary"), callPart("c1"), textPart("then ", ""), callPart("c2"), textPart("done", "")}, said},
		"texts joined before":      {[]chat.Part{textPart("Grüße, then done", ""), callPart("c1"), callPart("c2")}, said},
		"texts joined as two":      {[]chat.Part{textPart("Grüße, ", ""), textPart("then done", ""), callPart("c1"), callPart("c2")}, said},
		"with texts of nothing":    {[]chat.Part{textPart("", ""), textPart("Grüße, then done", ""), callPart("c1"), callPart("c2"), textPart("", "")}, said},
		"reasoning without a seal": {[]chat.Part{{Kind: chat.Reason, Text: "hm"}, textPart("Grüße, then done", ""), callPart("c1"), callPart("c2")}, said},
		"another text":             {[]chat.Part{textPart("Grüße", ""), callPart("c1"), callPart("c2")}, append(inAHeap[:3:3], textPart("Grüße", ""), callPart("c1"), callPart("c2"))},
		"a longer text":            {[]chat.Part{textPart("Grüße, then done!", ""), callPart("c1"), callPart("c2")}, append(inAHeap[:3:3], textPart("Grüße, then done!", ""), callPart("c1"), callPart("c2"))},
		"cut within a character":   {[]chat.Part{textPart("12345678ü1234567.", ""), callPart("c1"), callPart("c2")}, append(inAHeap[:3:3], textPart("12345678ü1234567.", ""), callPart("c1"), callPart("c2"))},
		"a call is missing":        {[]chat.Part{textPart("Grüße, then done", ""), callPart("c1")}, append(inAHeap[:3:3], textPart("Grüße, then done", ""), callPart("c1"))},
		"something else":           {[]chat.Part{{Kind: chat.Refusal, Text: "no"}, callPart("c1")}, append(inAHeap[:3:3], chat.Part{Kind: chat.Refusal, Text: "no"}, callPart("c1"))},
	} {
		got, changed := restoredParts(c.kept, saved, maker)
		if !changed || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

// savedFrom returns what is saved of the parts, and a key of the provider that made them.
func savedFrom(parts []chat.Part) (*savedTurn, candidate) {
	saved, _ := newSavedTurn(parts)
	saved.Provider = "p"
	return &saved, candidate{key: &key{providerID: "p", provider: new(provider.Provider)}}
}

// restoredParts are those of a message with what is saved of it.
func restoredParts(parts []chat.Part, saved *savedTurn, k candidate) (out []chat.Part, changed bool) {
	turn := earlierTurn{exact: saved}
	messages, changed := turn.restored([]chat.Message{{Role: chat.Assistant, Parts: parts}}, k)
	if !changed {
		return parts, false
	}
	return messages[0], true
}

// However the pieces of a stream come: what a caller keeps without the reasoning becomes what chat.Assembler makes of it all.
func TestTurnsAreHeldAsAssembled(t *testing.T) {
	held := 0
	for seed := range uint64(2000) {
		events := dialecttest.Interleaved(rand.New(rand.NewPCG(seed, 1)))
		var made answer
		for i := range events {
			made.add(&events[i])
		}
		said := dialecttest.Fold(events).Choices[0]
		kept := slices.DeleteFunc(slices.Clone(said.Message.Parts), func(p chat.Part) bool { return p.Kind == chat.Reason })
		others := slices.ContainsFunc(kept, func(p chat.Part) bool { return p.Kind != chat.Text && p.Kind != chat.Call })
		saved, maker := savedFrom(made.parts())
		if said.Index != 0 || len(saved.Reasoning) == 0 || others {
			continue
		}
		held++
		if got, _ := restoredParts(kept, saved, maker); !reflect.DeepEqual(got, said.Message.Parts) {
			t.Fatalf("seed %d:\n got %+v\nwant %+v", seed, got, said.Message.Parts)
		}
	}
	if held < 200 {
		t.Errorf("only %d turns were held", held)
	}
}

// At a provider that has the models of many, what one vendor's model sealed is nothing to another's.
func TestSealsAreTheirVendors(t *testing.T) {
	saved := &savedTurn{Provider: "openrouter", Vendor: "anthropic", Reasoning: []savedReasoning{{Text: "hm", State: &chat.ReasoningState{Signature: "S"}}}}
	openRouter := &key{providerID: "openrouter", provider: new(provider.Provider)}
	bare, sealed := []chat.Part{callPart("c")}, []chat.Part{sealedPart("hm", "S"), callPart("c")}
	for model, own := range map[string]bool{"anthropic/claude-haiku-4.5": true, "anthropic/claude-opus-4.8": true, "deepseek/deepseek-v4": false, "gpt-5": false} {
		k := candidate{key: openRouter, model: model}
		want := bare
		if own {
			want = sealed
		}
		for _, kept := range [][]chat.Part{bare, sealed} {
			if got, _ := restoredParts(kept, saved, k); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, kept %+v: got %+v, want %+v", model, kept, got, want)
			}
		}
	}
}
