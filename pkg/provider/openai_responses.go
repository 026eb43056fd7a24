package provider

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	dialectbody "github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// alternateResponses returns Responses as OpenAI's alternate protocol. It is needed for models that it
// alone serves, and for functions that a reasoning model does not take in Chat Completions.
func alternateResponses(rules *openai.Rules) *alternateProtocol {
	own := *rules
	own.Drop = slices.DeleteFunc(slices.Clone(rules.Drop), func(name string) bool { return name == "reasoning" }) // it is a field there
	// "No tool output found for function call": the API reference limits ids to 64 characters.
	own.Turns = dialect.TurnRules{Pairs: true, CallIDs: dialect.CallIDs64, DistinctCallIDs: true}
	return &alternateProtocol{
		client: responses.Client{Rules: &own},
		needed: func(model string, req *chat.Request) bool {
			if m, ok := catalog.Related("openai", model); ok && m.Mode == catalog.Responses {
				return true
			}
			if chatAlone(req) {
				return false
			}
			return len(req.Tools) > 0 && thinksElsewhere(dialect.ForModel(rules.Models, model), req.Reasoning) ||
				runsTools(req) && servesResponses(model)
		},
		serves: servesResponses,
		counts: func(model string, req *chat.Request) bool { return servesResponses(model) && !chatAlone(req) },
	}
}

// runsTools says whether the request has tools that OpenAI runs, which Chat Completions has none of.
func runsTools(req *chat.Request) bool {
	return slices.ContainsFunc(req.Tools, func(t chat.Tool) bool { return t.Hosted != nil })
}

// thinksElsewhere says whether the model cannot reason as asked if it has functions in Chat Completions.
func thinksElsewhere(m openai.ModelRules, asked *chat.Reasoning) bool {
	switch m.Tools {
	case openai.ToolsElsewhere:
		return true
	case openai.ToolsWithoutReasoning:
		return effortAsked(m, asked) != "none"
	}
	return false
}

// effortAsked returns the effort as the model knows it.
func effortAsked(m openai.ModelRules, asked *chat.Reasoning) string {
	switch {
	case asked == nil || asked.Effort == "" && asked.Budget == nil:
		return m.DefaultEffort
	case asked.Effort == "":
		return dialectbody.Nearest(dialectbody.EffortOf(*asked.Budget), m.Efforts)
	}
	return dialectbody.Nearest(asked.Effort, m.Efforts)
}

// chatAlone says whether a request asks for something that Responses refuses and Chat Completions has.
// Fields that are only dropped there (stop, seed) do not count: most reasoning models lack them in Chat
// Completions, too.
func chatAlone(req *chat.Request) bool {
	if req.N != nil && *req.N != 1 {
		return true
	}
	for i := range req.Messages {
		for j := range req.Messages[i].Parts {
			if req.Messages[i].Parts[j].Kind == chat.Audio {
				return true
			}
		}
	}
	return false
}

// servesResponses says whether Responses serves the model: it has none for embeddings, search and sound
// (platform.openai.com/docs/models).
func servesResponses(model string) bool {
	m, ok := catalog.Related("openai", model)
	return (!ok || m.Responses()) && !strings.Contains(model, "-search-") && !strings.Contains(model, "-audio-preview")
}
