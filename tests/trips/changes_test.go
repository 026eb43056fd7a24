package trips

import (
	"slices"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// A committed change applies to every request that begins after it, also in instances that have just served
// the token, whichever process made the change.
func TestChangesCountAtOnce(t *testing.T) {
	now := time.Now().UnixMilli()
	past, none, ten := now-1, int64(0), int64(10)
	onEveryPlatform(t, func(w *world) {
		token := func(c store.TokenChange) func(*person, *store.Key) error {
			return func(p *person, _ *store.Key) error {
				_, err := store.UpdateToken(w.Context(), w.db, p.ID, p.token, c, 0)
				return err
			}
		}
		key := func(c store.KeyChange) func(*person, *store.Key) error {
			return func(p *person, k *store.Key) error {
				_, err := store.UpdateKey(w.Context(), w.db, p.ID, k.ID, c, now)
				return err
			}
		}
		enable := func(on bool) func(*person, *store.Key) error {
			return func(p *person, _ *store.Key) error {
				_, err := store.UpdateUser(w.Context(), w.db, p.ID, store.UserChange{Enabled: store.To(on)}, now)
				return err
			}
		}
		const (
			warm    = "200 [1 1]"
			revoked = "401 [2]"   // reserve, why
			reload  = "200 [4 1]" // reserve, why, load, reserve
			noKey   = "400 [4]"   // reserve, why, load, settle
		)
		for _, tt := range []struct {
			name   string
			change func(p *person, k *store.Key) error
			want   string
			back   func(p *person, k *store.Key) error // undoes the change; may be nil
		}{
			{"token disabled", token(store.TokenChange{Enabled: store.To(false)}), revoked,
				token(store.TokenChange{Enabled: store.To(true)})},
			{"token expired", token(store.TokenChange{ExpiresAt: store.To(&past)}), revoked,
				token(store.TokenChange{ExpiresAt: store.To[*int64](nil)})},
			{"token renamed", token(store.TokenChange{Name: store.To("x")}), warm, nil},
			{"token blocked", func(p *person, _ *store.Key) error {
				_, err := store.BlockToken(w.Context(), w.db, p.token, true)
				return err
			}, revoked, nil},
			{"token deleted",
				func(p *person, _ *store.Key) error { return store.DeleteToken(w.Context(), w.db, p.ID, p.token) }, revoked, nil},
			{"user disabled", enable(false), revoked, enable(true)},
			{"key disabled", key(store.KeyChange{Enabled: store.To(false)}), noKey, key(store.KeyChange{Enabled: store.To(true)})},
			{"key blocked", func(_ *person, k *store.Key) error {
				_, err := store.BlockKey(w.Context(), w.db, k.ID, true, now)
				return err
			}, noKey, nil},
			{"key deleted", func(p *person, k *store.Key) error { return store.DeleteKey(w.Context(), w.db, p.ID, k.ID) }, noKey, nil},
			{"key without a limit but 0", key(store.KeyChange{DailyLimit: store.To(&none)}), noKey,
				key(store.KeyChange{DailyLimit: store.To(&ten)})},
			{"key for another model", key(store.KeyChange{AllowedModels: store.To([]string{"gpt-5*"})}), noKey,
				key(store.KeyChange{AllowedModels: store.To([]string{"gpt-4o*"})})},
			{"key renamed", key(store.KeyChange{Name: store.To("x")}), reload, nil},
			{"key with another secret", func(p *person, k *store.Key) error {
				return key(store.KeyChange{Secret: store.To(w.secret(k))})(p, k)
			}, reload, nil},
			{"a better key", func(p *person, k *store.Key) error { *k = w.key(p, 0, -1); return nil }, reload, nil},
			{"strategy", func(p *person, _ *store.Key) error {
				_, err := store.SetProfile(w.Context(), w.db, p.ID, store.ProfileChange{Strategy: store.To("round-robin")}, now)
				return err
			}, reload, nil},
			{"name", func(p *person, _ *store.Key) error {
				_, err := store.SetProfile(w.Context(), w.db, p.ID, store.ProfileChange{Name: store.To("x")}, now)
				return err
			}, warm, nil},
			{"password", func(p *person, _ *store.Key) error {
				return store.SetPassword(w.Context(), w.db, p.ID, "x", store.ID{}, false, now)
			}, warm, nil},
		} {
			p := w.person()
			k := w.key(p, 1, -1)
			w.send(p, whole)
			w.want(tt.name+": before", w.send(p, whole), warm)
			w.must(tt.change(p, &k))
			a := w.send(p, whole)
			w.want(tt.name, a, tt.want)
			if a.status == 200 && !slices.Equal(a.keys, []string{k.Name}) {
				w.Errorf("%s: called with %q, want %q", tt.name, a.keys, k.Name)
			}
			if tt.back == nil {
				continue
			}
			w.must(tt.back(p, &k))
			if a := w.send(p, stream); a.status != 200 {
				w.Errorf("%s: undone, and the answer is %s", tt.name, a)
			}
		}
	})
}

// The same for sessions.
func TestEndedSessionsCountAtOnce(t *testing.T) {
	onEveryPlatform(t, func(w *world) {
		p := w.person()
		w.key(p, 1, -1)
		for name, end := range map[string]func(session store.ID) error{
			"logout":   func(session store.ID) error { return store.DeleteSession(w.Context(), w.db, p.ID, session) },
			"password": func(store.ID) error { return store.SetPassword(w.Context(), w.db, p.ID, "x", store.ID{}, false, 0) },
			"user disabled": func(store.ID) error {
				_, err := store.UpdateUser(w.Context(), w.db, p.ID, store.UserChange{Enabled: store.To(false)}, 0)
				return err
			},
		} {
			_, err := store.UpdateUser(w.Context(), w.db, p.ID, store.UserChange{Enabled: store.To(true)}, 0)
			w.must(err)
			session := w.login(p)
			w.send(p, whole)
			w.want(name+": before", w.send(p, whole), "200 [2 1]")
			w.must(end(session))
			w.want(name, w.send(p, whole), "401 [1]")
		}
	})
}
