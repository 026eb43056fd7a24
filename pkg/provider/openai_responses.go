package provider

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	dialectbody "github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// responsesBeside is OpenAI's Responses beside Chat Completions. It is needed for models that it alone serves,
// and for functions where a model that is to think would not take them in Chat Completions.
func alternateResponses(rules *openai.Rules) *alternateProtocol {
	return &alternateProtocol{
		client: responses.Client{Rules: rules},
		needed: func(model string, req *chat.Request) bool {
			if m, ok := catalog.Related("openai", model); ok && m.Mode == catalog.Responses {
				return true
			}
			return len(req.Tools) > 0 && thinksElsewhere(dialect.ForModel(rules.Models, model), req.Reasoning) && !chatAlone(req)
		},
		serves: servesResponses,
		counts: func(model string, req *chat.Request) bool { return servesResponses(model) && !chatAlone(req) },
	}
}

// thinksElsewhere says whether the model cannot have functions in Chat Completions and do what is asked of it.
func thinksElsewhere(m openai.ModelRules, asked *chat.Reasoning) bool {
	switch m.Tools {
	case openai.ToolsElsewhere:
		return true
	case openai.ToolsWithoutReasoning:
		return effortAsked(m, asked) != "none"
	}
	return false
}

// effortAsked is the effort as the model knows it.
func effortAsked(m openai.ModelRules, asked *chat.Reasoning) string {
	switch {
	case asked == nil || asked.Effort == "" && asked.Budget == nil:
		return m.DefaultEffort
	case asked.Effort == "":
		return dialectbody.Nearest(dialectbody.EffortOf(*asked.Budget), m.Efforts)
	}
	return dialectbody.Nearest(asked.Effort, m.Efforts)
}

// chatAlone says whether a request asks for what Responses refuses and Chat Completions has. What is merely dropped
// there (stop, seed) does not count: most models that reason lack it in Chat Completions, too.
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

// servesResponses fits all models but those for vectors, for searching and for sound, which are not there
// (platform.openai.com/docs/models).
func servesResponses(model string) bool {
	m, ok := catalog.Related("openai", model)
	return (!ok || m.Responses()) && !strings.Contains(model, "-search-") && !strings.Contains(model, "-audio-preview")
}
