package auth

import (
	"bytes"
	"errors"
	"testing"
)

func TestSealAndOpen(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA, EncryptionKey: secretB})
	for _, plain := range [][]byte{nil, []byte("sk-x"), bytes.Repeat([]byte{0, 255}, 5000)} {
		blob, id := s.Encrypt(plain, vectorBinding())
		if id != s.EncryptionKeyID() || len(blob) != len(plain)+sealOverhead {
			t.Errorf("id %s, %d bytes", id, len(blob))
		}
		if len(plain) > 0 && bytes.Contains(blob, plain) {
			t.Error("the blob holds the plaintext")
		}
		again, _ := s.Encrypt(plain, vectorBinding())
		if bytes.Equal(blob, again) {
			t.Error("two seals are the same")
		}
		got, stale, err := s.Decrypt(blob, id, vectorBinding())
		if err != nil || stale || !bytes.Equal(got, plain) {
			t.Errorf("%x stale=%v %v", got, stale, err)
		}
	}
}

// A row's blob is worthless in any other row, for any other user, in any other table.
func TestBlobsAreBoundToTheirRow(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	home := Binding{Table: "provider_keys", ID: []byte("0123456789abcdef"), UserID: []byte("fedcba9876543210")}
	blob, id := s.Encrypt([]byte("sk-secret"), home)
	for name, b := range map[string]Binding{
		"another row":      {home.Table, []byte("0123456789abcdeF"), home.UserID},
		"another user":     {home.Table, home.ID, []byte("fedcba987654321X")},
		"another table":    {"sealed_values", home.ID, home.UserID},
		"swapped":          {home.Table, home.UserID, home.ID},
		"moved boundary":   {home.Table, []byte("0123456789abcde"), []byte("ffedcba9876543210")},
		"moved into table": {"provider_keys0", []byte("123456789abcdef"), home.UserID},
		"nothing":          {},
	} {
		if got, _, err := s.Decrypt(blob, id, b); !errors.Is(err, ErrUndecryptable) || got != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if _, _, err := s.Decrypt(blob, id, home); err != nil {
		t.Errorf("control: %v", err)
	}
}

func TestTamperedBlobsDoNotOpen(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	blob, id := s.Encrypt([]byte("sk-secret"), vectorBinding())
	for i := range blob {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(blob)
			bad[i] ^= bit
			if _, _, err := s.Decrypt(bad, id, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
	for n := range len(blob) {
		if _, _, err := s.Decrypt(blob[:n], id, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
			t.Errorf("cut to %d: %v", n, err)
		}
	}
	if _, _, err := s.Decrypt(append(bytes.Clone(blob), 0), id, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
		t.Errorf("grown: %v", err)
	}
	for _, other := range []string{"", "x", "000000000000"} {
		if _, _, err := s.Decrypt(blob, other, vectorBinding()); !errors.Is(err, ErrUndecryptable) {
			t.Errorf("key id %q: %v", other, err)
		}
	}
}

// What was sealed under one configuration must open under those that an operator may change it to.
func TestRotation(t *testing.T) {
	jwtOnly := Material{JWTSecret: secretA}
	both := Material{JWTSecret: secretA, EncryptionKey: secretB}
	for name, c := range map[string]struct {
		sealed, opened Material
		stale          bool
		err            error
	}{
		"unchanged":                      {jwtOnly, jwtOnly, false, nil},
		"ENCRYPTION_KEY added":           {jwtOnly, both, true, nil},
		"added, and JWT_SECRET changed":  {jwtOnly, Material{JWTSecret: secretC, PreviousJWTSecrets: []string{secretA}, EncryptionKey: secretB}, true, nil},
		"JWT_SECRET changed":             {jwtOnly, Material{JWTSecret: secretC, PreviousJWTSecrets: []string{secretB, secretA}}, true, nil},
		"JWT_SECRET lost":                {jwtOnly, Material{JWTSecret: secretC}, false, ErrUndecryptable},
		"JWT_SECRET lost, key kept":      {both, Material{JWTSecret: secretC, EncryptionKey: secretB}, false, nil},
		"ENCRYPTION_KEY changed":         {both, Material{JWTSecret: secretA, EncryptionKey: secretC, PreviousEncryptionKeys: []string{secretB}}, true, nil},
		"ENCRYPTION_KEY lost":            {both, Material{JWTSecret: secretA, EncryptionKey: secretC}, false, ErrUndecryptable},
		"ENCRYPTION_KEY taken away":      {both, Material{JWTSecret: secretA, PreviousEncryptionKeys: []string{secretB}}, true, nil},
		"a JWT_SECRET is no sealing key": {both, Material{JWTSecret: secretB, PreviousJWTSecrets: []string{secretA}}, false, ErrUndecryptable},
		"the same listed twice":          {both, Material{JWTSecret: secretA, EncryptionKey: secretB, PreviousEncryptionKeys: []string{secretB}}, false, nil},
	} {
		blob, id := mustSecrets(t, c.sealed).Encrypt([]byte("sk-secret"), vectorBinding())
		now := mustSecrets(t, c.opened)
		got, stale, err := now.Decrypt(blob, id, vectorBinding())
		if !errors.Is(err, c.err) || stale != c.stale || (err == nil && string(got) != "sk-secret") {
			t.Errorf("%s: %q stale=%v %v", name, got, stale, err)
		}
		if stale != (err == nil && id != now.EncryptionKeyID()) {
			t.Errorf("%s: stale and the key id disagree", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := vectorSecrets(f)
	blob, id := s.Encrypt([]byte("sk-secret"), vectorBinding())
	f.Add(blob, id)
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, in []byte, keyID string) {
		if plain, _, err := s.Decrypt(in, keyID, vectorBinding()); err == nil && string(plain) != "sk-secret" {
			t.Fatalf("opened %x as %q", in, plain)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	s := vectorSecrets(b)
	blob, id := s.Encrypt([]byte("sk-0123456789abcdef0123456789abcdef"), vectorBinding())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Decrypt(blob, id, vectorBinding()); err != nil {
			b.Fatal(err)
		}
	}
}
