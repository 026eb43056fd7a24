package dialecttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// An Exchange is a recorded request to a provider with its answer.
type Exchange struct {
	Request struct {
		URL  string
		Body []byte // nil if it was not recorded
	}
	Response struct {
		Status int
		Body   string
	}
	Truncated bool
}

// recorded is a body, which the recorder kept as text or parsed.
type recorded string

// UnmarshalJSON implements json.Unmarshaler for both.
func (r *recorded) UnmarshalJSON(data []byte) error {
	var s *string
	if json.Unmarshal(data, &s) != nil {
		*r = recorded(data)
	} else if s != nil {
		*r = recorded(*s)
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (x *Exchange) UnmarshalJSON(data []byte) error {
	var kept struct {
		Request struct {
			URL  string
			Body recorded
		}
		Response struct {
			Status int
			Body   recorded
		}
		Truncated bool `json:"truncated_middle"`
	}
	if err := json.Unmarshal(data, &kept); err != nil {
		return err
	}
	x.Request.URL, x.Response.Status, x.Response.Body, x.Truncated = kept.Request.URL, kept.Response.Status,
		string(kept.Response.Body), kept.Truncated
	if kept.Request.Body != "" {
		x.Request.Body = []byte(kept.Request.Body)
	}
	return nil
}

// Recordings returns the folder in RECORDINGS; without it the test is skipped.
func Recordings(t testing.TB) string {
	t.Helper()
	root := os.Getenv("RECORDINGS")
	if root == "" {
		t.Skip("RECORDINGS names no folder")
	}
	return root
}

// Exchanges are those of the providers in the folder (of all if none is named), recorded/PROVIDER/CASE.N.KIND.json, by PROVIDER/FILE. KIND is sse,
// json, or errNNN with the status.
func Exchanges(t testing.TB, providers ...string) map[string]Exchange {
	t.Helper()
	root := Recordings(t)
	if len(providers) == 0 {
		providers = []string{"*"}
	}
	all := map[string]Exchange{}
	for _, provider := range providers {
		names, err := filepath.Glob(filepath.Join(root, "recorded", provider, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			var x Exchange
			if err := json.Unmarshal(Read(t, name), &x); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all[filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name)] = x
		}
	}
	return all
}
