package auth

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/alicetears/llm-gateway/pkg/redact"
)

// redacted stands wherever a secret would have been shown.
const redacted = redact.Mark

// Secret is a string that can only be read on purpose, with Reveal. Printed, logged or encoded in any way it is
// "[redacted]". The zero value is empty.
//
// It holds a pointer because fmt does not call methods on unexported fields: a plain string type would be printed as it
// is when it sits in another package's unexported field; of a pointer, fmt prints the address.
type Secret struct {
	value *string
}

// NewSecret wraps value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is nothing to hide.
func (s Secret) Empty() bool { return s.value == nil }

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool { return EqualSecret(s.Reveal(), other.Reveal()) }

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { f.Write([]byte(redacted)) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalJSON reads a JSON string, so that a request's field can be a Secret from the moment it is decoded. The error
// never quotes the input.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var value string
	if err := json.Unmarshal(data, &value); err != nil {
		return fmt.Errorf("must be a string")
	}
	*s = NewSecret(value)
	return nil
}

// UnmarshalText takes the text as the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
