package emulator

import (
	"encoding/json"
	"fmt"
	"iter"
)

func (x *exchange) responseID() string { return fmt.Sprintf("emulated%08d", x.serial) }

// googleUsage returns usageMetadata without counts of zero (recorded).
func googleUsage(prompt, candidates, thoughts int) ordered {
	u := ordered{{"promptTokenCount", prompt}}
	if candidates > 0 {
		u = append(u, member{"candidatesTokenCount", candidates})
	}
	u = append(u, member{"totalTokenCount", prompt + candidates + thoughts},
		member{"promptTokensDetails", []any{ordered{{"modality", "TEXT"}, {"tokenCount", prompt}}}})
	if thoughts > 0 {
		u = append(u, member{"thoughtsTokenCount", thoughts})
	}
	return append(u, member{"serviceTier", "standard"})
}

// blocked is the answer to a blocked prompt: it has no candidates.
func (x *exchange) blocked(prompt int) any {
	return ordered{{"promptFeedback", ordered{{"blockReason", "PROHIBITED_CONTENT"}}},
		{"usageMetadata", googleUsage(prompt, 0, 0)},
		{"modelVersion", x.model}, {"responseId", x.responseID()}}
}

// candidate returns one candidate without its empty members.
func (x *exchange) candidate(parts []ordered, a *answer, last bool) ordered {
	content := ordered{{"parts", parts}, {"role", "model"}}
	if len(parts) == 0 {
		content = ordered{{"role", "model"}}
	}
	c := ordered{{"content", content}}
	if last {
		c = append(c, member{"finishReason", googleFinish(a)})
	}
	c = append(c, member{"index", 0})
	if last && len(a.calls) > 0 {
		c = append(c, member{"finishMessage", "Model generated function call(s)."})
	}
	return c
}

func googleFinish(a *answer) string {
	switch a.finish {
	case finishLength:
		return "MAX_TOKENS"
	case finishFilter:
		return "SAFETY"
	}
	return "STOP" // for calls too: they have no finish reason of their own
}

func (x *exchange) googleBody(candidates []any, usage ordered) ordered {
	return ordered{{"candidates", candidates}, {"usageMetadata", usage}, {"modelVersion", x.model},
		{"responseId", x.responseID()}}
}

// callPart returns a call. Of parallel calls the first has the signature; calls have ids from Gemini 3 on (recorded).
func (x *exchange) callPart(g *generateRequest, a *answer, i int) ordered {
	c := a.calls[i]
	f := ordered{{"name", c.name}, {"args", json.RawMessage(c.arguments)}}
	if g.model.levels() {
		f = append(f, member{"id", c.id})
	}
	p := ordered{{"functionCall", f}}
	if i == 0 && a.reasoned > 0 {
		p = append(p, member{"thoughtSignature", x.callSignature(c)})
	}
	return p
}

// generated is an answer that is not streamed.
func (x *exchange) generated(g *generateRequest, a *answer) any {
	if a.refusal != "" {
		return x.blocked(a.prompt)
	}
	var parts []ordered
	if a.reasoning != "" {
		parts = append(parts, ordered{{"text", a.reasoning}, {"thought", true}})
	}
	if a.text != "" {
		p := ordered{{"text", a.text}}
		if g.model.levels() && a.reasoned > 0 {
			p = append(p, member{"thoughtSignature", x.textSignature()})
		}
		parts = append(parts, p)
	}
	for i := range a.calls {
		parts = append(parts, x.callPart(g, a, i))
	}
	return x.googleBody([]any{x.candidate(parts, a, true)}, googleUsage(a.prompt, a.completion-a.reasoned, a.reasoned))
}

// generateEvents returns an answer's chunks: each is a whole response with new parts, and the usage so far.
func (x *exchange) generateEvents(g *generateRequest, a *answer) iter.Seq[event] {
	return func(yield func(event) bool) {
		if a.refusal != "" {
			yield(event{data: x.blocked(a.prompt)})
			return
		}
		said := 0
		send := func(p ordered, last bool) bool {
			return yield(event{data: x.googleBody([]any{x.candidate([]ordered{p}, a, last)},
				googleUsage(a.prompt, said, a.reasoned))})
		}
		if a.reasoning != "" && !send(ordered{{"text", a.reasoning}, {"thought", true}}, false) {
			return
		}
		for piece := range x.textPieces(a) {
			said += tokens(piece)
			if !send(ordered{{"text", piece}}, false) {
				return
			}
		}
		whole := a.completion - a.reasoned
		for i := range a.calls {
			// Before Gemini 3 the last call has the finish reason; since then an empty text has it (recorded).
			last := i == len(a.calls)-1 && !g.model.levels()
			said = whole * (i + 1) / len(a.calls)
			if !send(x.callPart(g, a, i), last) || last {
				return
			}
		}
		end := ordered{{"text", ""}}
		if g.model.levels() && a.reasoned > 0 && len(a.calls) == 0 {
			end = append(end, member{"thoughtSignature", x.textSignature()})
		}
		said = whole
		send(end, true)
	}
}
