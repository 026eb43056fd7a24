package provider

import (
	_ "embed"
	"encoding/json"
	"slices"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Preset is what is known of a server or a service that custom endpoints often are.
type Preset struct {
	ID      string       `json:"id"`
	Name    string       `json:"name"`
	BaseURL string       `json:"baseUrl"` // where it is by default
	Dialect dialect.Name `json:"dialect"` // empty: the usual one
	Auth    AuthName     `json:"auth"`
	// Tested says that tests have a server that behaves as its documentation says.
	Tested bool `json:"tested"`
	// Source is the documentation that the preset was written from.
	Source string `json:"source"`
	// ModelsAt is the path of the list of models on its host, if it is not /models below the base URL.
	ModelsAt string         `json:"modelsAt"`
	Rules    presetRules    `json:"rules"`
	Signals  []presetSignal `json:"signals"`
}

// presetRules are how its fields differ from those of its dialect.
type presetRules struct {
	Drop          []string `json:"drop"`      // top-level fields that it refuses, or does not heed
	MaxTokens     string   `json:"maxTokens"` // the field that bounds an answer; empty: max_tokens
	DeveloperRole bool     `json:"developerRole"`
	// ReasoningBack is the member of a message in which it wants its reasoning back; empty: none.
	ReasoningBack string `json:"reasoningBack"`
	// Passthrough says that its answers keep their bytes for callers of its dialect. Else they are written anew, so that
	// reasoning in the text becomes reasoning.
	Passthrough bool `json:"passthrough"`
	Embeddings  bool `json:"embeddings"`
}

// presetSignal is how it reports a class of failure, see signal.
type presetSignal struct {
	Status int        `json:"status"`
	Word   string     `json:"word"`
	Text   string     `json:"text"`
	Class  chat.Class `json:"class"`
}

//go:embed presets.json
var presetFile []byte

var presets = sync.OnceValue(func() []Preset {
	var list []Preset
	if err := json.Unmarshal(presetFile, &list); err != nil {
		panic(err) // it is compiled in, and a test reads it
	}
	return list
})

// Presets lists the presets. The slice is the caller's.
func Presets() []Preset { return slices.Clone(presets()) }

// PresetByID returns the preset; nil if there is none.
func PresetByID(id string) *Preset {
	list := presets()
	if i := slices.IndexFunc(list, func(p Preset) bool { return p.ID == id }); i >= 0 {
		return &list[i]
	}
	return nil
}

func (p *Preset) signals() []signal {
	list := make([]signal, len(p.Signals))
	for i, s := range p.Signals {
		list[i] = signal{status: s.Status, word: s.Word, text: s.Text, class: s.Class}
	}
	return list
}
