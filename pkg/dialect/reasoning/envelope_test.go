package reasoning

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// A vector is an envelope that callers may hold, and what it means.
type vector struct {
	Name     string
	Text     string
	Envelope Envelope
}

// vectors reads testdata/envelopes.jsonl. Those of version 1 were made by the code that wrote version 1.
func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/envelopes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	for line := range bytes.Lines(data) {
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func TestEnvelopesThatCallersHold(t *testing.T) {
	versions := map[string]int{}
	for _, v := range vectors(t) {
		source, _, _ := strings.Cut(v.Name, ":")
		versions[source]++
		if !IsEnvelope(v.Text) {
			t.Errorf("%s: %q is not taken for an envelope", v.Name, v.Text)
		}
		if got, err := Decode(v.Text); err != nil || got != v.Envelope {
			t.Errorf("%s: got %+v, %v; want %+v", v.Name, got, err, v.Envelope)
		}
		if source == "version 2" && v.Envelope.Encode() != v.Text {
			t.Errorf("%s: written as %q", v.Name, v.Envelope.Encode())
		}
	}
	for _, source := range []string{"version 2", "anthropic, version 1", "gemini, version 1", "responses, version 1"} {
		if versions[source] < 7 {
			t.Errorf("only %d vectors of %s", versions[source], source)
		}
	}
}

// Gemini's SDK for Python decodes a signature and encodes it again.
func TestEnvelopeInAnotherBase64(t *testing.T) {
	for _, v := range vectors(t) {
		data, err := base64.StdEncoding.DecodeString(v.Text)
		if err != nil {
			continue // only those that Gemini's callers hold are base64 as a whole
		}
		for name, encoding := range map[string]*base64.Encoding{"url": base64.URLEncoding, "raw": base64.RawStdEncoding, "raw url": base64.RawURLEncoding} {
			text := encoding.EncodeToString(data)
			if got, err := Decode(text); !IsEnvelope(text) || err != nil || got != v.Envelope {
				t.Errorf("%s in %s: got %+v, %v", v.Name, name, got, err)
			}
		}
	}
}

func TestDamagedEnvelopes(t *testing.T) {
	v2 := func(object string) string { return base64.StdEncoding.EncodeToString([]byte("llmgw2" + object)) }
	for name, text := range map[string]string{
		"no JSON":                  v2("{"),
		"nothing":                  v2(""),
		"no object":                v2("[]"),
		"a number for a string":    v2(`{"signature":1}`),
		"a string for a number":    v2(`{"index":"1"}`),
		"a fraction":               v2(`{"index":1.5}`),
		"a string for a boolean":   v2(`{"late":"true"}`),
		"cut off":                  Envelope{State: chat.ReasoningState{ID: "rs_1"}}.Encode()[:15],
		"no base64":                "bGxtZ3cy!",
		"a later version":          base64.StdEncoding.EncodeToString([]byte(`llmgw3{"id":"rs_1"}`)),
		"too large":                Envelope{State: chat.ReasoningState{Signature: strings.Repeat("a", MaxSize)}}.Encode(),
		"anthropic, no base64":     "llm-gateway:!",
		"anthropic, no object":     "llm-gateway:W10",
		"responses, nothing":       "llmgw1.",
		"responses, no base64":     "llmgw1.!",
		"gemini, no JSON":          base64.StdEncoding.EncodeToString([]byte(`llmg1{"id"`)),
		"gemini, a wrong type":     base64.StdEncoding.EncodeToString([]byte(`llmg1{"idx":{}}`)),
		"gemini, garbage after it": "bGxtZzF7fQ==x",
	} {
		if !IsEnvelope(text) {
			t.Errorf("%s: would be given to a provider as its own", name)
		}
		if got, err := Decode(text); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestProvidersOwnStatesAreNoEnvelopes(t *testing.T) {
	for _, text := range []string{"", "EqQBCgIYAhIM", "gAAAAABo", "CiQB4/H+/1s=", "bGxt", "bGxtZ3", "llmgw", "llm-gateway", "skip_thought_signature_validator"} {
		if IsEnvelope(text) {
			t.Errorf("%q is taken for an envelope", text)
		}
		if _, err := Decode(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestMembersOfLaterRevisionsAreLeftOut(t *testing.T) {
	text := base64.StdEncoding.EncodeToString([]byte(`llmgw2{"id":"rs_1","new":{"a":[1]}}`))
	if got, err := Decode(text); err != nil || got != (Envelope{State: chat.ReasoningState{ID: "rs_1"}}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Decode reads what anybody sends. It must not panic, and what it reads it must write the same.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Text)
	}
	f.Add("bGxtZ3cy" + base64.StdEncoding.EncodeToString([]byte(`{"index":9007199254740993,"id":"\ud800"}`)))
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Decode(text)
		if err != nil {
			if e != (Envelope{}) {
				t.Fatalf("%q: an error and %+v", text, e)
			}
			return
		}
		if !IsEnvelope(text) {
			t.Fatalf("%q was read, but a provider would get it", text)
		}
		again, err := Decode(e.Encode())
		if err != nil || again != e {
			t.Fatalf("%q: %+v became %+v, %v", text, e, again, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text := Envelope{State: chat.ReasoningState{Signature: strings.Repeat("a", 1000), Format: "google-gemini-v1"}}.Encode()
	for b.Loop() {
		if _, err := Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}
