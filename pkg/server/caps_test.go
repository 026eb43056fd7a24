package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

func TestCapsOfAUser(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db, "KEY_LIMIT=3", "TOKEN_LIMIT=4", "KEY_PATTERN_LIMIT=5")
		root, ann, bob := w.admin("root"), w.user("ann"), w.user("bob")
		var wg sync.WaitGroup
		for i := range 8 { // at the same time
			wg.Go(func() {
				ann.post("/api/tokens", `{"name":"x"}`)
				ann.post("/api/keys", fmt.Sprintf(`{"provider":"openai","apiKey":"%s-%d"}`, apiKey, i))
			})
		}
		wg.Wait()
		ann.get("/api/keys").want(200).is("total", "3")
		ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`-x"}`).refused(409, "CONFLICT", "KEY_LIMIT")
		ann.post("/api/tokens", `{"name":"x"}`).refused(409, "CONFLICT", "you have 4 gateway tokens, as many as a user may have (TOKEN_LIMIT)")
		bob.post("/api/tokens", `{"name":"x"}`).want(201)

		patterns := func(n int) string { return `"allowedModels":["a` + strings.Repeat(`","b`, n-1) + `"]}` }
		id := bob.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`-b",`+patterns(5)).want(201).text("id")
		bob.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`-c",`+patterns(6)).refused(409, "CONFLICT", "KEY_PATTERN_LIMIT")
		bob.patch("/api/keys/"+id, "{"+patterns(6)).refused(409, "CONFLICT", "KEY_PATTERN_LIMIT")
		root.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`-d",`+patterns(6)).want(201)
	})
}
