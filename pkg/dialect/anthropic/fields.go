package anthropic

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// An encoder writes one request.
type encoder struct {
	body.Writer
	Rules   *Rules
	Model   ModelRules // the exceptions of the request's model
	purpose purpose

	system []chat.Part // what goes before the conversation
	turns  []turn
	// conversing says that the messages are being written.
	conversing bool
	surplus    int // marks of the conversation that are too many
	maxTokens  int64
	thinking   thinking
	files      bool // a file_id is sent
}

// lacks warns that the dialect has no such field.
func (e *encoder) lacks(name string, given bool) {
	if given {
		e.Warn("%s is not supported by %s: dropped", name, e.Provider())
	}
}

// member writes a further member of an object, unless it is empty.
func (e *encoder) member(name, value string) {
	if value != "" {
		e.Raw(",")
		e.Key(name)
		e.Str(value)
	}
}
