package server_test

import (
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// With a key of any one provider, the suggested model answers. It is priced and does not end soon.
func TestSuggestedModel(t *testing.T) {
	for _, provider := range emulator.Providers() {
		t.Run(provider, func(t *testing.T) {
			w := newWorld(t)
			w.setClock(time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC))
			ann := w.user("ann")
			ann.get("/api/keys/models").want(200).is("suggested", "null")
			ann.key(provider, apiKey)
			r := ann.get("/api/keys/models").want(200)
			r.members("", "suggested", "models")
			r.members("models.0", "id", "providers", "mode", "released", "contextWindow", "maxOutputTokens", "capabilities", "inputUsd", "outputUsd", "endOfLife", "successor")
			model := r.text("suggested")
			known, ok := catalog.Lookup(provider, model)
			if prices, priced := known.PricesAt("", 0, time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC).UnixMilli()); !ok || !priced || prices.Input <= 0 || !known.Listed("2027-03-01") {
				t.Errorf("%s is suggested: %+v", model, known)
			}
			t.Log(model)
			ann.chat(`{"model":"` + model + `","messages":[{"role":"user","content":"Hello!"}]}`).want(200)
		})
	}
}

// The default model of a key goes before the cheapest.
func TestSuggestedModelIsTheDefaultOfAKey(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`","defaultModel":"gpt-5.4"}`).want(201)
	ann.get("/api/keys/models").want(200).is("suggested", "gpt-5.4")
	bob := w.user("bob")
	bob.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`","allowedModels":["text-embedding-3-small"]}`).want(201)
	bob.get("/api/keys/models").want(200).is("suggested", "null", "models.0.id", "text-embedding-3-small", "models.0.providers.0", "openai", "models.0.inputUsd", "0.02")
	w.anyone().get("/api/keys/models").refused(401, "UNAUTHORIZED", "")
}
