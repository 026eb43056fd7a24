package turns

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// What is plainly fine is not changed by mending either.
func TestFineNeedsNoMending(t *testing.T) {
	fine := 0
	for seed := range uint64(60000) {
		r := rand.New(rand.NewPCG(seed, 1))
		maybe := func() bool { return r.IntN(3) == 0 }
		rules := dialect.TurnRules{Pairs: maybe(), DistinctCallIDs: maybe(), UserFirst: maybe(), SaysSomething: maybe(),
			CallIDs: dialect.CallIDForm(r.IntN(5)), Ends: dialect.EndForm(r.IntN(3))}
		if maybe() {
			rules.NotAfter = map[chat.Role][]chat.Role{chat.Assistant: {chat.System}, chat.ToolRole: {chat.User, chat.System}}
		}
		form := Form{Same: maybe(), TextResults: maybe(), JoinsCalls: maybe(), OpenEnd: maybe(), ForgetsReasoning: maybe()}
		w := body.NewWriter(&chat.Request{Messages: messages(r)}, &dialect.CommonRules{Turns: rules}, dialect.ModelExceptions{})
		f := newFitter(&w, form)
		if !f.fine() {
			continue
		}
		fine++
		if _, changed := f.mend(); changed || len(w.Warnings) > 0 || w.Err != nil {
			t.Fatalf("seed %d: %+v %+v: %q %v", seed, form, rules, w.Warnings, w.Err)
		}
	}
	if fine < 5000 {
		t.Errorf("only %d were fine", fine)
	}
}

func messages(r *rand.Rand) (list []chat.Message) {
	ids := func() string { return []string{"abcdefgh1", "abcdefgh2", "call_1", "a:1"}[r.IntN(4)] }
	var open []string
	for range 1 + r.IntN(5) {
		switch r.IntN(6) {
		case 0, 1:
			list = append(list, chat.Message{Role: chat.User, Parts: []chat.Part{text("u")}})
		case 2:
			list = append(list, chat.Message{Role: []chat.Role{chat.System, chat.Developer}[r.IntN(2)], Parts: []chat.Part{text("s")}})
		default:
			m := chat.Message{Role: chat.Assistant, Parts: []chat.Part{text("a")}}
			if r.IntN(5) == 0 {
				m.Parts[0].Kind = chat.Reason
			}
			for i := range r.IntN(3) {
				id := fmt.Sprintf("abc%d%05d", i, r.IntN(99999))
				if r.IntN(8) == 0 {
					id = ids()
				}
				m.Parts = append(m.Parts, chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: "f"}})
				open = append(open, id)
			}
			list = append(list, m)
		}
		if r.IntN(10) == 0 {
			open = append(open, ids())
		}
		for r.IntN(12) != 0 && len(open) > 0 {
			result := &chat.ToolResult{CallID: open[0], Name: []string{"f", "f", "f", "g"}[r.IntN(4)], Parts: []chat.Part{text("r")}}
			if r.IntN(9) == 0 {
				result.Parts = append(result.Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com"}})
			}
			list = append(list, chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result, ToolResult: result}}})
			open = open[1:]
		}
	}
	return list
}
