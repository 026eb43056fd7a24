package parity

import (
	"slices"
	"strings"
)

// exception is something that a provider or model cannot do, and its effect: a warning, or a 400 where continuing
// would do something else. Everything else is as for all providers.
type exception struct {
	provider string   // empty: all
	models   []string // prefixes; nil: all
	dialects []string // nil: all
	cases    []string // nil: all
	change   func(w *want)
}

func (e *exception) fits(provider, model, dialect, name string) bool {
	has := func(list []string, s string) bool { return list == nil || slices.Contains(list, s) }
	return (e.provider == "" || e.provider == provider) && has(e.dialects, dialect) && has(e.cases, name) &&
		(e.models == nil || slices.ContainsFunc(e.models, func(p string) bool { return strings.HasPrefix(model, p) }))
}

func warned(text string) func(*want) { return func(w *want) { w.warned = text } }

// noReasoning is a model that does not reason when a request wants reasoning.
func noReasoning(warning string) func(*want) {
	return func(w *want) { *w = want{part: "Hello!", finish: "stop", warned: warning} }
}

func exceptions() []exception {
	var (
		calls   = []string{"tools", "required", "parallel tools", "no-argument tool"}
		google  = []string{"gemini", "gemini array"}
		reasons = []string{"reasoning"}
		refuses = []string{"refusal"}
		midway  = []string{"refusal midway"}
		stops   = []string{"stop sequence"}
	)
	unstopped := func(provider string) func(*want) {
		return func(w *want) {
			w.text = "one two STOP three"
			w.warned = "stop is not supported by " + provider + " for this model: dropped"
		}
	}
	hidden := func(w *want) { w.reasoning = "" }
	unfiltered := func(w *want) { w.finish = "stop" } // the provider has no such reason
	// Some dialects have a field for refusals; in the others a refusal is text.
	apartIn := []string{"native", "openai", "responses"}
	apart := func(w *want) { w.text, w.refusal = "", "I cannot help with that." }
	return []exception{
		// Chat Completions never show reasoning.
		{"openai", nil, nil, reasons, hidden},
		{"openai", []string{"gpt-4o-mini"}, nil, reasons, noReasoning("reasoning cannot be steered at openai for this model: dropped")},
		{"openai", []string{"gpt-5"}, nil, stops, unstopped("openai")},
		{"openai", nil, apartIn, refuses, apart},
		{"openai", nil, []string{"anthropic"}, refuses, func(w *want) { w.finish = "content_filter" }},

		{"anthropic", nil, nil, refuses, func(w *want) { w.finish = "content_filter" }},
		{"anthropic", nil, apartIn, refuses, apart},
		{"anthropic", nil, []string{"anthropic"}, refuses, func(w *want) { w.text = "" }}, // as it came: in stop_details
		{"anthropic", []string{"claude-haiku-4-5"}, []string{"anthropic"}, reasons,
			warned("a reasoning budget of 16384 tokens does not fit max_tokens 4000: changed to 3000")},
		{"anthropic", []string{"claude-sonnet-5-5"}, nil, []string{"required"}, func(w *want) {
			w.refused = "this model of anthropic cannot be told that it must call a tool: let it choose (auto), and say in the prompt what to call"
		}},

		{"gemini", nil, nil, refuses, func(w *want) {
			w.text, w.finish = "The prompt was blocked by the provider: PROHIBITED_CONTENT", "content_filter"
		}},
		{"gemini", nil, apartIn, refuses, func(w *want) { w.text, w.refusal = "", w.text }},
		{"gemini", nil, google, refuses, func(w *want) { w.text = "" }}, // as it came: in promptFeedback
		{"gemini", []string{"gemini-2.5"}, google, calls, func(w *want) { w.nameless = true }},

		{"mistral", []string{"mistral-large"}, nil, reasons, noReasoning("reasoning cannot be steered at mistral for this model: dropped")},
		{"mistral", nil, nil, midway, unfiltered},
		{"groq", []string{"llama"}, nil, reasons, noReasoning("reasoning cannot be steered at groq for this model: dropped")},
		{"groq", nil, nil, midway, unfiltered},
		{"together", nil, nil, midway, unfiltered},

		{"deepseek", nil, nil, []string{"required"}, warned("deepseek does not think while a tool must be called: reasoning is off")},
		{"deepseek", nil, nil, []string{"schema"}, func(w *want) {
			w.json = `{"answer":"Hello!"}` // some JSON
			w.warned = "deepseek does not enforce a JSON schema: it is asked for in the prompt"
		}},

		{"xai", nil, nil, reasons, hidden},
		{"xai", []string{"grok-4.20"}, nil, reasons, noReasoning("reasoning cannot be steered at xai for this model: dropped")},
		{"xai", []string{"grok-4.3", "grok-4.7"}, nil, stops, unstopped("xai")},
		{"xai", nil, nil, midway, unfiltered},

		{"cerebras", nil, nil, midway, unfiltered},

		// Responses have no stop sequences.
		{"", nil, []string{"responses"}, stops, func(w *want) { w.text, w.warned = "one two STOP three", "" }},
	}
}
