package emulator

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// What a provider says of an account is understood as it is meant: as one of the model, of the key, of this request, or
// of none of them.
func TestAccountFaults(t *testing.T) {
	srv := httptest.NewServer(New())
	t.Cleanup(srv.Close)
	bases := map[string]string{}
	for _, p := range profiles() {
		bases[p.id] = BaseURL(srv.URL, p.id)
	}
	table, err := provider.NewTable(bases)
	if err != nil {
		t.Fatal(err)
	}
	client := provider.NewClient(provider.ClientConfig{})
	t.Cleanup(client.Close)
	without := map[Fault][]string{ // providers that have no such failure
		ModelQuota: {"anthropic"},
		KeyLimit:   {"anthropic", "gemini", "mistral", "together", "fireworks", "deepseek", "xai", "cerebras"},
		Disabled:   {"openrouter", "gemini", "mistral", "together", "deepseek", "xai", "cerebras"},
	}
	for fault, want := range map[Fault]chat.Error{
		ModelQuota: {Class: chat.DailyQuota, Scope: chat.ScopeModel, Evidence: true},
		NoAccess:   {Class: chat.Forbidden, Scope: chat.ScopeModel, Evidence: true},
		KeyLimit:   {Class: chat.TooLarge, Scope: chat.ScopeAttempt, Evidence: true},
		Disabled:   {Class: chat.Forbidden, Scope: chat.ScopeKey, Evidence: true},
		Wall:       {Class: chat.Transport, Scope: chat.ScopeHost},
		JSONWall:   {Class: chat.Transport, Scope: chat.ScopeHost},
		HTMLError:  {Class: chat.Transport, Scope: chat.ScopeHost},
		EmptyError: {Class: chat.Transport, Scope: chat.ScopeHost},
	} {
		missing := map[string]bool{}
		for _, id := range without[fault] {
			missing[id] = true
		}
		for _, p := range profiles() {
			got := failureOf(t, client, table.ByID(p.id), p.ids[0], fault)
			if missing[p.id] {
				if got.Class != chat.Transport || got.Status != 500 {
					t.Errorf("%s, %s: %+v", p.id, fault, got)
				}
				continue
			}
			if got.Class != want.Class || got.Scope != want.Scope || got.Evidence != want.Evidence {
				t.Errorf("%s, %s: %s, %s, evidence %v: %v", p.id, fault, got.Class, got.Scope, got.Evidence, got)
			}
			if fault == KeyLimit && (got.Limit == 0 || got.Requested <= got.Limit) {
				t.Errorf("%s: limit %d, requested %d", p.id, got.Limit, got.Requested)
			}
		}
	}
}

func failureOf(t *testing.T, client *provider.Client, p *provider.Provider, model string, fault Fault) *chat.Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	enc, err := p.Client.EncodeRequest(&chat.Request{Model: model, Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "hi"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Do(ctx, p, "sk-emulated-0001-fault-"+string(fault), enc, provider.Options{})
	var failure *chat.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%s, %s: %v", p.ID, fault, err)
	}
	return failure
}
