package server_test

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// Each provider is asked for its own list of models.
func TestModelsOfAKey(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	for _, provider := range emulator.Providers() {
		id := ann.key(provider, apiKey+"-"+provider)
		r := ann.post("/api/keys/"+id+"/models", "").want(200)
		r.members("", "models")
		listed := map[string]bool{}
		for _, m := range r.at("models").([]any) {
			listed[m.(map[string]any)["id"].(string)] = true
		}
		for _, model := range emulator.Models(provider) {
			if !listed[strings.TrimPrefix(model, "models/")] {
				t.Errorf("%s: %s is missing in %.300s", provider, model, r.body)
			}
		}
		bob.post("/api/keys/"+id+"/models", "").want(404)
	}
	id := ann.key("openai", apiKey+"-fault-401")
	ann.post("/api/keys/"+id+"/models", "").refused(502, "PROVIDER_ERROR", "")
	id = ann.key("openai", apiKey+"-fault-html")
	if r := ann.post("/api/keys/"+id+"/models", ""); r.status != 502 && r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
