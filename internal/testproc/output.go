package testproc

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Output is what a program says, to be read while it goes on. The zero value is ready; it is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write never fails.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is what has been written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Wait returns the last group of the pattern, or all that fits if it has none, once it is there. The test fails if it is not within 20 s.
func (o *Output) Wait(t testing.TB, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m[len(m)-1]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s in:\n%s", pattern, o)
		}
	}
}
