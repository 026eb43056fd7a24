package saved

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

type key string

func (k key) SignRow(data []byte) []byte {
	h := hmac.New(sha256.New, []byte(k))
	h.Write(data)
	return h.Sum(nil)
}

func (k key) CheckRow(data, signature []byte) bool { return bytes.Equal(k.SignRow(data), signature) }

func sample() store.Record {
	cost, first, begun := int64(7), int64(3), int64(1)
	return store.Record{
		ID: store.NewID(1), User: store.NewID(2), Key: store.NewID(3), Provider: "openai", Model: "gpt", Cost: &cost, Status: 200,
		Outcome: store.Answered, Attempts: 2, Flags: 1, LatencyMs: 12, FirstByteMs: &first, StartedMs: &begun, Input: 1, Cached: 2, CacheWrite: 3,
		Output: 4, Reasoning: 5, Trace: `{"a":1}`,
		Latencies: []store.Measurement{{ID: store.NewID(9), Micros: 10, At: 11}},
		Labels:    []store.Label{{Kind: store.EndUserLabel, Owner: store.NewID(6), Name: "eve"}},
		Spent: []store.Spending{{ID: store.NewID(4), Repeated: true, Charges: []store.Charge{{
			Hold: store.Hold{Limit: store.NewID(5), Starts: 6, Amount: 7, Gen: 8}, Spent: 9, Unconfirmed: 10}}}},
		Statements: []store.Stmt{{SQL: "update x", Args: []any{
			int64(1), "text\n", []byte{0, 255}, []byte{}, true, false, 1.5, nil,
			(*int64)(nil), (*string)(nil), (*bool)(nil), (*float64)(nil), []byte(nil),
		}}},
	}
}

func TestFilesKeepEverything(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	want := []store.Record{sample(), {ID: store.NewID(9), User: store.NewID(2)}}
	path, err := Write(folder, want)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	claimed, got, err := Claim(folder)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
	// A process that ended without writing them leaves the file to the next.
	again, got, err := Claim(folder)
	if err != nil || again != claimed || len(got) != 2 {
		t.Errorf("%s, %d records, %v", again, len(got), err)
	}
	// A running one keeps it.
	if err := os.Rename(claimed, strings.Replace(claimed, fmt.Sprint(os.Getpid()), fmt.Sprint(os.Getppid()), 1)); err != nil {
		t.Fatal(err)
	}
	if path, _, err := Claim(folder); path != "" || err != nil {
		t.Errorf("the file of another process: %s, %v", path, err)
	}
}

func TestDamagedFile(t *testing.T) {
	folder := t.TempDir()
	path, err := Write(folder, []store.Record{sample()})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"id":"`)
	f.Close()
	path, got, err := Claim(folder)
	if err == nil || len(got) != 1 {
		t.Errorf("%d records, %v", len(got), err)
	}
	if err := SetAside(path); err != nil {
		t.Fatal(err)
	}
	if path, _, err := Claim(folder); path != "" || err != nil {
		t.Errorf("claimed again: %s, %v", path, err)
	}
}

func TestTokens(t *testing.T) {
	want := sample()
	line := `level=ERROR msg="usage was not written" row=` + Token(want, key("a")) + ` more="x"`
	found := FindTokens(line)
	if len(found) != 1 {
		t.Fatalf("%d tokens in %s", len(found), line)
	}
	got, err := ParseToken(found[0], key("a"))
	want.Trace, want.Statements = "", nil
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
	if _, err := ParseToken(found[0], key("b")); err != ErrForeign {
		t.Errorf("under another secret: %v", err)
	}
	for _, cut := range []string{found[0][:len(found[0])-1], "llmrow1.e30.e30"} {
		if _, err := ParseToken(cut, key("a")); err == nil {
			t.Errorf("%s was taken", cut)
		}
	}
}
