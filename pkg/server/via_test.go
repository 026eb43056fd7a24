package server_test

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/auth"
)

// A request that comes back to the gateway, or that has passed too many, is refused in the caller's dialect, whatever
// key it carries, and with a status that SDKs do not retry.
func TestLoopsAreRefused(t *testing.T) {
	w := newChatWorld(t)
	w.key("openai", apiKey)
	secrets, err := auth.NewSecrets(auth.Material{JWTSecret: jwtSecret})
	if err != nil {
		t.Fatal(err)
	}
	own := secrets.InstanceID()
	for _, via := range []string{own, "a, " + own, "a,b,c,d"} {
		for path, want := range map[string]string{
			"/api/chat": `"code":"LOOP_DETECTED"`, "/v1/chat/completions": `"code":"loop_detected"`, "/v1/responses": `"code":"loop_detected"`,
			"/v1/messages": `"type":"invalid_request_error"`, "/v1beta/models/x:generateContent": `"status":"FAILED_PRECONDITION"`,
		} {
			for _, client := range []client{w.holder, w.holder.with("Authorization", "Bearer sk-of-a-provider")} {
				r := client.with("X-LLM-Via", via).post(path, `{}`).want(400)
				if !strings.Contains(r.body, want) || !strings.Contains(r.body, "LOOP_DETECTED") {
					t.Errorf("%s via %s: %s", path, via, r.body)
				}
			}
		}
	}
}
