//go:build !windows

package vercel

import (
	"encoding/json"
	"io/fs"
	"mime"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// output is a folder in the Build Output API's form (vercel.com/docs/build-output-api), and what
// Vercel's proxy does with it: the route table, the static files, the functions.
type output struct {
	dir       string
	functions map[string]function // by path: /api/chat
	phases    map[string][]*rule
	crons     []string
}

type function struct {
	dir                       string
	Runtime                   string
	MaxDuration               int
	SupportsResponseStreaming bool
}

type rule struct {
	Handle, Src, Dest string
	Status            int
	Continue          bool
	Headers           map[string]string
	Transforms        []struct{ Type, Args string }

	match, except *regexp.Regexp
}

func readOutput(t *testing.T, dir string) *output {
	t.Helper()
	o := &output{dir: dir, functions: map[string]function{}, phases: map[string][]*rule{}}
	var config struct {
		Routes []*rule
		Crons  []struct{ Path string }
	}
	readJSON(t, filepath.Join(dir, "config.json"), &config)
	for _, c := range config.Crons {
		o.crons = append(o.crons, c.Path)
	}
	phase := ""
	for _, r := range config.Routes {
		if r.Handle != "" {
			phase = r.Handle
			continue
		}
		r.compile(t)
		o.phases[phase] = append(o.phases[phase], r)
	}
	err := filepath.WalkDir(filepath.Join(dir, "functions"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".func") {
			return err
		}
		f := function{dir: name}
		readJSON(t, filepath.Join(name, ".vc-config.json"), &f)
		at, _ := filepath.Rel(filepath.Join(dir, "functions"), strings.TrimSuffix(name, ".func"))
		o.functions["/"+filepath.ToSlash(at)] = f
		return fs.SkipDir
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// compile splits a pattern with one negative look-ahead, which Go's regular expressions do not have,
// into what has to match and what must not.
func (r *rule) compile(t *testing.T) {
	t.Helper()
	src := r.Src
	if before, rest, found := strings.Cut(src, "(?!"); found {
		end := closing(rest)
		if end < 0 {
			t.Fatalf("the pattern %s is malformed", src)
		}
		inner, after := rest[:end], rest[end+1:]
		if strings.Contains(after, "(?!") || strings.Contains(inner, "(?!") {
			t.Fatalf("the pattern %s is beyond this test", src)
		}
		open := strings.Count(before, "(") - strings.Count(before, ")")
		r.except = regexp.MustCompile(before + "(?:" + inner + ")" + strings.Repeat(")", open))
		src = before + after
	}
	r.match = regexp.MustCompile(src)
}

// closing returns the index of the parenthesis that closes the group in which the pattern begins; -1 if there is none.
func closing(pattern string) int {
	depth := 1
	for i, b := range pattern {
		switch b {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// found is the file or function that answers a request.
type found struct {
	fn     *function
	file   string
	status int // if there is neither
	// url is the URL that the function sees: the requested path, and the query with the additions of rewrites.
	url    string
	header map[string]string
}

func (o *output) route(sent string) found {
	u, _ := url.Parse(sent)
	f := found{header: map[string]string{}, status: 404}
	seen, query := u.EscapedPath(), u.RawQuery
	apply := func(rules []*rule) bool {
		for _, r := range rules {
			groups := r.match.FindStringSubmatchIndex(u.Path)
			if groups == nil || r.except != nil && r.except.MatchString(u.Path) {
				continue
			}
			expand := func(s string) string { return string(r.match.ExpandString(nil, braced(s), u.Path, groups)) }
			for name, value := range r.Headers {
				f.header[name] = expand(value)
			}
			for _, change := range r.Transforms {
				if change.Type == "request.path" {
					seen = expand(change.Args)
				}
			}
			if r.Dest != "" {
				dest, added, _ := strings.Cut(expand(r.Dest), "?")
				if query = strings.Trim(query+"&"+added, "&"); o.hit(dest, &f) {
					return true
				}
			}
			if r.Continue {
				continue
			}
			if r.Status != 0 {
				f.status = r.Status
			}
			return true
		}
		return false
	}
	if !apply(o.phases[""]) && !o.hit(u.Path, &f) {
		apply(o.phases["filesystem"])
	}
	if f.url = seen; query != "" {
		f.url += "?" + query
	}
	return f
}

// braced writes $1 as Go reads it whatever follows.
func braced(s string) string { return regexp.MustCompile(`\$(\d+)`).ReplaceAllString(s, `$${$1}`) }

// hit reports whether a path is a function's or a file's.
func (o *output) hit(at string, f *found) bool {
	if fn, ok := o.functions[at]; ok {
		f.fn = &fn
		return true
	}
	at = path.Clean(at)
	for _, name := range []string{at, path.Join(at, "index.html")} {
		name = filepath.Join(o.dir, "static", filepath.FromSlash(name))
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			f.file = name
			return true
		}
	}
	return false
}

// serve is the CDN's answer with a file.
func (f found) serve(t *testing.T) answer {
	t.Helper()
	body, err := os.ReadFile(f.file)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: 200, header: map[string][]string{"Content-Type": {mime.TypeByExtension(filepath.Ext(f.file))}},
		body: string(body), pieces: 1}
	for name, value := range f.header {
		a.header.Set(name, value)
	}
	return a
}
