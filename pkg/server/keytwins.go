package server

import (
	"context"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// checkTwin refuses a key of the user that has the secret and the models of another one of the same provider: it would
// spend the same quota, and fail over to itself. Keys of other users are never compared, and no digest of a secret is
// stored: the user's own keys are decrypted. The runner's transaction holds the user, so that of two requests at the same
// time one sees the key of the other. Error: Conflict.
func (a *App) checkTwin(ctx context.Context, r store.Runner, k store.Key, secret string, models []string) error {
	keys, err := store.KeysOfProvider(ctx, r, k.UserID, k.Provider)
	if err != nil {
		return err
	}
	for _, other := range keys {
		if other.ID == k.ID || !sameModels(other.AllowedModels, models) {
			continue
		}
		if opened, err := a.openKey(other); err == nil && auth.EqualSecret(opened, secret) {
			return fault.New(fault.Conflict, "you have this key already, for the same models: it is %q; change that one instead", other.Name)
		}
	}
	return nil
}

// sameModels reports whether two lists allow the same models by the same patterns.
func sameModels(a, b []string) bool {
	return slices.Equal(sortedSet(a), sortedSet(b))
}

func sortedSet(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// twinOf returns the secret and the models that a changed key has. It reports whether either changes.
func (a *App) twinOf(in *keyBody, change store.KeyChange, k store.Key) (secret string, models []string, changes bool) {
	if !change.Secret.Set && !change.AllowedModels.Set {
		return "", nil, false
	}
	models = k.AllowedModels
	if change.AllowedModels.Set {
		models = change.AllowedModels.To
	}
	if change.Secret.Set {
		return trimSecret(in.APIKey.Value.Reveal()), models, true
	}
	secret, err := a.openKey(k)
	return secret, models, err == nil && !sameModels(models, k.AllowedModels)
}
