package auth

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/alicetears/llm-gateway/pkg/redact"
)

// redacted is shown in place of a secret.
const redacted = redact.Mark

// Secret is a string that only Reveal returns. Printed, logged or encoded it is "[redacted]". The zero value is empty.
//
// It holds a pointer because fmt does not call methods of values in unexported fields: there it would print a plain string
// type as it is. Of a pointer it prints the address.
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

// Reveal returns the secret.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether s is the empty string.
func (s Secret) Empty() bool { return s.value == nil }

// Equal reports whether s and other are the same and not empty, in constant time.
func (s Secret) Equal(other Secret) bool { return EqualSecret(s.Reveal(), other.Reveal()) }

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { f.Write([]byte(redacted)) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalJSON reads a JSON string, so that a field of a request can be a Secret. The error never quotes the input.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var value string
	if err := json.Unmarshal(data, &value); err != nil {
		return fmt.Errorf("must be a string")
	}
	*s = NewSecret(value)
	return nil
}

// UnmarshalText makes text the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
