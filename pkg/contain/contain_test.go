package contain_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/contain"
)

func explode() error { panic("boom") }

func TestPanicsAreErrorsAndLogged(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	if err := contain.Call(log, "the test", explode); !errors.Is(err, contain.ErrPanic) {
		t.Errorf("error %v", err)
	}
	for _, part := range []string{"in=\"the test\"", "what=boom", "explode"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the log has no %s: %s", part, text.String())
		}
	}
	want := errors.New("an error")
	if err := contain.Call(log, "the test", func() error { return want }); err != want {
		t.Errorf("error %v", err)
	}
}

func TestAGoroutineThatPanics(t *testing.T) {
	done := make(chan struct{})
	contain.Go(slog.New(slog.DiscardHandler), "the test", func() {
		defer close(done)
		explode()
	})
	<-done
}
