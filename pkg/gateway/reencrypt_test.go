package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// While replicas change to a new secret one after the other, one that still has the old may be
// the one that a person enters a key through: that key must not be replaced by the one before it.
func TestReencryptingReplacesNoKeyEnteredMeanwhile(t *testing.T) {
	w := newWorld(t)
	old := w.secrets
	id := w.add(key{})
	entered, keyID := old.Encrypt([]byte("sk-entered-meanwhile"), gateway.KeyBinding(id, w.user))
	w.mu.Lock()
	for apiKey := range w.answers {
		w.answers[apiKey] = func(rw http.ResponseWriter, r *http.Request) {
			w.run(`update provider_keys set sealed = $2, sealing_key = $3 where id = $1`, id, entered, keyID)
			answerText("hi")(rw, r)
		}
	}
	w.mu.Unlock()
	var err error
	w.secrets, err = auth.NewSecrets(auth.Material{JWTSecret: "another " + secret, PreviousJWTSecrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	w.g = w.newGateway(gateway.Settings{Timeout: time.Minute})
	request := w.request(model)
	made, err := w.secrets.CheckToken(w.token)
	if err != nil {
		t.Fatal(err)
	}
	request.Principal.Digests = w.secrets.LookupDigests(w.token, made)
	w.mustServe(request, id)
	if n := w.int(`select count(*) from provider_keys where sealed = $1 and sealing_key = $2`, entered, keyID); n != 1 {
		t.Error("the key that was entered meanwhile is lost")
	}
}
