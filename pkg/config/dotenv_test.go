package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseDotEnv(t *testing.T) {
	const text = "\ufeff# a comment\r\n" + `
A=plain
  B = spaced value   # comment
C=with#hash and # comment
D=
E= # only a comment
export F=exported
export	G='single $HOME \n "x"' # after
H="escapes \n \t \" \\ \$ \q"
I="over
two # lines
"
J='over
three

lines'   
K=a=b==
L=it's "quoted" inside
export=yes
_m1=x
N=""
O=''
exported=1
P=#hash
`
	want := map[string]string{
		"A": "plain", "B": "spaced value", "C": "with#hash and", "D": "", "E": "", "F": "exported", "G": `single $HOME \n "x"`,
		"H": "escapes \n \t \" \\ $ \\q", "I": "over\ntwo # lines\n", "J": "over\nthree\n\nlines", "K": "a=b==", "L": `it's "quoted" inside`,
		"export": "yes", "_m1": "x", "N": "", "O": "", "exported": "1", "P": "#hash",
	}
	for name, text := range map[string]string{"LF": text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "no end": strings.TrimSuffix(text, "\n")} {
		got, err := ParseDotEnv(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for key := range want {
			if got[key] != want[key] {
				t.Errorf("%s: %s is %q, want %q", name, key, got[key], want[key])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d variables, want %d: %q", name, len(got), len(want), got)
		}
	}
}

func TestDotEnvErrors(t *testing.T) {
	for text, want := range map[string]DotEnvError{
		"A=1\nleak\n":                      {2, "has no = in it"},
		"export leak":                      {1, "has no = in it"},
		"=leak":                            {1, "variable's name"},
		"1A=leak":                          {1, "variable's name"},
		"A-B=leak":                         {1, "variable's name"},
		"A B=leak":                         {1, "variable's name"},
		"\n\nA=leak1\n#\nA=leak2":          {5, "sets A a second time; it was set in line 3"},
		"A='x\n\ny'\nB=\"leak":             {4, "opens a quote for B"},
		"A=1\nB='leak\nC=2\nD=3":           {2, "opens a quote for B"},
		"A='x\ny' leak":                    {2, "goes on after the closing quote of A"},
		"A='x'leak":                        {1, "goes on after"},
		"A=\xffleak":                       {1, "UTF-8"},
		"A=1\nB=\x00leak":                  {2, "UTF-8"},
		"A='leak\n\xff'":                   {1, "UTF-8"},
		"A=\"x\\\"":                        {1, "never closed"},
		"A='a\nb\nc'\n\nB=\"d\ne\"\n-leak": {7, "has no ="},
	} {
		values, err := ParseDotEnv(strings.NewReader(text))
		got, ok := errors.AsType[*DotEnvError](err)
		if !ok || values != nil || got.Line != want.Line || !strings.Contains(got.Wrong, want.Wrong) || strings.Contains(got.Error(), "leak") {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	if _, err := ParseDotEnv(strings.NewReader(strings.Repeat("#", maxDotEnvSize+1))); err == nil {
		t.Error("a huge file is read")
	}
}

func TestEnvironmentWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	text := "PORT=4000\nHOST=filehost\nJWT_SECRET=in the file\nREDIS_URL_FILE=/in/the/file\nLOG_LEVEL=debug\nSETUP_TOKEN=file\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env, err := WithDotEnv(lookup(map[string]string{
		"PORT": "5000", "LOG_LEVEL": "", "JWT_SECRET_FILE": "/in/the/environment", "REDIS_URL": "redis://env",
	}), path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{"PORT", "HOST", "JWT_SECRET", "JWT_SECRET_FILE", "REDIS_URL", "REDIS_URL_FILE", "LOG_LEVEL", "SETUP_TOKEN", "NOWHERE"} {
		if value, found := env(name); found {
			got[name] = value
		}
	}
	want := map[string]string{"PORT": "5000", "HOST": "filehost", "JWT_SECRET_FILE": "/in/the/environment", "REDIS_URL": "redis://env", "LOG_LEVEL": "", "SETUP_TOKEN": "file"}
	if !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}

	env, err = WithDotEnv(lookup(map[string]string{"PORT": "1"}), path+".missing")
	if err != nil {
		t.Fatal(err)
	}
	if value, found := env("PORT"); !found || value != "1" {
		t.Error("a missing file changes something")
	}
	if _, err := WithDotEnv(lookup(nil), filepath.Dir(path)); err == nil {
		t.Error("a folder was read")
	}
	if err := os.WriteFile(path, []byte("A=1\nleak"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := WithDotEnv(lookup(nil), path); err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "leak") {
		t.Errorf("%v", err)
	}
}

func FuzzParseDotEnv(f *testing.F) {
	for _, seed := range []string{"A=1", "export A='x\ny' # c\nB=\"\\n\\\"\"", "A=\r\nB = # c\n", "\ufeff#\nA='", "A=\"\\", "export =1", "A=1\nA=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := ParseDotEnv(strings.NewReader(text))
		if err != nil {
			if at, ok := errors.AsType[*DotEnvError](err); ok && (at.Line < 1 || at.Line > strings.Count(text, "\n")+1) {
				t.Errorf("%q: line %d", text, at.Line)
			}
			return
		}
		// What was read can be written and read again.
		var out strings.Builder
		escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "\r", `\r`)
		for name, value := range values {
			if !isVariableName(name) {
				t.Errorf("%q: the name %q", text, name)
			}
			out.WriteString("export " + name + `="` + escape.Replace(value) + "\" # c\n")
		}
		again, err := ParseDotEnv(strings.NewReader(out.String()))
		if err != nil || !maps.Equal(again, values) {
			t.Errorf("%q: %q, then %q (%v)", text, values, again, err)
		}
	})
}
