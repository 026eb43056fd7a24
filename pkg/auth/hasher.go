package auth

import (
	"context"
	"crypto/rand"
	"fmt"
)

// Hasher hashes and verifies passwords, no more than so many at once: each takes 19 MiB and some 20 to 50 ms of one core,
// and a burst of logins must not take the memory and the cores from the requests that are being served. It is safe for
// concurrent use; make one per process.
type Hasher struct {
	slots chan struct{}
	dummy passwordHash
}

// NewHasher makes a Hasher with so many slots, at least one.
func NewHasher(slots int) *Hasher {
	params := currentParams()
	return &Hasher{
		slots: make(chan struct{}, max(1, slots)),
		dummy: passwordHash{argon2Params: params, salt: make([]byte, params.saltLen), tag: make([]byte, params.tagLen)},
	}
}

// Hash returns the PHC string to store. It does not apply the policy; see CheckPassword. The only error is ctx's, wrapped,
// when ctx ends before a slot is free.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	params := currentParams()
	salt := make([]byte, params.saltLen)
	rand.Read(salt) // never fails: it ends the process instead
	return hashPassword(password, salt, params).phc(), nil
}

// Verify compares password with a stored PHC string. Errors: ErrWrongPassword, ErrMalformedHash, or ctx's, wrapped.
func (h *Hasher) Verify(ctx context.Context, password, phc string) error {
	stored, err := parsePasswordHash(phc)
	if err != nil {
		return err
	}
	return h.verify(ctx, password, stored)
}

// VerifyDummy takes the place of Verify when there is no such user, so that the time taken does not tell. Errors:
// ErrWrongPassword, always, or ctx's, wrapped.
func (h *Hasher) VerifyDummy(ctx context.Context, password string) error {
	if err := h.verify(ctx, password, h.dummy); err != nil {
		return err
	}
	return ErrWrongPassword // not even if a password with an all-zero hash were found
}

func (h *Hasher) verify(ctx context.Context, password string, stored passwordHash) error {
	release, err := h.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !stored.matches(password) {
		return ErrWrongPassword
	}
	return nil
}

func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	// Asked first, because select picks at random when a slot is free too.
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait to hash a password: %w", err)
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}
