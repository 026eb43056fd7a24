package config

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestWeakness(t *testing.T) {
	for secret, says := range map[string]string{
		"":                                                  "shorter",
		strings.Repeat("x", 31):                             "shorter",
		goodSecret[:31]:                                     "shorter",
		strings.Repeat("a", 40):                             "repeats itself",
		strings.Repeat("ab", 20):                            "repeats itself",
		strings.Repeat("secret", 8):                         "repeats itself",
		strings.Repeat("Pa55word!Xy", 4):                    "repeats itself",
		goodSecret[:20] + goodSecret[:20]:                   "repeats itself",
		"abcdefghijklmnopqrstuvwxyz012345":                  "repeats itself",
		"1234567890123456789012345678901234567890":          "repeats itself",
		"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbcdefgh":          "repeats itself",
		"change-me":                                         "placeholder",
		"change-me-to-the-output-of-openssl-rand-base64-48": "placeholder",
		"CHANGE_ME_PLEASE_0123456789_abcdef":                "placeholder",
		"your-secret-key-that-is-at-least-32-characters":    "placeholder",
		"your-super-secret-jwt-key-change-this":             "placeholder",
		"my_jwt_secret_for_the_production_env":              "placeholder",
		"$(openssl rand -base64 48)":                        "placeholder",
		"replace-with-a-random-string-of-32":                "placeholder",
		goodSecret[:20] + "\n" + goodSecret[20:]:            "line breaks",
		goodSecret + ",":                                    "comma",
	} {
		if got := weakness(secret); !strings.Contains(got, says) {
			t.Errorf("%q: %q, want %q", secret, got, says)
		}
	}
}

// A secret made as the message says is never refused.
func TestRandomSecretsAreGood(t *testing.T) {
	buf := make([]byte, 48)
	for range 20000 {
		rand.Read(buf)
		for _, secret := range []string{base64.StdEncoding.EncodeToString(buf), base64.RawURLEncoding.EncodeToString(buf[:24]),
			hex.EncodeToString(buf[:24]), hex.EncodeToString(buf[:16])} {
			if wrong := weakness(secret); wrong != "" {
				t.Fatalf("%q %s", secret, wrong)
			}
		}
	}
}
