package body

import (
	"bytes"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// ReadAnswer parses a provider's whole answer. The error may be the one in it, which errorIn returns.
func ReadAnswer(data []byte, errorIn func(root jsonx.Value) *chat.Error) (jsonx.Value, error) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil {
		return root, &chat.Error{Class: chat.Transport, Message: "the provider's answer is not JSON", Cause: err}
	}
	if failed := errorIn(root); failed != nil {
		return root, failed
	}
	return root, nil
}

// ReadError parses the body of a failed answer; the value is missing if it is not JSON. Of an array, which some
// providers answer with, it returns the first element.
func ReadError(data []byte) jsonx.Value {
	root, err := jsonx.Parse(bytes.TrimSpace(data), jsonx.Lenient)
	if err != nil {
		return jsonx.Value{}
	}
	if root.Kind() == jsonx.Array {
		root = root.First()
	}
	return root
}

// ReadStatus returns the number as an HTTP status, if it is one of an error; else 0.
func ReadStatus(v jsonx.Value) int {
	if n, err := strconv.Atoi(Word(v)); err == nil && n >= 400 && n <= 599 {
		return n
	}
	return 0
}

// Assemble folds the events of a whole answer, unless it failed.
func Assemble(events []chat.Event, failed *chat.Error) (*chat.Response, error) {
	if failed != nil {
		return nil, failed
	}
	resp, failed := chat.Assemble(events)
	if failed != nil {
		return nil, failed
	}
	return resp, nil
}

// ReadCount reads an answer whose member of that name is a number of tokens.
func ReadCount(data []byte, errorIn func(root jsonx.Value) *chat.Error, member string) (int64, error) {
	root, err := ReadAnswer(data, errorIn)
	if err != nil {
		return 0, err
	}
	n, ok := root.Get(member).Int64()
	if !ok || n < 0 {
		return 0, &chat.Error{Class: chat.Transport, Message: "the provider's answer has no count of tokens"}
	}
	return n, nil
}
