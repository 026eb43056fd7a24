package body

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// ReadAnswer parses a provider's whole answer.
func ReadAnswer(data []byte) (jsonx.Value, *chat.Error) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil {
		return root, &chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON", Cause: err}
	}
	return root, nil
}

// Assemble folds the events of a whole answer.
func Assemble(events []chat.Event) (*chat.Response, error) {
	resp, failed := chat.Assemble(events)
	if failed != nil {
		return nil, failed
	}
	return resp, nil
}

// ReadCount reads a number of tokens.
func ReadCount(v jsonx.Value) (int64, error) {
	n, ok := v.Int64()
	if !ok || n < 0 {
		return 0, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no count of tokens"}
	}
	return n, nil
}
