package jsonx_test

import (
	"testing"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func TestAppendMembersAndElements(t *testing.T) {
	out := jsonx.AppendString(jsonx.AppendEscapedMember([]byte("{"), "a\"b"), "c\n")
	out = jsonx.AppendStringMember(out, "s", "\"")
	out = jsonx.AppendIntMember(out, "n", -1)
	out = append(jsonx.AppendMember(out, "list"), '[')
	out = append(jsonx.AppendElement(out), '1')
	out = append(jsonx.AppendElement(out), '2')
	out = append(out, "]}"...)
	if want := `{"a\"b":"c\n","s":"\"","n":-1,"list":[1,2]}`; string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
}
