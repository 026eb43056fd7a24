package auth

import (
	"context"
	"crypto/rand"
	"fmt"
)

// Hasher hashes and verifies passwords, a limited number of them at a time: each takes 19 MiB and 20 to 50 ms of one core,
// and a burst of logins must not take memory and cores from the requests that are being served. It is safe for concurrent
// use; make one per process.
type Hasher struct {
	slots chan struct{}
	dummy passwordHash
}

// NewHasher returns a Hasher that hashes up to slots passwords at a time, at least one.
func NewHasher(slots int) *Hasher {
	params := currentParams()
	return &Hasher{
		slots: make(chan struct{}, max(1, slots)),
		dummy: passwordHash{argon2Params: params, salt: make([]byte, params.saltLen), tag: make([]byte, params.tagLen)},
	}
}

// Hash returns the PHC string to store. It does not apply the policy; see CheckPassword. The only error is that of ctx,
// wrapped, when ctx ends before a slot is free.
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

// Verify compares password with a stored PHC string. Errors: ErrWrongPassword, ErrMalformedHash, or that of ctx, wrapped.
func (h *Hasher) Verify(ctx context.Context, password, phc string) error {
	stored, err := parsePasswordHash(phc)
	if err != nil {
		return err
	}
	return h.verify(ctx, password, stored)
}

// VerifyDummy is called in place of Verify when there is no such user, so that the time does not reveal whether there is
// one. It always returns an error: ErrWrongPassword, or that of ctx, wrapped.
func (h *Hasher) VerifyDummy(ctx context.Context, password string) error {
	if err := h.verify(ctx, password, h.dummy); err != nil {
		return err
	}
	return ErrWrongPassword // even for a password whose hash is all zeros
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
	// Checked first, because select chooses at random if a slot is free too.
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
