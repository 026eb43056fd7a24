package testproc

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Output holds the output of a running program. The zero value is ready; it is safe for concurrent use.
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

// String returns the output so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Wait waits until the output matches the pattern, and returns the last group or, without groups, the match. The test
// fails after a minute.
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
