package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const (
	vectorJWTSecret     = "jwt-secret-of-the-test-vectors-0123456789"
	vectorEncryptionKey = "encryption-key-of-the-test-vectors-98765"

	secretA = "AAAA-first-secret-for-the-tests-0123456789"
	secretB = "BBBB-second-secret-for-the-tests-012345678"
	secretC = "CCCC-third-secret-for-the-tests-0123456789"
)

func mustSecrets(t testing.TB, m Material) *Secrets {
	t.Helper()
	s, err := NewSecrets(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewSecretsRefusesWeakOnes(t *testing.T) {
	for name, m := range map[string]Material{
		"nothing":              {},
		"short JWT_SECRET":     {JWTSecret: strings.Repeat("x", 31)},
		"short ENCRYPTION_KEY": {JWTSecret: secretA, EncryptionKey: "short"},
	} {
		if _, err := NewSecrets(m); !errors.Is(err, ErrWeakSecret) {
			t.Errorf("%s: got %v", name, err)
		} else if m.EncryptionKey != "" && strings.Contains(err.Error(), m.EncryptionKey+":") {
			t.Errorf("%s: the error quotes the secret", name)
		}
	}
	if _, err := NewSecrets(Material{JWTSecret: secretA, PreviousJWTSecrets: []string{"short", ""}}); err != nil {
		t.Errorf("previous secrets may be short: %v", err)
	}
}

// Every use has a key of its own.
func TestKeysAreSeparate(t *testing.T) {
	seen := map[string]string{}
	for _, secret := range []string{secretA, secretB} {
		for _, label := range []string{labelSession, labelTokenChecksum, labelTokenDigest, labelSetupToken, labelEncryption, labelEncryptionJWT} {
			key := string(derive(secret, label, 32))
			if other, dup := seen[key]; dup {
				t.Errorf("%s and %s share a key", label, other)
			}
			seen[key] = label
		}
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	m := Material{JWTSecret: secretA, PreviousJWTSecrets: []string{secretB}, EncryptionKey: secretC}
	s := mustSecrets(t, m)
	sessionKey := string(s.generations[0].sessionKey)
	for _, v := range []any{m, &m, s, *s, NewSecret(secretA), struct{ S Secret }{NewSecret(secretA)}, struct{ s Secret }{NewSecret(secretA)}} {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
		for _, secret := range []string{secretA, secretB, secretC, sessionKey} {
			for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]byte(secret))} {
				if strings.Contains(out.String(), form) {
					t.Errorf("%T prints a secret", v)
				}
			}
		}
	}
}

func TestSecret(t *testing.T) {
	var zero Secret
	if !zero.Empty() || zero.Reveal() != "" || !NewSecret("").Empty() {
		t.Error("the zero value is not empty")
	}
	s := NewSecret("hunter2hunter2")
	if s.Empty() || s.Reveal() != "hunter2hunter2" || s.String() != "[redacted]" || s.GoString() != "[redacted]" {
		t.Errorf("%q %v", s.Reveal(), s)
	}
	if !s.Equal(NewSecret("hunter2hunter2")) || s.Equal(NewSecret("hunter3hunter3")) || zero.Equal(zero) {
		t.Error("Equal is wrong")
	}
	var in struct {
		Key Secret `json:"apiKey"`
	}
	if err := json.Unmarshal([]byte(`{"apiKey":"sk-\u0041bc"}`), &in); err != nil || in.Key.Reveal() != "sk-Abc" {
		t.Errorf("%v %q", err, in.Key.Reveal())
	}
	if out, _ := json.Marshal(in); string(out) != `{"apiKey":"[redacted]"}` {
		t.Errorf("encodes as %s", out)
	}
	if err := json.Unmarshal([]byte(`{"apiKey":{"leak":"me"}}`), &in); err == nil || strings.Contains(err.Error(), "leak") {
		t.Errorf("wrong type: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"apiKey":null}`), &in); err != nil || !in.Key.Empty() {
		t.Errorf("null: %v %q", err, in.Key.Reveal())
	}
}
