package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// A sealed blob is
//
//	version (1 byte, 1) | nonce (12 random bytes) | ciphertext | tag (16 bytes)
//
// under AES-256-GCM. The additional data binds it to its row. Random nonces are safe for 2^32 blobs under one key.
const (
	sealVersion    = 1
	sealingKeySize = 32
	sealNonceSize  = 12
	sealOverhead   = 1 + sealNonceSize + 16
	sealDomain     = "llm-gateway/v1/sealed"
)

// ErrUndecryptable comes back, wrapped with the reason, for a blob that does not open: sealed under a key that is no longer
// configured, moved from another row, or changed. Entering the secret again heals it.
var ErrUndecryptable = errors.New("cannot open the sealed value")

// Binding says which row a blob belongs to. A blob opens only under the binding it was sealed with, so that a value copied
// into another row, another user's account or another table is useless there.
type Binding struct {
	Table  string
	ID     []byte
	UserID []byte
}

type sealingKey struct {
	id   string
	aead cipher.AEAD
}

// newSealingKey takes sealingKeySize bytes; nothing else makes it panic.
func newSealingKey(key []byte) sealingKey {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return sealingKey{id: keyID(key), aead: aead}
}

// Encrypt encrypts plaintext under the current sealing key. Keep the key id (12 hex digits, not secret) beside the blob.
func (s *Secrets) Encrypt(plaintext []byte, b Binding) (blob []byte, keyID string) {
	nonce := make([]byte, sealNonceSize)
	rand.Read(nonce) // never fails: it ends the process instead
	key := s.sealing[0]
	return key.seal(plaintext, nonce, b), key.id
}

// EncryptionKeyID is the key id that Seal returns now: rows with another one are stale.
func (s *Secrets) EncryptionKeyID() string { return s.sealing[0].id }

// Decrypt decrypts a blob. stale means that it was sealed under a previous key: seal it again. The error is ErrUndecryptable,
// wrapped with a reason that may be shown.
func (s *Secrets) Decrypt(blob []byte, keyID string, b Binding) (plaintext []byte, stale bool, err error) {
	if len(blob) < sealOverhead || blob[0] != sealVersion {
		return nil, false, fmt.Errorf("%w: it is not in a form that this version knows", ErrUndecryptable)
	}
	for i, key := range s.sealing {
		if key.id != keyID {
			continue
		}
		plaintext, err = key.open(blob, b)
		if err != nil {
			return nil, false, fmt.Errorf("%w: it was changed, or belongs to another row", ErrUndecryptable)
		}
		return plaintext, i > 0, nil
	}
	return nil, false, fmt.Errorf("%w: it was sealed under a key that is not configured (neither ENCRYPTION_KEY nor "+
		"JWT_SECRET nor a previous one)", ErrUndecryptable)
}

func (k sealingKey) seal(plaintext, nonce []byte, b Binding) []byte {
	blob := make([]byte, 0, sealOverhead+len(plaintext))
	blob = append(blob, sealVersion)
	blob = append(blob, nonce...)
	return k.aead.Seal(blob, nonce, plaintext, b.additionalData())
}

func (k sealingKey) open(blob []byte, b Binding) ([]byte, error) {
	nonce, ciphertext := blob[1:1+sealNonceSize], blob[1+sealNonceSize:]
	return k.aead.Open(nil, nonce, ciphertext, b.additionalData())
}

// additionalData writes each part with its length, so that no two bindings read the same.
func (b Binding) additionalData() []byte {
	data := []byte(sealDomain)
	data = append(data, sealVersion)
	for _, part := range [][]byte{[]byte(b.Table), b.ID, b.UserID} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part)))
		data = append(data, part...)
	}
	return data
}
