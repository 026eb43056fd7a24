package dialecttest

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// PassesThrough encodes the request and passes it through for another model. It fails if the result differs in more
// than the model. The client must have no rules.
func PassesThrough(t testing.TB, client dialect.Passthrough, server dialect.Server, req *chat.Request) {
	t.Helper()
	encoded, err := client.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	// White space and unknown members survive.
	in := append([]byte("\n { \"x_unknown\" : [ 1e0, {\"y\":\"\\u0061\"} ] ,"), encoded.Body[1:]...)
	decoded, _, err := server.DecodeRequest(in)
	if err != nil {
		t.Fatalf("%v in %s", err, in)
	}
	decoded.Model = "another/\"m\""
	model := func(name string) []byte {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte(`"model":`), quoted...)
	}
	want := bytes.Replace(in, model(req.Model), model(decoded.Model), 1)
	got, ok := client.PassthroughRequest(in, decoded, nil)
	if !ok || !bytes.Equal(got.Body, want) || len(got.Warnings) > 0 {
		t.Fatalf("%v %q\n got %s\nwant %s", ok, got.Warnings, got.Body, want)
	}
}
