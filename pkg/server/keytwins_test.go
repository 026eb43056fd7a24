package server_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// A user has a secret once for the same provider and models. What other users have is their own affair.
func TestTwinsAreRefused(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	body := func(provider, secret, models string) string {
		return `{"provider":"` + provider + `","apiKey":"` + secret + `","name":"first","allowedModels":` + models + `}`
	}
	first := ann.post("/api/keys", body("openai", apiKey, `["gpt-4o","gpt-5*"]`)).want(201).text("id")
	for _, models := range []string{`["gpt-4o","gpt-5*"]`, `["gpt-5*","gpt-4o","gpt-4o"]`} {
		r := ann.post("/api/keys", body("openai", `'`+apiKey+`'`, models)).refused(409, "CONFLICT", `first`)
		if strings.Contains(r.body, apiKey) {
			t.Errorf("the secret is in %s", r.body)
		}
	}
	ann.get("/api/keys").is("total", "1")
	bob.post("/api/keys", body("openai", apiKey, `["gpt-4o","gpt-5*"]`)).want(201)
	ann.post("/api/keys", body("groq", apiKey, `["gpt-4o","gpt-5*"]`)).want(201)
	ann.post("/api/keys", body("openai", apiKey+"-other", `["gpt-4o","gpt-5*"]`)).want(201)
	second := ann.post("/api/keys", body("openai", apiKey, `[]`)).want(201).text("id")

	// A change makes no twin either, neither of the models nor of the secret.
	ann.patch("/api/keys/"+second, `{"allowedModels":["gpt-5*","gpt-4o"]}`).refused(409, "CONFLICT", "")
	ann.put("/api/keys/"+second, `{"allowedModels":["gpt-5*","gpt-4o"]}`).refused(409, "CONFLICT", "")
	ann.get("/api/keys/"+second).is("allowedModels", "[]", "name", "first")
	third := ann.post("/api/keys", body("openai", apiKey+"-third", `[]`)).want(201).text("id")
	ann.patch("/api/keys/"+third, `{"apiKey":"`+apiKey+`"}`).refused(409, "CONFLICT", "")
	// A key is no twin of itself.
	ann.patch("/api/keys/"+first, `{"apiKey":"`+apiKey+`","name":"renamed"}`).want(200).is("name", "renamed")
	ann.put("/api/keys/"+first, `{"allowedModels":["gpt-4o","gpt-5*"]}`).want(200)
	ann.delete("/api/keys/" + first).want(204)
	ann.patch("/api/keys/"+second, `{"allowedModels":["gpt-5*","gpt-4o"]}`).want(200)
}

// People paste a key with the quotes that stood around it.
func TestQuotesAroundAKey(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	_, _, holder := ann.token("test")
	for _, pasted := range []string{`\"KEY\"`, `'KEY'`, "`KEY`", `“KEY”`, ` \"KEY\" `, `\" KEY\"`, `\"KEY`, `„KEY“`} {
		id := ann.post("/api/keys", `{"provider":"openai","apiKey":"`+strings.Replace(pasted, "KEY", apiKey, 1)+`"}`).want(201).text("id")
		ann.get("/api/keys/"+id).is("lastFour", apiKey[len(apiKey)-4:])
		holder.chat(hello).want(200)
		ann.delete("/api/keys/" + id).want(204)
	}
	for _, empty := range []string{`\"\"`, `''`, ` \" `} {
		ann.post("/api/keys", `{"provider":"openai","apiKey":"`+empty+`"}`).refused(400, "VALIDATION_ERROR", "must not be empty")
	}
	ann.post("/api/keys", `{"provider":"openai","apiKey":"sk-a\"b"}`).want(201) // a quote within is the key's own
}

// Of requests at the same time that would make twins one succeeds, whichever way each makes it.
func TestTwinsAtTheSameTime(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		ann := newWorldOn(t, db).user("ann")
		other := ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`-other"}`).want(201).text("id")
		third := ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`-third"}`).want(201).text("id")
		var wg sync.WaitGroup
		statuses := make([]int, 12)
		for i := range statuses {
			wg.Go(func() {
				switch i % 4 {
				case 0:
					statuses[i] = ann.patch("/api/keys/"+other, `{"apiKey":"`+apiKey+`"}`).status
				case 1:
					statuses[i] = ann.patch("/api/keys/"+third, `{"apiKey":"`+apiKey+`"}`).status
				default:
					statuses[i] = ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`"}`).status
				}
			})
		}
		wg.Wait()
		made := map[string]bool{} // a key that changes into itself succeeds again
		for i, status := range statuses {
			switch {
			case status != 200 && status != 201 && status != 409:
				t.Errorf("request %d: status %d", i, status)
			case status == 201:
				made[string(rune('a'+i))] = true
			case status == 200 && i%4 == 0:
				made[other] = true
			case status == 200:
				made[third] = true
			}
		}
		if len(made) != 1 {
			t.Errorf("%d keys have the same secret: %v", len(made), statuses)
		}
	})
}
