package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// maxFileSize bounds what is read from a NAME_FILE, in bytes.
const maxFileSize = 64 << 10

// reader reads variables and collects what is wrong with them. Its methods return the zero value after a problem, which
// is harmless because Load then returns no Config.
type reader struct {
	env       func(string) (string, bool)
	platform  Platform
	variables map[string]Variable
	order     []string
	shown     map[string]string
	problems  []Problem
}

// state distinguishes a missing variable from one whose file cannot be read, so that the latter is not reported
// a second time as missing.
type state int

const (
	unset state = iota
	set
	broken
)

func newReader(env func(string) (string, bool), platform Platform) *reader {
	r := &reader{env: env, platform: platform, variables: map[string]Variable{}, shown: map[string]string{}}
	for _, v := range Variables() {
		r.variables[v.Name] = v
		r.order = append(r.order, v.Name)
	}
	return r
}

func (r *reader) problem(variable, wrong, fix string) {
	r.problems = append(r.problems, Problem{Variable: variable, Wrong: wrong, Fix: fix})
}

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return r.position(a.Variable) - r.position(b.Variable) })
	return &Error{Problems: r.problems}
}

func (r *reader) position(variable string) int {
	if i := slices.Index(r.order, variable); i >= 0 {
		return i
	}
	return slices.Index(r.order, strings.TrimSuffix(variable, "_FILE"))
}

// lookup returns what the operator set, without any default.
func (r *reader) lookup(name string) (string, state) {
	v, known := r.variables[name]
	if !known {
		panic("config: " + name + " is missing from Variables")
	}
	value := r.trimmed(name)
	if v.HasFile() {
		path := r.trimmed(name + "_FILE")
		switch {
		case value != "" && path != "":
			r.problem(name, "and "+name+"_FILE are both set", "keep one of them")
			return "", broken
		case path != "":
			return r.file(v, path)
		}
	}
	if value == "" {
		r.show(v, "", "")
		return "", unset
	}
	r.show(v, value, "")
	return value, set
}

func (r *reader) trimmed(name string) string {
	value, _ := r.env(name)
	return strings.TrimSpace(value)
}

// file reads a NAME_FILE. The problem does not contain the path either: the operator may have put the secret itself there.
func (r *reader) file(v Variable, path string) (string, state) {
	name := v.Name + "_FILE"
	f, err := os.Open(path)
	if err != nil {
		r.problem(name, "names a file that cannot be opened ("+reason(err)+")", "check the path and its permissions")
		return "", broken
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	value := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		r.problem(name, "names a file that cannot be read ("+reason(err)+")", "check the path and its permissions")
	case len(data) > maxFileSize:
		r.problem(name, "names a file of more than 64 KB", "check the path")
	case value == "":
		r.problem(name, "names an empty file", "write the value into it")
	default:
		r.show(v, value, " (from a file)")
		return value, set
	}
	return "", broken
}

// reason returns the error's text without the path.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// show stores how a variable is printed.
func (r *reader) show(v Variable, value, origin string) {
	switch {
	case value == "" && v.Kind == Plain:
		r.shown[v.Name] = v.DefaultFor(r.platform)
	case value == "":
		r.shown[v.Name] = "not set"
	case v.Kind == SecretValue:
		r.shown[v.Name] = "set" + origin
	case v.Kind == SecretURL:
		r.shown[v.Name] = withoutCredentials(value) + origin
	default:
		r.shown[v.Name] = value
	}
}

// text returns the value or the default.
func (r *reader) text(name string) string {
	if value, st := r.lookup(name); st == set {
		return value
	}
	return r.variables[name].DefaultFor(r.platform)
}

// first returns the first of several variables that is set, and its name.
func (r *reader) first(names ...string) (value, name string, st state) {
	for _, n := range names {
		v, s := r.lookup(n) // all are looked up, so that problems and listing are complete
		if st == unset && s != unset {
			value, name, st = v, n, s
		}
	}
	return value, name, st
}

// items splits a list at its commas and drops empty entries.
func items(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

func (r *reader) choice(name string, allowed ...string) string {
	value := strings.ToLower(r.text(name))
	if !slices.Contains(allowed, value) {
		r.problem(name, "is not a known value", "set it to "+orList(allowed))
		return ""
	}
	return value
}

func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (r *reader) integer(name string, low, high int) int {
	n, err := strconv.Atoi(r.text(name))
	if err != nil || n < low || n > high {
		r.problem(name, "is not a whole number in its range",
			fmt.Sprintf("set it to a number from %d to %d", low, high))
		return 0
	}
	return n
}
