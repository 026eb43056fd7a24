package jsonx

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
)

// MaxIssues is how many issues a Report keeps, so that a hostile body cannot make
// an answer of a million lines.
const MaxIssues = 32

// Report collects what is wrong with a caller's body. The zero value is ready.
type Report struct {
	issues fault.Issues
}

// Add notes an issue at the value.
func (r *Report) Add(at Value, format string, args ...any) {
	if !r.Full() {
		r.issues.Add(at.Path(), format, args...)
	}
}

// AddMember notes an issue at the object's member of that name, which need not be there.
func (r *Report) AddMember(object Value, name, format string, args ...any) {
	if !r.Full() {
		r.issues.Add(object.Member(name), format, args...)
	}
}

// Full reports whether the report keeps no more issues.
func (r *Report) Full() bool { return len(r.issues) >= MaxIssues }

// Err returns nil if there are no issues, else a *fault.Error of code Validation.
func (r *Report) Err() error { return r.issues.Err() }

// Expected notes that the value is of the wrong kind; want is such as "a string".
func (r *Report) Expected(at Value, want string) {
	r.Add(at, "expected %s, got %s", want, at.Kind())
}

// Syntax returns the *fault.Error of code Validation for an error of Parse.
func Syntax(err error) error {
	var se *SyntaxError
	if !errors.As(err, &se) {
		return err
	}
	var issues fault.Issues
	if se.wellFormed {
		issues.Add(se.Path, "%s", se.Msg)
	} else {
		issues.Add(se.Path, "malformed JSON: %s (at byte %d)", se.Msg, se.Offset)
	}
	return issues.Err()
}

// Unknown notes that the object has no member of m's name, and which of the known
// names was probably meant: one that differs by case, underscores or hyphens.
func (r *Report) Unknown(m Value, known func(yield func(string) bool)) {
	r.Add(m, "%s", UnknownField(m, known))
}

// UnknownField returns the message of Unknown.
func UnknownField(m Value, known func(yield func(string) bool)) string {
	key := string(m.Key())
	for name := range known {
		if fold(name) == fold(key) {
			return fmt.Sprintf("unknown field; did you mean %q?", name)
		}
	}
	return "unknown field"
}

func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}
