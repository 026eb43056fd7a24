package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestExplainCommand(t *testing.T) {
	_, port := freeAddress(t)
	s := newShell(t, fmt.Sprintf("PORT=%d", port))
	request := filepath.Join(t.TempDir(), "request.json")
	if err := os.WriteFile(request, []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.want(1, `LLM_GATEWAY_TOKEN is not set`, "explain", request)
	s.want(2, `FILE is missing`, "explain")
	s.set("LLM_GATEWAY_TOKEN=llm_wrong")
	s.want(1, `refused`, "explain", request)
	w := s.visit(t)
	s.want(1, `not one of this gateway`, "explain", request)
	s.set("LLM_GATEWAY_TOKEN=" + w.token)
	s.want(0, `the request would be refused \(NO_ELIGIBLE_KEY\): you have no provider key yet`, "explain", request)
	w.key(t, "sk-emulated-0001")
	s.want(0, `(?s)^gpt-4o-mini of openai would serve; about \d+ tokens.*  1  \S+ \(openai\) gpt-4o-mini: ready, up to about \$0\.`, "explain", request)
	s.in = `{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}`
	s.want(0, `would serve`, "explain", "--endpoint", "/v1/messages", "--url", w.base, "-")
	s.want(1, `endpoint: must be the path`, "explain", "--endpoint", "/nowhere", request)
	s.in = "no JSON"
	s.want(1, `the request is not JSON`, "explain", "-")
}
