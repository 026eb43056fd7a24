package main

import (
	"context"
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// rekeyPage is the number of keys read at a time.
const rekeyPage = 100

// rekey encrypts every provider key under the current encryption key. It may run while the gateway serves, and can be run
// again after an interruption: it skips the keys that are already encrypted so. It fails if it cannot decrypt some keys.
func rekey(ctx context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("rekey"), args); err != nil {
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error {
		done, undecryptable, err := in.reencryptAll(ctx, t)
		t.printf("%d provider keys were encrypted again under the current key\n", done)
		if err == nil && undecryptable > 0 {
			err = fmt.Errorf("%d keys cannot be decrypted: list the secret that encrypted them in ENCRYPTION_KEY_PREVIOUS or "+
				"JWT_SECRET_PREVIOUS and run this again, or have their owners enter them again", undecryptable)
		}
		return err
	})
}

// countKeys counts the provider keys, and those that no configured secret decrypts.
func (in *installation) countKeys(ctx context.Context) (all, undecryptable int, err error) {
	all, err = store.CountKeys(ctx, in.db)
	page := store.Page{Limit: rekeyPage}
	for err == nil {
		var keys []store.Key
		keys, err = store.KeysNotEncryptedBy(ctx, in.db, in.app.Secrets.EncryptionKeyID(), page)
		for _, k := range keys {
			page.After = k.ID
			if _, _, err := in.app.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, gateway.KeyBinding(k.ID, k.UserID)); err != nil {
				undecryptable++
			}
		}
		if len(keys) == 0 {
			break
		}
	}
	return all, undecryptable, err
}

func (in *installation) reencryptAll(ctx context.Context, t *terminal) (done, undecryptable int, err error) {
	page := store.Page{Limit: rekeyPage}
	for {
		keys, err := store.KeysNotEncryptedBy(ctx, in.db, in.app.Secrets.EncryptionKeyID(), page)
		if err != nil || len(keys) == 0 {
			return done, undecryptable, err
		}
		for _, k := range keys {
			page.After = k.ID
			binding := gateway.KeyBinding(k.ID, k.UserID)
			secret, _, err := in.app.Secrets.Decrypt(k.Encrypted, k.EncryptionKeyID, binding)
			if err != nil {
				undecryptable++
				t.printf("key %s (%s, user %s): %s\n", k.ID, k.Provider, k.UserID, err)
				continue
			}
			encrypted, keyID := in.app.Secrets.Encrypt(secret, binding)
			ok, err := store.ReencryptKey(ctx, in.db, k, encrypted, keyID)
			if err != nil {
				return done, undecryptable, err
			}
			if ok { // otherwise its owner entered it again meanwhile, and it is under the current key
				done++
			}
		}
	}
}
