// Package reasoning carries the state of a model's reasoning (signatures, encrypted and redacted thinking) through
// callers of a dialect that has no member for it.
//
// Callers return some strings unread: the signature of Anthropic's thinking blocks, the encrypted_content of
// Responses' items, the thoughtSignature of Gemini's parts. A dialect puts its own provider's state there as it
// is, and the state of any other provider as an Envelope.
//
// The text of an envelope is base64 (standard alphabet, padded) of "llmgw2" and a JSON object:
//
//	id         the reasoning's item (Responses)
//	signature  the signature of the visible text (Anthropic, Gemini)
//	redacted   the data of redacted thinking (Anthropic)
//	encrypted  encrypted reasoning (Responses, OpenRouter)
//	format     whose state it is, in OpenRouter's words
//	index      the position among what belongs together
//	summary    true: the visible text is a summary
//	call       the id of the tool call that the signature belongs to; empty: it belongs to the reasoning
//	late       true: the state belongs to the reasoning before it, which had been sent without
//
// Members without a value are left out. The digit is the version. No provider's own state begins like that:
// Anthropic's and Gemini's are base64 of protocol buffers, which cannot begin with the byte "l" (it would end a
// group), OpenAI's begins with "gAAAA". It is base64 because Gemini's SDK for Python turns signatures into bytes
// and back, which also changes the alphabet and the padding.
//
// An envelope is not encrypted and not authenticated: the provider that made the state has done both. A caller who
// changes one gains nothing that it could not send as a state.
package reasoning

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An Envelope is a state on its way through a caller. Its zero value stands for reasoning that nobody signed.
type Envelope struct {
	State chat.ReasoningState
	Call  string
	Late  bool
}

// MaxSize is the most bytes of an envelope's text that Decode reads. The largest states are encrypted reasoning, of
// which providers give some 100 kB.
const MaxSize = 4 << 20

const (
	version = '2'
	magic   = "llmgw" // before the version
	// magicBase64 begins the base64 of the magic with any digit behind it.
	magicBase64 = "bGxtZ3c"
)

// Envelopes of version 1 had a form for each dialect. Callers hold them as long as they keep their conversations.
const (
	anthropicV1 = "llm-gateway:" // and the base64 of an object, or nothing
	responsesV1 = "llmgw1."      // and the base64 of an object
	geminiV1    = "bGxtZzF7"     // the base64 of "llmg1" and the brace of an object
)

// IsEnvelope says whether the text is an envelope of any version, readable or not, rather than a provider's own
// state.
func IsEnvelope(text string) bool {
	return strings.HasPrefix(text, magicBase64) || strings.HasPrefix(text, geminiV1) ||
		strings.HasPrefix(text, anthropicV1) || strings.HasPrefix(text, responsesV1)
}

// Encode returns the envelope's text.
func (e Envelope) Encode() string {
	s := &e.State
	object, err := json.Marshal(struct {
		ID        string `json:"id,omitempty"`
		Signature string `json:"signature,omitempty"`
		Redacted  string `json:"redacted,omitempty"`
		Encrypted string `json:"encrypted,omitempty"`
		Format    string `json:"format,omitempty"`
		Index     int    `json:"index,omitempty"`
		Summary   bool   `json:"summary,omitempty"`
		Call      string `json:"call,omitempty"`
		Late      bool   `json:"late,omitempty"`
	}{s.ID, s.Signature, s.Redacted, s.Encrypted, s.Format, s.Index, s.Summary, e.Call, e.Late})
	if err != nil {
		panic(err) // strings, numbers and booleans can always be written
	}
	return base64.StdEncoding.EncodeToString(append([]byte(magic+string(version)), object...))
}

// ErrDamaged means that a text is no envelope, or not one as it was made.
var ErrDamaged = errors.New("the reasoning state is damaged")

// Decode reads an envelope of any version. The error is ErrDamaged.
func Decode(text string) (Envelope, error) {
	object, ok := objectOf(text)
	if !ok {
		return Envelope{}, ErrDamaged
	}
	if len(object) == 0 {
		return Envelope{}, nil // version 1 of Anthropic's, without a state
	}
	root, err := jsonx.Parse(object, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object {
		return Envelope{}, ErrDamaged
	}
	var e Envelope
	for m := root.First(); m.Exists(); m = m.Next() {
		if !e.member(m) {
			return Envelope{}, ErrDamaged
		}
	}
	return e, nil
}

// objectOf returns the JSON that an envelope holds.
func objectOf(text string) (object []byte, ok bool) {
	if len(text) > MaxSize {
		return nil, false
	}
	if rest, ok := strings.CutPrefix(text, anthropicV1); ok {
		return decodeBase64(rest)
	}
	if rest, ok := strings.CutPrefix(text, responsesV1); ok {
		object, ok = decodeBase64(rest)
		return object, ok && len(object) > 0
	}
	data, ok := decodeBase64(text)
	for _, before := range [...]string{magic + string(version), "llmg1"} {
		if object, is := strings.CutPrefix(string(data), before); ok && is {
			return []byte(object), object != ""
		}
	}
	return nil, false
}

// decodeBase64 reads base64 in either alphabet, padded or not.
func decodeBase64(text string) ([]byte, bool) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	return data, err == nil
}

// member reads a member of the object; false if its value is of another kind than it should be. Behind the name of
// this version stand those of version 1: Anthropic's of one letter, Gemini's of three. Members that are not known
// are left out.
func (e *Envelope) member(m jsonx.Value) bool {
	switch s := &e.State; string(m.Key()) {
	case "id", "i":
		return readString(&s.ID, m)
	case "signature", "s", "sig":
		return readString(&s.Signature, m)
	case "redacted", "r", "red":
		return readString(&s.Redacted, m)
	case "encrypted", "e", "enc":
		return readString(&s.Encrypted, m)
	case "format", "f", "fmt":
		return readString(&s.Format, m)
	case "call", "c":
		return readString(&e.Call, m)
	case "index", "x", "idx":
		n, ok := m.Int64()
		s.Index = int(n)
		return ok
	case "summary", "m", "sum":
		return readBool(&s.Summary, m)
	case "late":
		return readBool(&e.Late, m)
	}
	return true
}

func readString(to *string, m jsonx.Value) bool {
	*to = m.Str()
	return m.Kind() == jsonx.String
}

func readBool(to *bool, m jsonx.Value) (ok bool) {
	*to, ok = m.Bool()
	return ok
}
