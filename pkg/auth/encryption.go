package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// An encrypted value is
//
//	version (1 byte, 1) | nonce (12 random bytes) | ciphertext | tag (16 bytes)
//
// under AES-256-GCM. The additional data binds it to its row. Random nonces are safe for 2^32 values under one key
// (NIST SP 800-38D, 8.3).
const (
	encryptionVersion   = 1
	encryptionKeySize   = 32
	encryptionNonceSize = 12
	encryptionOverhead  = 1 + encryptionNonceSize + 16
	encryptionDomain    = "llm-gateway/v1/sealed" // part of the storage format
)

// ErrUndecryptable is returned, wrapped with the reason, for a value that cannot be decrypted: encrypted under a key that
// is no longer configured, moved from another row, or changed. It has to be entered again.
var ErrUndecryptable = errors.New("cannot decrypt the value")

// Binding names the row of an encrypted value. A value decrypts only under the binding with which it was encrypted, so
// that a copy of it in another row, another user's account or another table is useless.
type Binding struct {
	Table  string
	ID     []byte
	UserID []byte
}

type encryptionKey struct {
	id   string
	aead cipher.AEAD
}

// newEncryptionKey panics unless key has encryptionKeySize bytes.
func newEncryptionKey(key []byte) encryptionKey {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return encryptionKey{id: keyID(key), aead: aead}
}

// Encrypt encrypts plaintext under the current key. Store the key id (12 hex digits, not secret) with the value.
func (s *Secrets) Encrypt(plaintext []byte, b Binding) (encrypted []byte, keyID string) {
	nonce := make([]byte, encryptionNonceSize)
	rand.Read(nonce) // never fails: it ends the process instead
	key := s.encryption[0]
	return key.encrypt(plaintext, nonce, b), key.id
}

// EncryptionKeyID returns the key id that Encrypt uses now. Rows with another one are stale.
func (s *Secrets) EncryptionKeyID() string { return s.encryption[0].id }

// Decrypt decrypts a value. It is stale if it was encrypted under a previous key: encrypt it again. The error is
// ErrUndecryptable, wrapped with a reason that may be shown.
func (s *Secrets) Decrypt(encrypted []byte, keyID string, b Binding) (plaintext []byte, stale bool, err error) {
	if len(encrypted) < encryptionOverhead || encrypted[0] != encryptionVersion {
		return nil, false, fmt.Errorf("%w: this version of the gateway does not know its format", ErrUndecryptable)
	}
	for i, key := range s.encryption {
		if key.id != keyID {
			continue
		}
		plaintext, err = key.decrypt(encrypted, b)
		if err != nil {
			return nil, false, fmt.Errorf("%w: it was changed, or belongs to another row", ErrUndecryptable)
		}
		return plaintext, i > 0, nil
	}
	return nil, false,
		fmt.Errorf("%w: it was encrypted under a key that is not configured (neither ENCRYPTION_KEY nor "+
			"JWT_SECRET nor a previous one)", ErrUndecryptable)
}

func (k encryptionKey) encrypt(plaintext, nonce []byte, b Binding) []byte {
	encrypted := make([]byte, 0, encryptionOverhead+len(plaintext))
	encrypted = append(encrypted, encryptionVersion)
	encrypted = append(encrypted, nonce...)
	return k.aead.Seal(encrypted, nonce, plaintext, b.additionalData())
}

func (k encryptionKey) decrypt(encrypted []byte, b Binding) ([]byte, error) {
	nonce, ciphertext := encrypted[1:1+encryptionNonceSize], encrypted[1+encryptionNonceSize:]
	return k.aead.Open(nil, nonce, ciphertext, b.additionalData())
}

// additionalData writes each part with its length, so that two different bindings never give the same bytes.
func (b Binding) additionalData() []byte {
	data := []byte(encryptionDomain)
	data = append(data, encryptionVersion)
	for _, part := range [][]byte{[]byte(b.Table), b.ID, b.UserID} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part)))
		data = append(data, part...)
	}
	return data
}
