package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// MinSecretLength is the minimum length of JWT_SECRET and ENCRYPTION_KEY, in bytes. Previous ones may be shorter, so that
// a secret that is too short can be replaced without loss.
const MinSecretLength = 32

// ErrWeakSecret is returned by NewSecrets for a secret that is missing or shorter than MinSecretLength.
var ErrWeakSecret = errors.New("secret is missing or shorter than 32 bytes")

// The labels are part of the storage format: changing one invalidates every session, token or encrypted key made under it.
const (
	labelSession       = "llm-gateway/v1/session"
	labelTokenChecksum = "llm-gateway/v1/token-checksum"
	labelTokenDigest   = "llm-gateway/v1/token-digest"
	labelSetupToken    = "llm-gateway/v1/setup-token"
	labelEncryption    = "llm-gateway/v1/sealing"
	labelEncryptionJWT = "llm-gateway/v1/sealing/jwt-secret"
	labelKeyID         = "llm-gateway/v1/key-id"
	labelInstance      = "llm-gateway/v1/instance"
	labelUsageRow      = "llm-gateway/v1/usage-row"
	labelPseudonym     = "llm-gateway/v1/pseudonym"
)

// Generation numbers the JWT_SECRET under which something was made: 0 is the current one, n the n-th entry of
// JWT_SECRET_PREVIOUS.
type Generation int

// Current is the generation of everything that is made now.
const Current Generation = 0

// Stale reports whether a previous secret was used.
func (g Generation) Stale() bool { return g != Current }

// Material holds the secrets that the operator configured. Empty previous entries are ignored.
type Material struct {
	JWTSecret              string
	PreviousJWTSecrets     []string // newest first, by convention
	EncryptionKey          string   // empty: provider keys are encrypted under a key derived from JWTSecret
	PreviousEncryptionKeys []string
}

// Secrets holds the derived keys. It is immutable and safe for concurrent use; make one per process and share it.
type Secrets struct {
	generations []generation    // by Generation; never empty
	encryption  []encryptionKey // the current one first
	setupToken  string
	instance    string
}

// generation holds the keys that are derived from one JWT_SECRET.
type generation struct {
	kid        string
	sessionKey []byte
	checksum   *mac
	digest     *mac
	rowKey     []byte
	pseudonym  *mac
}

// NewSecrets derives all keys. The only error is ErrWeakSecret, for the current JWTSecret or EncryptionKey.
func NewSecrets(m Material) (*Secrets, error) {
	if len(m.JWTSecret) < MinSecretLength {
		return nil, fmt.Errorf("JWT_SECRET: %w", ErrWeakSecret)
	}
	if m.EncryptionKey != "" && len(m.EncryptionKey) < MinSecretLength {
		return nil, fmt.Errorf("ENCRYPTION_KEY: %w", ErrWeakSecret)
	}
	s := &Secrets{setupToken: newSetupToken(derive(m.JWTSecret, labelSetupToken, setupTokenChars))}
	s.instance = hex.EncodeToString(derive(m.JWTSecret, labelInstance, instanceBytes))
	jwtSecrets := append([]string{m.JWTSecret}, m.PreviousJWTSecrets...)
	for _, secret := range jwtSecrets {
		// An empty entry is kept, because Generation counts entries.
		s.generations = append(s.generations, newGeneration(secret))
	}

	// Every key that can have encrypted a value is tried: ENCRYPTION_KEY, its predecessors, and every JWT_SECRET, because
	// an operator may add ENCRYPTION_KEY after values were encrypted without it, or remove it again.
	if m.EncryptionKey != "" {
		s.addEncryptionKey(m.EncryptionKey, labelEncryption)
	} else {
		s.addEncryptionKey(m.JWTSecret, labelEncryptionJWT)
	}
	for _, secret := range m.PreviousEncryptionKeys {
		s.addEncryptionKey(secret, labelEncryption)
	}
	for _, secret := range jwtSecrets {
		s.addEncryptionKey(secret, labelEncryptionJWT)
	}
	return s, nil
}

// instanceBytes is the length of an instance's id before it is written in hex.
const instanceBytes = 12

// InstanceID returns a name of the installation that all its processes share. It tells nothing about the secret, and
// nobody without the secret can make it.
func (s *Secrets) InstanceID() string { return s.instance }

func newGeneration(secret string) generation {
	if secret == "" {
		return generation{}
	}
	sessionKey := derive(secret, labelSession, sha256.Size)
	return generation{
		kid:        keyID(sessionKey),
		sessionKey: sessionKey,
		checksum:   newMAC(derive(secret, labelTokenChecksum, sha256.Size)),
		digest:     newMAC(derive(secret, labelTokenDigest, sha256.Size)),
		rowKey:     derive(secret, labelUsageRow, sha256.Size),
		pseudonym:  newMAC(derive(secret, labelPseudonym, sha256.Size)),
	}
}

func (s *Secrets) addEncryptionKey(secret, label string) {
	if secret == "" {
		return
	}
	key := newEncryptionKey(derive(secret, label, encryptionKeySize))
	for _, known := range s.encryption {
		if known.id == key.id {
			return
		}
	}
	s.encryption = append(s.encryption, key)
}

// derive panics only if length exceeds 255 hashes; all callers pass constants below that.
func derive(secret, label string, length int) []byte {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, label, length)
	if err != nil {
		panic(err)
	}
	return key
}

// keyID returns a name for a derived key that reveals nothing about it: 48 bits of an HMAC under the key, as 12 hex
// digits.
func keyID(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(labelKeyID))
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Format keeps the keys out of every fmt verb.
func (s Secrets) Format(f fmt.State, _ rune) { f.Write([]byte(redacted)) }

// LogValue keeps the keys out of slog.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format keeps the secrets out of every fmt verb.
func (m Material) Format(f fmt.State, _ rune) { f.Write([]byte(redacted)) }

// LogValue keeps the secrets out of slog.
func (m Material) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps the secrets out of JSON.
func (m Material) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
