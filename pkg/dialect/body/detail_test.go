package body

import (
	"encoding/json"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// The details of an error are read alike before and after they were stored as JSON.
func TestDetails(t *testing.T) {
	f := &fault.Error{Details: map[string]any{"class": chat.ContextLength, "requested": int64(2000), "limit": int64(1000)}}
	text, err := json.Marshal(f.Details)
	if err != nil {
		t.Fatal(err)
	}
	var stored map[string]any
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*fault.Error{f, {Details: stored}} {
		requested, limit, known := ContextSize(f)
		if ClassOf(f) != chat.ContextLength || requested != 2000 || limit != 1000 || !known {
			t.Errorf("%s, %d of %d, %v", ClassOf(f), requested, limit, known)
		}
	}
	for _, f := range []*fault.Error{{}, {Details: "text"}, {Details: map[string]any{"requested": int64(5)}}} {
		if _, _, known := ContextSize(f); known || ClassOf(f) != "" {
			t.Errorf("%v: details out of nothing", f.Details)
		}
	}
}
