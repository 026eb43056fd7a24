package auth

import (
	"bytes"
	"errors"
	"testing"
)

func TestEncryptAndDecrypt(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA, EncryptionKey: secretB})
	for _, plain := range [][]byte{nil, []byte("sk-x"), bytes.Repeat([]byte{0, 255}, 5000)} {
		encrypted, id := s.Encrypt(plain, vectorBinding())
		if id != s.EncryptionKeyID() || len(encrypted) != len(plain)+encryptionOverhead {
			t.Errorf("id %s, %d bytes", id, len(encrypted))
		}
		if len(plain) > 0 && bytes.Contains(encrypted, plain) {
			t.Error("the encrypted value holds the plaintext")
		}
		again, _ := s.Encrypt(plain, vectorBinding())
		if bytes.Equal(encrypted, again) {
			t.Error("two encrypted values of one plaintext are the same")
		}
		got, stale, err := s.Decrypt(encrypted, id, vectorBinding())
		if err != nil || stale || !bytes.Equal(got, plain) {
			t.Errorf("%x stale=%v %v", got, stale, err)
		}
	}
}

// An encrypted value cannot be decrypted in another row, for another user, or in another table.
func TestValuesAreBoundToTheirRow(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	row := Binding{Table: "provider_keys", ID: []byte("0123456789abcdef"), UserID: []byte("fedcba9876543210")}
	encrypted, id := s.Encrypt([]byte("sk-secret"), row)
	for name, b := range map[string]Binding{
		"another row":      {row.Table, []byte("0123456789abcdeF"), row.UserID},
		"another user":     {row.Table, row.ID, []byte("fedcba987654321X")},
		"another table":    {"other_values", row.ID, row.UserID},
		"swapped":          {row.Table, row.UserID, row.ID},
		"moved boundary":   {row.Table, []byte("0123456789abcde"), []byte("ffedcba9876543210")},
		"moved into table": {"provider_keys0", []byte("123456789abcdef"), row.UserID},
		"nothing":          {},
	} {
		if got, _, err := s.Decrypt(encrypted, id, b); !errors.Is(err, ErrUndecryptable) || got != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, _, err := s.Decrypt(encrypted, id, row); err != nil {
		t.Errorf("control: %v", err)
	}
}

func TestChangedValuesAreUndecryptable(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	encrypted, id := s.Encrypt([]byte("sk-secret"), vectorBinding())
	for i := range encrypted {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(encrypted)
			bad[i] ^= bit
			if _, _, err := s.Decrypt(bad, id, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
	for n := range len(encrypted) {
		if _, _, err := s.Decrypt(encrypted[:n], id, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
			t.Errorf("cut to %d: %v", n, err)
		}
	}
	if _, _, err := s.Decrypt(append(bytes.Clone(encrypted), 0), id, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
		t.Errorf("grown: %v", err)
	}
	for _, other := range []string{"", "x", "000000000000"} {
		if _, _, err := s.Decrypt(encrypted, other, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
			t.Errorf("key id %q: %v", other, err)
		}
	}
}

// A value encrypted under one configuration decrypts under those to which an operator may change it.
func TestRotation(t *testing.T) {
	jwtOnly := Material{JWTSecret: secretA}
	both := Material{JWTSecret: secretA, EncryptionKey: secretB}
	for name, c := range map[string]struct {
		before, after Material
		stale         bool
		err           error
	}{
		"unchanged":                      {jwtOnly, jwtOnly, false, nil},
		"ENCRYPTION_KEY added":           {jwtOnly, both, true, nil},
		"added, and JWT_SECRET changed":  {jwtOnly, Material{JWTSecret: secretC, PreviousJWTSecrets: []string{secretA}, EncryptionKey: secretB}, true, nil},
		"JWT_SECRET changed":             {jwtOnly, Material{JWTSecret: secretC, PreviousJWTSecrets: []string{secretB, secretA}}, true, nil},
		"JWT_SECRET lost":                {jwtOnly, Material{JWTSecret: secretC}, false, ErrUndecryptable},
		"JWT_SECRET lost, key kept":      {both, Material{JWTSecret: secretC, EncryptionKey: secretB}, false, nil},
		"ENCRYPTION_KEY changed":         {both, Material{JWTSecret: secretA, EncryptionKey: secretC, PreviousEncryptionKeys: []string{secretB}}, true, nil},
		"ENCRYPTION_KEY lost":            {both, Material{JWTSecret: secretA, EncryptionKey: secretC}, false, ErrUndecryptable},
		"ENCRYPTION_KEY removed":         {both, Material{JWTSecret: secretA, PreviousEncryptionKeys: []string{secretB}}, true, nil},
		"a JWT_SECRET as ENCRYPTION_KEY": {both, Material{JWTSecret: secretB, PreviousJWTSecrets: []string{secretA}}, false, ErrUndecryptable},
		"the same listed twice":          {both, Material{JWTSecret: secretA, EncryptionKey: secretB, PreviousEncryptionKeys: []string{secretB}}, false, nil},
	} {
		encrypted, id := mustSecrets(t, c.before).Encrypt([]byte("sk-secret"), vectorBinding())
		now := mustSecrets(t, c.after)
		got, stale, err := now.Decrypt(encrypted, id, vectorBinding())
		if !errors.Is(err, c.err) || stale != c.stale || (err == nil && string(got) != "sk-secret") {
			t.Errorf("%s: %q stale=%v %v", name, got, stale, err)
		}
		if stale != (err == nil && id != now.EncryptionKeyID()) {
			t.Errorf("%s: stale and the key id disagree", name)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	s := vectorSecrets(f)
	encrypted, id := s.Encrypt([]byte("sk-secret"), vectorBinding())
	f.Add(encrypted, id)
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, in []byte, keyID string) {
		if plain, _, err := s.Decrypt(in, keyID, vectorBinding()); err == nil && string(plain) != "sk-secret" {
			t.Fatalf("decrypted %x as %q", in, plain)
		}
	})
}

func BenchmarkDecrypt(b *testing.B) {
	s := vectorSecrets(b)
	encrypted, id := s.Encrypt([]byte("sk-0123456789abcdef0123456789abcdef"), vectorBinding())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Decrypt(encrypted, id, vectorBinding()); err != nil {
			b.Fatal(err)
		}
	}
}
