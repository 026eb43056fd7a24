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

	system       []chat.Part // the system prompt
	turns        []turn
	inMessages   bool // the messages are being written
	surplusMarks int  // cache marks of the conversation that are too many
	maxTokens    int64
	thinking     thinking
	files        bool // a file_id is sent
}

// warnUnsupported warns that the dialect has no such field.
func (e *encoder) warnUnsupported(name string, given bool) {
	if given {
		e.Warn("%s is not supported by %s: dropped", name, e.Provider())
	}
}
