package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// SignRow returns the signature of a usage row in a log.
func (s *Secrets) SignRow(data []byte) []byte { return s.generations[Current].signRow(data) }

// CheckRow reports whether the signature is of a current or previous JWT_SECRET.
func (s *Secrets) CheckRow(data, signature []byte) bool {
	for _, g := range s.generations {
		if g.rowKey != nil && hmac.Equal(g.signRow(data), signature) {
			return true
		}
	}
	return false
}

func (g generation) signRow(data []byte) []byte {
	h := hmac.New(sha256.New, g.rowKey)
	h.Write(data)
	return h.Sum(nil)
}

// Pseudonym returns a name that stands for a text, such as an e-mail address: nobody without the secret can tell which.
func (s *Secrets) Pseudonym(text string) string {
	sum := s.generations[Current].pseudonym.sum(text)
	return "hash:" + hex.EncodeToString(sum[:16])
}
