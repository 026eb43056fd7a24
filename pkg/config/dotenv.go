package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

// maxDotEnvSize bounds a .env file, in bytes.
const maxDotEnvSize = 1 << 20

// DotEnvError says where a .env file is wrong. It never contains the file's text, which may be a secret.
type DotEnvError struct {
	Line  int // from 1
	Wrong string
}

func (e *DotEnvError) Error() string { return fmt.Sprintf("line %d %s", e.Line, e.Wrong) }

// WithDotEnv returns a lookup that reads env first and the file at path second. A variable in env wins even if it is
// empty, and a NAME in env also wins over a NAME_FILE in the file, and the reverse. A missing file changes nothing.
func WithDotEnv(env func(string) (string, bool), path string) (func(string) (string, bool), error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return env, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the environment file: %w", err)
	}
	defer f.Close()
	values, err := ParseDotEnv(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return func(name string) (string, bool) {
		if value, found := env(name); found {
			return value, true
		}
		other, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile {
			other = name + "_FILE"
		}
		if _, found := env(other); found {
			return "", false
		}
		value, found := values[name]
		return value, found
	}, nil
}

// ParseDotEnv reads a .env file:
//
//	# a comment
//	NAME=value                    # a comment, after white space
//	export NAME=value
//	NAME='as it is, $HOME and \n too'
//	NAME="with \n, \r, \t, \", \$ and \\"
//	NAME="over
//	several lines"
//
// Nothing is expanded. White space around an unquoted value is dropped. A name that is set twice is an error, because
// programs disagree about which one counts. The error is a *DotEnvError, or that of reading.
func ParseDotEnv(r io.Reader) (map[string]string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDotEnvSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxDotEnvSize {
		return nil, errors.New("is larger than 1 MB")
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	p := &dotEnvParser{rest: text, line: 1, values: map[string]string{}, lines: map[string]int{}}
	for p.rest != "" {
		if err := p.statement(); err != nil {
			return nil, err
		}
	}
	return p.values, nil
}

type dotEnvParser struct {
	rest   string
	line   int // of rest's first byte
	values map[string]string
	lines  map[string]int // where each name was set
}

// statement reads one line, or the lines that a quoted value spans.
func (p *dotEnvParser) statement() error {
	start := p.line
	fail := func(wrong string) error { return &DotEnvError{Line: start, Wrong: wrong} }

	line, after, _ := strings.Cut(p.rest, "\n")
	if !utf8.ValidString(line) || strings.Contains(line, "\x00") {
		return fail("is not text in UTF-8")
	}
	trimmed := strings.TrimLeft(line, " \t")
	if strings.TrimSpace(trimmed) == "" || trimmed[0] == '#' {
		p.rest, p.line = after, p.line+1
		return nil
	}
	if name, found := strings.CutPrefix(trimmed, "export"); found &&
		strings.HasPrefix(strings.TrimLeft(name, " \t"), "=") {
		// a variable named export
	} else if found && name != "" && strings.ContainsRune(" \t", rune(name[0])) {
		trimmed = strings.TrimLeft(name, " \t")
	}
	name, value, found := strings.Cut(trimmed, "=")
	if !found {
		return fail("has no = in it; write NAME=value")
	}
	name = strings.TrimRight(name, " \t")
	if !isVariableName(name) {
		return fail("does not begin with a variable's name (letters, digits and underscores)")
	}
	if first, twice := p.lines[name]; twice {
		return fail(fmt.Sprintf("sets %s a second time; it was set in line %d", name, first))
	}
	p.lines[name] = start

	value = strings.TrimLeft(value, " \t")
	if value == "" || (value[0] != '"' && value[0] != '\'') {
		p.values[name] = unquotedValue(line, value)
		p.rest, p.line = after, p.line+1
		return nil
	}
	// From here on the value may go on beyond this line.
	p.rest = p.rest[len(line)-len(value):]
	quoted, err := p.quotedValue(name)
	p.values[name] = quoted
	return err
}

func isVariableName(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// unquotedValue ends at a # that follows white space; line is the whole line, for the # right after "NAME= ".
func unquotedValue(line, value string) string {
	before := len(line) - len(value)
	for i := range len(value) {
		if value[i] == '#' && before+i > 0 && strings.IndexByte(" \t", line[before+i-1]) >= 0 {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

// quotedValue reads from the opening quote through the end of the line on which the value is closed.
func (p *dotEnvParser) quotedValue(name string) (string, error) {
	start, quote := p.line, p.rest[0]
	var value strings.Builder
	i := 1
	for ; i < len(p.rest) && p.rest[i] != quote; i++ {
		c := p.rest[i]
		if c == '\\' && quote == '"' && i+1 < len(p.rest) {
			if escaped, known := unescape(p.rest[i+1]); known {
				value.WriteByte(escaped)
				i++
				continue
			}
		}
		if c == '\n' {
			p.line++
		}
		value.WriteByte(c)
	}
	if i >= len(p.rest) {
		return "", &DotEnvError{Line: start, Wrong: fmt.Sprintf("opens a quote for %s that is never closed", name)}
	}
	if !utf8.ValidString(value.String()) || strings.Contains(value.String(), "\x00") {
		return "", &DotEnvError{Line: start, Wrong: "is not text in UTF-8"}
	}
	tail, after, _ := strings.Cut(p.rest[i+1:], "\n")
	if rest := strings.TrimSpace(tail); rest != "" && rest[0] != '#' {
		return "", &DotEnvError{Line: p.line, Wrong: fmt.Sprintf("goes on after the closing quote of %s", name)}
	}
	p.rest, p.line = after, p.line+1
	return value.String(), nil
}

func unescape(c byte) (byte, bool) {
	switch c {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case '"', '\\', '$':
		return c, true
	}
	return 0, false
}
