package metrics

import (
	"strconv"
	"sync"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

const (
	other = "other" // beyond the bound, or not in the catalogue
	none  = "none"  // no provider was called
)

// labels are values that have been met, bounded.
type labels struct {
	most int

	mu    *sync.RWMutex
	known map[[2]string]string
}

func newLabels(most int) labels {
	return labels{most: most, mu: &sync.RWMutex{}, known: map[[2]string]string{}}
}

func (l *labels) one(value string) string {
	return l.of([2]string{value}, func() string { return value })
}

// pair returns the labels of a provider and a model. A model that the catalogue does not have may be anything that a
// caller wrote.
func (l *labels) pair(provider, model string) (string, string) {
	if provider == "" {
		return none, none
	}
	return provider, l.of([2]string{provider, model}, func() string {
		if m, ok := catalog.Related(provider, model); ok {
			return m.ID
		}
		return other
	})
}

func (l *labels) of(value [2]string, name func() string) string {
	l.mu.RLock()
	known, ok := l.known[value]
	full := len(l.known) >= l.most
	l.mu.RUnlock()
	if ok {
		return known
	}
	if full {
		return other
	}
	label := name()
	if label == other {
		return other // needs no place: what callers write must not fill the table
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) >= l.most {
		return other
	}
	l.known[value] = label
	return label
}

func statusText(status int) string {
	if status < 100 || status > 599 {
		return none
	}
	return strconv.Itoa(status)
}
