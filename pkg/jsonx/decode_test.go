package jsonx_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

type limits struct {
	Daily    jsonx.Optional[int64]  `json:"dailyLimit"`
	Model    jsonx.Optional[string] `json:"defaultModel"`
	Untagged int
}

type body struct {
	Email  string            `json:"email" jsonx:"required"`
	Admin  bool              `json:"admin"`
	Name   *string           `json:"name,omitempty"`
	Small  int8              `json:"small"`
	Ratio  float64           `json:"ratio"`
	Models []string          `json:"allowedModels"`
	Labels map[string]string `json:"labels"`
	Nested []struct {
		Content string `json:"content" jsonx:"required"`
	} `json:"nested"`
	Raw    json.RawMessage `json:"raw"`
	When   time.Time       `json:"when"`
	Hidden string          `json:"-"`
	limits
}

func TestDecode(t *testing.T) {
	var got body
	err := jsonx.Decode([]byte(` {"email":"a@b.c","admin":true,"name":"N","small":-128,"ratio":0.5,"allowedModels":["x","y*"],
		"labels":{"k":"v"},"nested":[{"content":"c"}],"raw":{"a": [1]},"when":"2026-11-24T00:00:00Z","dailyLimit":null,"defaultModel":"m","Untagged":3}`), &got)
	if err != nil {
		t.Fatal(err)
	}
	name := "N"
	want := body{Email: "a@b.c", Admin: true, Name: &name, Small: -128, Ratio: 0.5, Models: []string{"x", "y*"},
		Labels: map[string]string{"k": "v"}, Raw: json.RawMessage(`{"a":[1]}`), When: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	want.Nested = append(want.Nested, struct {
		Content string `json:"content" jsonx:"required"`
	}{"c"})
	want.Daily = jsonx.Optional[int64]{Set: true, Null: true}
	want.Model = jsonx.Optional[string]{Set: true, Value: "m"}
	want.Untagged = 3
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeNulls(t *testing.T) {
	name := "x"
	got := body{Name: &name, Models: []string{"x"}, Labels: map[string]string{"x": "y"}}
	if err := jsonx.Decode([]byte(`{"email":"e","allowedModels":null,"labels":null,"raw":null}`), &got); err != nil {
		t.Fatal(err)
	}
	if got.Models != nil || got.Labels != nil || got.Raw != nil || got.Daily.Set {
		t.Errorf("%+v", got)
	}
}

func issues(t *testing.T, err error) []fault.Issue {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Validation {
		t.Fatalf("no validation error: %v", err)
	}
	return e.Details.(map[string]any)["issues"].([]fault.Issue)
}

func TestDecodeIssues(t *testing.T) {
	for in, want := range map[string][][2]string{
		``:                                  {{"", "malformed JSON: the text is empty (at byte 0)"}},
		`[]`:                                {{"", "expected an object, got an array"}},
		`{}`:                                {{"email", "required"}},
		`{"email":"e","email":"f"}`:         {{"email", "the member is there twice"}},
		`{"Email":"e","email":"e"}`:         {{"Email", `unknown field; did you mean "email"?`}},
		`{"email":"e","role":"admin"}`:      {{"role", "unknown field"}},
		`{"email":"e","allowed_models":[]}`: {{"allowed_models", `unknown field; did you mean "allowedModels"?`}},
		`{"email":1,"admin":"yes","ratio":[],"labels":[],"nested":{}}`: {{"email", "expected a string, got a number"}, {"admin", "expected a boolean, got a string"}, {"ratio", "expected a number, got an array"}, {"labels", "expected an object, got an array"}, {"nested", "expected an array, got an object"}},
		`{"email":null}`:                                                    {{"email", "expected a string, got null"}},
		`{"email":"e","small":128}`:                                         {{"small", "the number is out of range"}},
		`{"email":"e","small":1.5}`:                                         {{"small", "expected a whole number of at most 64 bits, got 1.5"}},
		`{"email":"e","dailyLimit":99999999999999999999}`:                   {{"dailyLimit", "expected a whole number of at most 64 bits, got 99999999999999999999"}},
		`{"email":"e","ratio":1e999}`:                                       {{"ratio", "the number 1e999 is out of range"}},
		`{"email":"e","nested":[{"content":"x"},{},{"content":{"a":"b"}}]}`: {{"nested[1].content", "required"}, {"nested[2].content", "expected a string, got an object"}},
		`{"email":"e","allowedModels":["a",2,null]}`:                        {{"allowedModels[1]", "expected a string, got a number"}, {"allowedModels[2]", "expected a string, got null"}},
		`{"email":"e"} {}`:                                                  {{"", "malformed JSON: expected the end, got '{' (at byte 14)"}},
		`{"email":"e","labels":{"a":"b","c":3}}`:                            {{"labels.c", "expected a string, got a number"}},
		"{\"email\":\"\xff\"}":                                              {{"email", "malformed JSON: the text is not valid UTF-8 (at byte 10)"}},
		`{"email":"e","hidden":"x","limits":{}}`:                            {{"hidden", "unknown field"}, {"limits", "unknown field"}},
	} {
		var b body
		var got [][2]string
		for _, issue := range issues(t, jsonx.Decode([]byte(in), &b)) {
			got = append(got, [2]string{issue.Path, issue.Message})
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", in, got, want)
		}
	}
	var b body
	if err := jsonx.Decode([]byte(`{"email":"e","when":"yesterday"}`), &b); issues(t, err)[0].Path != "when" {
		t.Error(err)
	}
}

func TestDecodeKeepsFewIssues(t *testing.T) {
	var b body
	err := jsonx.Decode([]byte(`{"email":"e","allowedModels":[`+strings.Repeat("1,", 100_000)+`1]}`), &b)
	if n := len(issues(t, err)); n != jsonx.MaxIssues {
		t.Errorf("%d issues", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"email":"e","small":1,"nested":[{"content":"c"}],"dailyLimit":null}`))
	f.Add([]byte(`{"email":"e","labels":{"a":1}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var b body
		err := jsonx.Decode(in, &b)
		if err != nil {
			if len(issues(t, err)) == 0 {
				t.Fatal("an error without issues")
			}
			return
		}
		// What is accepted must be JSON to encoding/json, too.
		if !json.Valid(in) {
			t.Fatal("accepted malformed JSON")
		}
	})
}
