package config

import (
	"fmt"
	"strings"
)

// Problem is one problem of the configuration. It never contains a variable's value.
type Problem struct {
	Variable string // the name to look for, such as JWT_SECRET
	Wrong    string // what is wrong, as text that follows the name: "is not set"
	Fix      string // what to do, an imperative: "set it to the output of …"
}

func (p Problem) String() string { return fmt.Sprintf("%s %s; %s", p.Variable, p.Wrong, p.Fix) }

// Error lists all problems of the configuration, in the order of Variables.
type Error struct {
	Problems []Problem // never empty
}

// Error writes one line per problem after a line that counts them.
func (e *Error) Error() string {
	var b strings.Builder
	if len(e.Problems) == 1 {
		b.WriteString("the configuration has a problem:")
	} else {
		fmt.Fprintf(&b, "the configuration has %d problems:", len(e.Problems))
	}
	for _, p := range e.Problems {
		b.WriteString("\n  ")
		b.WriteString(p.String())
	}
	return b.String()
}
