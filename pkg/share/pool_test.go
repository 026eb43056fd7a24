package share

import (
	"sync"
	"testing"
)

func TestShares(t *testing.T) {
	p := NewPool[string](100, 10)
	for _, step := range []struct {
		user string
		n    int64
		want Outcome
	}{
		{"ann", 50, Taken}, {"ann", 1, Over}, {"bob", 30, Taken}, {"eve", 21, Empty}, {"eve", 20, Taken}, {"bob", 1, Empty},
	} {
		if got := p.Take(step.user, step.n); got != step.want {
			t.Errorf("%s takes %d: %d, want %d", step.user, step.n, got, step.want)
		}
	}
	p.Give("ann", 50)
	if got := p.Take("bob", 20); got != Taken {
		t.Errorf("what was given back cannot be taken: %d", got)
	}
	if p.held["ann"] != 0 || len(p.held) != 2 {
		t.Errorf("held: %v", p.held)
	}
}

func TestLeastShare(t *testing.T) {
	for _, tt := range []struct{ amount, least, want int64 }{{100, 10, 50}, {100, 80, 80}, {100, 200, 100}, {1, 1, 1}} {
		if got := NewPool[int](tt.amount, tt.least).Share(); got != tt.want {
			t.Errorf("%d with at least %d: a share of %d, want %d", tt.amount, tt.least, got, tt.want)
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	p := NewPool[int](1000, 1)
	var wg sync.WaitGroup
	for user := range 8 {
		wg.Go(func() {
			for n := range int64(2000) {
				if p.Take(user, n%100) == Taken {
					p.Give(user, n%100)
				}
			}
		})
	}
	wg.Wait()
	if p.free != 1000 || len(p.held) != 0 {
		t.Errorf("free %d, held %v", p.free, p.held)
	}
}

func TestGrow(t *testing.T) {
	p := NewPool[string](100, 10)
	if n, o := p.Grow("a", 0, 80); n != 80 || o != Taken {
		t.Errorf("a single thing beyond the share: %d, %v", n, o)
	}
	if n, o := p.Grow("a", 0, 5); n != 0 || o != Over {
		t.Errorf("a second thing beyond the share: %d, %v", n, o)
	}
	if o := p.Take("b", 10); o != Taken {
		t.Errorf("another user: %v", o)
	}
	if n, o := p.Grow("b", 10, 50); n != 0 || o != Empty {
		t.Errorf("more than is free, and others hold something: %d, %v", n, o)
	}
	p.Give("a", 80)
	if n, o := p.Grow("b", 10, 500); n != 90 || o != Taken {
		t.Errorf("more than there is, and nobody else holds anything: %d, %v", n, o)
	}
	p.Give("b", 100)
	if n, o := p.Grow("c", 0, 100); n != 100 || o != Taken {
		t.Errorf("after all was given back: %d, %v", n, o)
	}
}
