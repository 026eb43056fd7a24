package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCheckPassword(t *testing.T) {
	for password, want := range map[string]error{
		"":                               errPasswordShort,
		"123456789":                      errPasswordShort,
		"correct horse":                  nil,
		"  a b c d  ":                    nil, // nothing is trimmed
		"pässwörtéß":                     nil,
		"pässwörté":                      errPasswordShort, // characters, not bytes
		strings.Repeat("abcd", 64):       nil,
		strings.Repeat("abcd", 64) + "e": errPasswordLong,
		"123456789\xff":                  errPasswordUnicode,
		"Ann.Example@Work.test":          errPasswordEmail,
		" ann.example@work.test":         errPasswordEmail,
		"ann.example":                    errPasswordEmail,
		"ann.example2":                   nil,
		"qwertyuiop":                     errPasswordCommon,
		"QwertyUiop":                     errPasswordCommon,
		"aaaaaaaaaaaaaaaaaaaa":           errPasswordCommon,
		"0101010101":                     errPasswordCommon,
		"1234567890":                     errPasswordCommon,
	} {
		if err := CheckPassword(password, "ann.example@work.test"); err != want {
			t.Errorf("%q: %v, want %v", password, err, want)
		}
	}
}

// The list is sorted, folded, without repeats and without entries that are refused as too short anyhow.
func TestCommonPasswords(t *testing.T) {
	list := strings.Split(strings.TrimSuffix(commonPasswords, "\n"), "\n")
	if len(list) < 1000 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("%d entries, sorted: %v", len(list), slices.IsSorted(list))
	}
	for _, password := range list {
		if strings.ToLower(password) != password || CheckPassword(password, "") != errPasswordCommon {
			t.Errorf("%q: %v", password, CheckPassword(password, ""))
		}
	}
}

func TestHashAndVerify(t *testing.T) {
	ctx := context.Background()
	h := NewHasher(2)
	phc, err := h.Hash(ctx, "hunter2hunter2")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%s %v", phc, err)
	}
	if again, _ := h.Hash(ctx, "hunter2hunter2"); again == phc {
		t.Error("the salt is not random")
	}
	if err := h.Verify(ctx, "hunter2hunter2", phc); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "hunter2hunter3", "hunter2hunter2 ", "Hunter2hunter2"} {
		if err := h.Verify(ctx, wrong, phc); !errors.Is(err, ErrWrongPassword) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := h.VerifyDummy(ctx, "hunter2hunter2"); !errors.Is(err, ErrWrongPassword) {
		t.Errorf("dummy: %v", err)
	}
	if NeedsRehash(phc) {
		t.Error("a hash at the current cost needs a rehash")
	}
}

func TestOtherCosts(t *testing.T) {
	cheap := argon2Params{memory: 64, passes: 1, lanes: 2, saltLen: 8, tagLen: 16}
	phc := hashPassword("hunter2hunter2", []byte("saltsalt"), cheap).phc()
	h := NewHasher(1)
	if err := h.Verify(context.Background(), "hunter2hunter2", phc); err != nil {
		t.Errorf("parameters are not read from the hash: %v", err)
	}
	if err := h.Verify(context.Background(), "hunter2hunter3", phc); !errors.Is(err, ErrWrongPassword) {
		t.Error(err)
	}
	if !NeedsRehash(phc) || !NeedsRehash("") || !NeedsRehash("x") {
		t.Error("another cost or a malformed hash needs no rehash")
	}
}

func TestMalformedHashes(t *testing.T) {
	const tail = "$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU"
	for _, phc := range []string{
		"", "x", "$", "$$$$$",
		"$argon2i$v=19$m=19456,t=2,p=1" + tail,
		"$argon2id$v=16$m=19456,t=2,p=1" + tail,
		"$argon2id$m=19456,t=2,p=1" + tail,
		"$argon2id$v=19$m=65537,t=2,p=1" + tail,
		"$argon2id$v=19$m=4294967296,t=2,p=1" + tail,
		"$argon2id$v=19$m=19456,t=11,p=1" + tail,
		"$argon2id$v=19$m=19456,t=0,p=1" + tail,
		"$argon2id$v=19$m=19456,t=2,p=0" + tail,
		"$argon2id$v=19$m=19456,t=2,p=5" + tail,
		"$argon2id$v=19$m=19456,t=2,p=257" + tail,
		"$argon2id$v=19$m=15,t=2,p=2" + tail,
		"$argon2id$v=19$m=019456,t=2,p=1" + tail,
		"$argon2id$v=19$m=+19456,t=2,p=1" + tail,
		"$argon2id$v=19$t=2,m=19456,p=1" + tail,
		"$argon2id$v=19$m=19456,t=2,p=1,x=1" + tail,
		"$argon2id$v=19$m=19456,t=2,p=1" + tail + "$",
		"$argon2id$v=19$m=19456,t=2,p=1$AAEC$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU",
		"$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZ",
		"$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw==$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU=",
	} {
		if err := NewHasher(1).Verify(context.Background(), "hunter2hunter2", phc); !errors.Is(err, ErrMalformedHash) {
			t.Errorf("%q: %v", phc, err)
		}
	}
}

func TestHasherWaitsForASlot(t *testing.T) {
	h := NewHasher(1)
	release, err := h.acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 3)
	go func() { _, err := h.Hash(ctx, "hunter2hunter2"); done <- err }()
	go func() { done <- h.Verify(ctx, "hunter2hunter2", vectorPasswordHash) }()
	go func() { done <- h.VerifyDummy(ctx, "hunter2hunter2") }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait for the slot: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	cancel()
	for range 3 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	release()
	if _, err := h.Hash(ctx, "hunter2hunter2"); !errors.Is(err, context.Canceled) {
		t.Errorf("it hashed although the context had ended: %v", err)
	}
	if err := h.VerifyDummy(context.Background(), "x"); !errors.Is(err, ErrWrongPassword) {
		t.Errorf("the slot was not released: %v", err)
	}
}

func TestHasherBoundsConcurrency(t *testing.T) {
	const slots = 2
	h := NewHasher(slots)
	var (
		mu          sync.Mutex
		inside, top int
		group       sync.WaitGroup
	)
	for range 16 {
		group.Go(func() {
			release, err := h.acquire(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			mu.Lock()
			inside++
			top = max(top, inside)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			inside--
			mu.Unlock()
		})
	}
	group.Wait()
	if top != slots {
		t.Errorf("%d at once, want %d", top, slots)
	}
	if cap(NewHasher(0).slots) != 1 {
		t.Error("zero slots would wait for ever")
	}
}

// The dummy must cost what a real verification costs: the same parameters, salt and tag length.
func TestDummyCostsTheSame(t *testing.T) {
	h := NewHasher(1)
	stored, err := parsePasswordHash(vectorPasswordHash)
	if err != nil {
		t.Fatal(err)
	}
	if h.dummy.argon2Params != stored.argon2Params || len(h.dummy.salt) != len(stored.salt) ||
		len(h.dummy.tag) != len(stored.tag) {
		t.Errorf("%+v, want %+v", h.dummy.argon2Params, stored.argon2Params)
	}
}

func BenchmarkVerify(b *testing.B) {
	h := NewHasher(1)
	for b.Loop() {
		if err := h.VerifyDummy(context.Background(), "hunter2hunter2"); !errors.Is(err, ErrWrongPassword) {
			b.Fatal(err)
		}
	}
}

func FuzzParsePasswordHash(f *testing.F) {
	f.Add(vectorPasswordHash)
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, phc string) {
		h, err := parsePasswordHash(phc)
		if err != nil {
			return
		}
		if h.memory > maxMemory || h.passes < 1 || h.passes > maxPasses || h.lanes < 1 || h.lanes > maxLanes {
			t.Errorf("%q is out of bounds", phc)
		}
		if h.phc() != phc {
			t.Errorf("%q reads back as %q", phc, h.phc())
		}
	})
}
