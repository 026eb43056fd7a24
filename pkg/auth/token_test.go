package auth

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
)

func newToken(t testing.TB, s *Secrets) string {
	t.Helper()
	token, err := s.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestNewToken(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	seen := map[string]bool{}
	for range 1000 {
		token := newToken(t, s)
		if len(token) != TokenLength || !strings.HasPrefix(token, TokenPrefix) || seen[token] {
			t.Fatalf("bad token %q", token)
		}
		if strings.Trim(token[len(TokenPrefix):], base58) != "" {
			t.Fatalf("token %q has characters outside the alphabet", token)
		}
		if made, err := s.CheckToken(token); err != nil || made != Current {
			t.Fatalf("a token of its own is refused: %v %v", made, err)
		}
		seen[token] = true
	}
}

func TestNewTokenSkipsBiasedBytes(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	// 232 and above would make the first 24 characters more likely, so they are skipped.
	random := io.MultiReader(bytes.NewReader(bytes.Repeat([]byte{232, 255}, 14)), bytes.NewReader(make([]byte, 28)))
	token, err := s.NewToken(random)
	if err != nil || token[:tokenBody] != TokenPrefix+strings.Repeat("1", tokenRandomChars) {
		t.Errorf("%q %v", token, err)
	}
	if _, err := s.NewToken(bytes.NewReader(make([]byte, 27))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an empty source returns %v", err)
	}
}

func TestCheckTokenRefuses(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA, PreviousJWTSecrets: []string{""}})
	token := newToken(t, s)
	foreign := newToken(t, mustSecrets(t, Material{JWTSecret: secretB}))
	bad := []string{"", "llm_", token[:len(token)-1], token + "1", " " + token, foreign, strings.ToUpper(token),
		"LLM_" + token[4:], strings.Repeat("1", TokenLength), TokenPrefix + strings.Repeat("1", TokenLength-4)}
	for i := range token { // every character is checked
		c := byte('1')
		if token[i] == c {
			c = '2'
		}
		bad = append(bad, token[:i]+string(c)+token[i+1:])
	}
	for _, b := range bad {
		if _, err := s.CheckToken(b); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("CheckToken(%q) = %v", b, err)
		}
	}
}

func TestTokensOutliveTheirSecret(t *testing.T) {
	old := mustSecrets(t, Material{JWTSecret: secretA})
	older := mustSecrets(t, Material{JWTSecret: secretC})
	now := mustSecrets(t, Material{JWTSecret: secretB, PreviousJWTSecrets: []string{secretA, secretC}})

	token := newToken(t, now)
	if digests := now.LookupDigests(token, Current); len(digests) != 3 || digests[0] != now.Digest(token) ||
		digests[1] != old.Digest(token) || digests[2] != older.Digest(token) {
		t.Errorf("a current token has %d digests", len(digests))
	}
	if digests := old.LookupDigests(token, Current); len(digests) != 1 {
		t.Errorf("%d digests under one secret", len(digests))
	}
	for generation, maker := range map[Generation]*Secrets{1: old, 2: older} {
		token := newToken(t, maker)
		made, err := now.CheckToken(token)
		if err != nil || made != generation || !made.Stale() {
			t.Fatalf("generation %d, %v; want %d", made, err, generation)
		}
		digests := now.LookupDigests(token, made)
		if len(digests) != 3 || digests[0] != now.Digest(token) || digests[1] != maker.Digest(token) ||
			digests[2] == digests[1] {
			t.Errorf("generation %d: the digests are not those of the current secret, the token's own, and the other one",
				generation)
		}
	}
	if _, err := mustSecrets(t, Material{JWTSecret: secretB}).CheckToken(newToken(t, old)); err == nil {
		t.Error("a secret that is no longer listed is still valid")
	}
}

func TestSetupToken(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	token := s.SetupToken()
	if again := mustSecrets(t, Material{JWTSecret: secretA, EncryptionKey: secretB}).SetupToken(); again != token {
		t.Errorf("%s after a restart, %s before", again, token)
	}
	if other := mustSecrets(t, Material{JWTSecret: secretB}); other.SetupToken() == token || other.CheckSetupToken(token) {
		t.Error("two secrets have the same set-up token")
	}
	for _, good := range []string{token, strings.ToUpper(token), " " + token + "\r\n", strings.ReplaceAll(token, "-", ""),
		strings.NewReplacer("0", "O", "1", "l").Replace(token)} {
		if !s.CheckSetupToken(good) {
			t.Errorf("%q refused", good)
		}
	}
	for _, bad := range []string{"", "-", token[1:], token + "0"} {
		if s.CheckSetupToken(bad) {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestEqualSecret(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"abc", "abc", true}, {"abc", "abd", false}, {"abc", "abcd", false}, {"", "", false}, {"", "a", false}, {"a", "", false}} {
		if EqualSecret(c.a, c.b) != c.want {
			t.Errorf("EqualSecret(%q, %q) != %v", c.a, c.b, c.want)
		}
	}
}

// A request pays for a check and a digest; neither may allocate.
func TestTokenPathAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget")
	}
	s := mustSecrets(t, Material{JWTSecret: secretA, PreviousJWTSecrets: []string{secretB}})
	token := newToken(t, s)
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := s.CheckToken(token); err != nil {
			t.Fatal(err)
		}
		s.Digest(token)
	})
	if allocs >= 1 { // a garbage collection may empty a pool now and then
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkCheckToken(b *testing.B) {
	s := mustSecrets(b, Material{JWTSecret: secretA})
	token := newToken(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.CheckToken(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckForgedToken(b *testing.B) {
	s := mustSecrets(b, Material{JWTSecret: secretA, PreviousJWTSecrets: []string{secretB}})
	token := newToken(b, mustSecrets(b, Material{JWTSecret: secretC}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.CheckToken(token); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	s := mustSecrets(b, Material{JWTSecret: secretA})
	token := newToken(b, s)
	b.ReportAllocs()
	for b.Loop() {
		s.Digest(token)
	}
}

func FuzzCheckToken(f *testing.F) {
	s := mustSecrets(f, Material{JWTSecret: secretA})
	foreign := mustSecrets(f, Material{JWTSecret: secretB})
	f.Add(newToken(f, s), true)
	f.Add(newToken(f, foreign), false)
	f.Add("llm_\xff\x00", false)
	f.Fuzz(func(t *testing.T, token string, _ bool) {
		if _, err := s.CheckToken(token); err == nil {
			// Only a token with the right checksum is valid.
			if want := s.generations[0].tokenChecksum(token[:tokenBody]); token[tokenBody:] != string(want[:]) {
				t.Fatalf("%q accepted", token)
			}
		}
	})
}
