package main

import (
	"context"
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// rekeyPage is how many keys are read at a time.
const rekeyPage = 100

// rekey seals every provider key under the current key. It may run while the gateway serves, and be
// run again after it was interrupted: what is sealed already is not touched. It fails if keys are left that
// cannot be opened.
func rekey(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("rekey"), args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		done, unopened, err := in.resealAll(ctx, t)
		t.printf("%d provider keys were sealed anew under the current key\n", done)
		if err == nil && unopened > 0 {
			err = fmt.Errorf("%d keys cannot be opened: list the secret that sealed them in ENCRYPTION_KEY_PREVIOUS or "+
				"JWT_SECRET_PREVIOUS and run this again, or have their owners enter them again", unopened)
		}
		return err
	})
}

// countKeys says how many provider keys there are, and how many of them no secret at hand opens.
func (in *installation) countKeys(ctx context.Context) (all, unopened int, err error) {
	all, err = store.CountKeys(ctx, in.db)
	page := store.Page{Limit: rekeyPage}
	for err == nil {
		var keys []store.Key
		keys, err = store.KeysNotEncryptedBy(ctx, in.db, in.app.Secrets.EncryptionKeyID(), page)
		for _, k := range keys {
			page.After = k.ID
			if _, _, err := in.app.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, gateway.KeyBinding(k.ID, k.UserID)); err != nil {
				unopened++
			}
		}
		if len(keys) == 0 {
			break
		}
	}
	return all, unopened, err
}

func (in *installation) resealAll(ctx context.Context, t *terminal) (done, unopened int, err error) {
	page := store.Page{Limit: rekeyPage}
	for {
		keys, err := store.KeysNotEncryptedBy(ctx, in.db, in.app.Secrets.EncryptionKeyID(), page)
		if err != nil || len(keys) == 0 {
			return done, unopened, err
		}
		for _, k := range keys {
			page.After = k.ID
			binding := gateway.KeyBinding(k.ID, k.UserID)
			secret, _, err := in.app.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, binding)
			if err != nil {
				unopened++
				t.printf("key %s (%s, user %s): %s\n", k.ID, k.Provider, k.UserID, err)
				continue
			}
			sealed, sealingKey := in.app.Secrets.Encrypt(secret, binding)
			ok, err := store.ReencryptKey(ctx, in.db, k, sealed, sealingKey)
			if err != nil {
				return done, unopened, err
			}
			if ok { // else somebody entered it again meanwhile, under the current key
				done++
			}
		}
	}
}
