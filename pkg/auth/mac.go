package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// mac computes HMAC-SHA256 under one key. It runs twice per request, so the keyed states are pooled: a warm call
// allocates nothing.
type mac struct {
	states sync.Pool // of *macState
}

type macState struct {
	hash hash.Hash
	in   []byte
	out  [sha256.Size]byte
}

func newMAC(key []byte) *mac {
	m := &mac{}
	m.states.New = func() any {
		return &macState{hash: hmac.New(sha256.New, key), in: make([]byte, 0, 64)}
	}
	return m
}

func (m *mac) sum(message string) [sha256.Size]byte {
	st := m.states.Get().(*macState)
	st.in = append(st.in[:0], message...)
	st.hash.Reset()
	st.hash.Write(st.in)
	st.hash.Sum(st.out[:0])
	out := st.out
	clear(st.in) // the message is a credential, which must not stay in the pool
	m.states.Put(st)
	return out
}
