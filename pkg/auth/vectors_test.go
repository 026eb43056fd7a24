package auth

import (
	"context"
	"encoding/hex"
	"testing"
)

// The vectors were computed by another implementation (Python's hashlib and OpenSSL, from the documented formats). A
// change here means that stored tokens, sessions, passwords or provider keys stop working.
const (
	vectorToken           = "llm_123456789ABCDEFGHJKLMNPQRSTU1NMnonHMB"
	vectorTokenDigest     = "a0a7780043a6f9d11fa5cbf4564ca3cb67a87102dd07a95c40cfe0b790b9c179"
	vectorSetupToken      = "fe18y-1kvhb-y1n9q-j3jwx"
	vectorPlaintext       = "sk-test-0123456789"
	vectorEncryptionID    = "fe581a91c0d0"
	vectorEncrypted       = "016465666768696a6b6c6d6e6f24141cf2606a2507ce14c4c5005b4b3b4c6a45a285c543fdc2e28a10b8c0c13a98df"
	vectorEncryptionIDJWT = "a66b2d8178cb"
	vectorEncryptedJWT    = "016465666768696a6b6c6d6e6fb9f1fed12ee75ab1c7cbbb4e274103786071ab328c182c469c6acf075aac742d2323"
	vectorPasswordHash    = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU"
	vectorSession         = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImI4ODBmNjMyMmMyYiIsInR5cCI6IkpXVCJ9." +
		"eyJzaWQiOiIwMTk3YTBiMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJzdWIiOiIwMTk3YTBiMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDIiLCJpYXQiOjE4MDAwMDAwMDAsImV4cCI6MTgwMjU5MjAwMCwiaXNzIjoibGxtLWdhdGV3YXkifQ." +
		"AJBBafzJH7AmN2ltYyJEDA5VvRbVsvlorXV467zVpu0"
)

func vectorBinding() Binding {
	b := Binding{Table: "provider_keys", ID: make([]byte, 16), UserID: make([]byte, 16)}
	for i := range 16 {
		b.ID[i], b.UserID[i] = byte(i), byte(16+i)
	}
	return b
}

func vectorSecrets(t testing.TB) *Secrets {
	return mustSecrets(t, Material{JWTSecret: vectorJWTSecret, EncryptionKey: vectorEncryptionKey})
}

func TestVectorToken(t *testing.T) {
	s := vectorSecrets(t)
	if made, err := s.CheckToken(vectorToken); err != nil || made != Current {
		t.Errorf("CheckToken: %v %v", made, err)
	}
	digest := s.Digest(vectorToken)
	if hex.EncodeToString(digest[:]) != vectorTokenDigest {
		t.Errorf("digest %x", digest)
	}
	if s.SetupToken() != vectorSetupToken {
		t.Errorf("set-up token %s", s.SetupToken())
	}
}

func TestVectorSession(t *testing.T) {
	s := vectorSecrets(t)
	want := Session{
		ID:        "0197a0b0-0000-7000-8000-000000000001",
		UserID:    "0197a0b0-0000-7000-8000-000000000002",
		IssuedAt:  1800000000_000,
		ExpiresAt: 1802592000_000,
	}
	if signed, err := s.SignSession(want); err != nil || signed != vectorSession {
		t.Errorf("signed %s, %v", signed, err)
	}
	if got, made, err := s.ParseSession(vectorSession, 1800000001_000); err != nil || made != Current || got != want {
		t.Errorf("parsed %+v %v %v", got, made, err)
	}
}

func TestVectorEncryption(t *testing.T) {
	s := vectorSecrets(t)
	for _, v := range []struct {
		id, encrypted string
		stale         bool
	}{{vectorEncryptionID, vectorEncrypted, false}, {vectorEncryptionIDJWT, vectorEncryptedJWT, true}} {
		encrypted, err := hex.DecodeString(v.encrypted)
		if err != nil {
			t.Fatal(err)
		}
		plain, stale, err := s.Decrypt(encrypted, v.id, vectorBinding())
		if err != nil || stale != v.stale || string(plain) != vectorPlaintext {
			t.Errorf("%s: %q stale=%v %v", v.id, plain, stale, err)
		}
	}
	nonce := make([]byte, encryptionNonceSize)
	for i := range nonce {
		nonce[i] = byte(100 + i)
	}
	if encrypted := s.encryption[0].encrypt([]byte(vectorPlaintext), nonce, vectorBinding()); hex.EncodeToString(encrypted) != vectorEncrypted {
		t.Errorf("encrypted as %x", encrypted)
	}
}

func TestVectorPassword(t *testing.T) {
	const password = "correct horse battery staple"
	if err := NewHasher(1).Verify(context.Background(), password, vectorPasswordHash); err != nil {
		t.Error(err)
	}
	stored, err := parsePasswordHash(vectorPasswordHash)
	if err != nil {
		t.Fatal(err)
	}
	if phc := hashPassword(password, stored.salt, currentParams()).phc(); phc != vectorPasswordHash {
		t.Errorf("hashed as %s", phc)
	}
}
