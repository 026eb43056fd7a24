// Package share divides what a process has between its users, so that none of them can hold it alone.
package share

import "sync"

// Outcome is the result of [Pool.Take].
type Outcome int

// The outcomes.
const (
	Taken Outcome = iota
	Empty         // the pool has less than that left
	Over          // the user would hold more than a share
)

// Pool is an amount of which each user may hold a share. It is safe for concurrent use.
type Pool[User comparable] struct {
	share, amount int64

	mu   sync.Mutex
	free int64
	held map[User]int64
}

// NewPool returns a pool. The share of a user is a half, or least if that is more.
func NewPool[User comparable](amount, least int64) *Pool[User] {
	return &Pool[User]{share: max(amount/2, min(amount, least)), amount: amount, free: amount, held: map[User]int64{}}
}

// Used returns how much is taken, and the whole amount.
func (p *Pool[User]) Used() (used, amount int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.amount - p.free, p.amount
}

// Share is how much one user may hold.
func (p *Pool[User]) Share() int64 { return p.share }

// Take takes n for the user, or nothing.
func (p *Pool[User]) Take(user User, n int64) Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case n > p.free:
		return Empty
	case p.held[user]+n > p.share:
		return Over
	}
	p.free -= n
	p.held[user] += n
	return Taken
}

// Grow takes n more for a thing of the user for which had is taken already, and returns how much it took. A user who holds
// nothing else may pass the share, so that every thing that fits alone can be had; and if nobody holds anything else, what
// is free is enough.
func (p *Pool[User]) Grow(user User, had, n int64) (taken int64, o Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	alone := p.held[user] <= had
	switch {
	case n > p.free && alone && len(p.held) <= 1:
		n = p.free
	case n > p.free:
		return 0, Empty
	case p.held[user]+n > p.share && !alone:
		return 0, Over
	}
	p.free -= n
	p.held[user] += n
	return n, Taken
}

// Give gives n of what the user took back.
func (p *Pool[User]) Give(user User, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free += n
	if p.held[user] -= n; p.held[user] <= 0 {
		delete(p.held, user)
	}
}
