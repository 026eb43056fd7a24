package saved

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Signer proves that a log line is the gateway's own: a caller may bring a text of its choice into a log.
type Signer interface {
	SignRow(data []byte) []byte
	CheckRow(data, signature []byte) bool
}

// tokenPrefix begins a record in a log.
const tokenPrefix = "llmrow1."

var tokens = regexp.MustCompile(regexp.QuoteMeta(tokenPrefix) + `[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// Token returns a record as one word for a log line. It leaves out the trace and the record's statements: the
// reservation of a request whose record is logged counts as used.
func Token(r store.Record, s Signer) string {
	r.Trace, r.Statements = "", nil
	data, err := encode(r)
	if err != nil {
		return ""
	}
	encoding := base64.RawURLEncoding
	return tokenPrefix + encoding.EncodeToString(data) + "." + encoding.EncodeToString(s.SignRow(data))
}

// FindTokens returns the words of a log line that look like records.
func FindTokens(line string) []string { return tokens.FindAllString(line, -1) }

// ErrForeign is the error of a record that another installation, or nobody, has signed.
var ErrForeign = errors.New("it is not signed with the secret of this gateway")

// ParseToken returns the record of a word that [FindTokens] found.
func ParseToken(token string, s Signer) (store.Record, error) {
	body, signature, _ := strings.Cut(strings.TrimPrefix(token, tokenPrefix), ".")
	data, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return store.Record{}, fmt.Errorf("it is cut: %w", err)
	}
	sum, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !s.CheckRow(data, sum) {
		return store.Record{}, ErrForeign
	}
	return decode(data)
}
