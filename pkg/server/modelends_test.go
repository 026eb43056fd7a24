package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// A model is listed until its end, and its users are warned 60 days before.
func TestEndingModels(t *testing.T) {
	w := newWorld(t)
	var ending catalog.Model
	for m := range catalog.Of("openai") {
		if m.EndOfLife > "2026-06-01" && m.AliasOf == "" && !m.Caps.Has(catalog.Deprecated) && m.Mode == "chat" && m.RoutedTo == "" {
			ending = m
			break
		}
	}
	if ending.ID == "" {
		t.Fatal("the catalogue has no model that ends")
	}
	end, err := time.Parse(time.DateOnly, ending.EndOfLife)
	if err != nil {
		t.Fatal(err)
	}
	w.setClock(end.AddDate(0, 0, -61))
	ann := w.user("ann")
	id := ann.post("/api/keys", `{"provider":"openai","apiKey":"`+apiKey+`","defaultModel":"`+ending.ID+`","allowedModels":["`+ending.ID+`","gpt*"]}`).
		want(201).is("endingModels", "[]").text("id")
	for _, tt := range []struct {
		days   int
		warned bool
		listed bool
	}{{-61, false, true}, {-60, true, true}, {-1, true, true}, {0, true, false}, {10, true, false}} {
		w.setClock(end.AddDate(0, 0, tt.days))
		session := ann.login(ann.email, password).want(200).text("token") // sessions end meanwhile
		now := w.anyone().with("Authorization", "Bearer "+session)
		r := now.get("/api/keys/" + id).want(200)
		if warned := r.count("endingModels") == 1; warned != tt.warned || warned && r.text("endingModels.0.endOfLife") != ending.EndOfLife {
			t.Errorf("%d days from the end: %s", tt.days, r.body)
		}
		if r := now.get("/api/keys/catalog").want(200); strings.Contains(r.body, `"id":"`+ending.ID+`"`) != tt.listed {
			t.Errorf("%d days from the end: listed %v", tt.days, !tt.listed)
		}
	}
}
