package responses_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// passThrough decodes the body as the gateway does and passes it through for the model.
func passThrough(t testing.TB, in []byte, model string, rules *openai.Rules) (dialect.Encoded, bool) {
	t.Helper()
	req, _, err := new(responses.Server).DecodeRequest(in)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	sent := *req
	sent.Model = model
	return responses.Client{Rules: rules}.PassthroughRequest(in, &sent, nil)
}

func TestPassthroughChangesOnlyTheModel(t *testing.T) {
	codex, err := os.ReadFile("testdata/request/codex.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{
		strings.Replace(string(codex), "gpt-5-codex", "old", 1),
		`{"model":"old","input":"hi","store":false}`,
		`{"model":"old","input":[{"type":"hologram","x":1},{"role":"user","content":[{"type":"input_hologram","x":1},{"type":"computer_screenshot","image_url":"https://e.com/a"}]},{"type":"hologram_call","id":"h_1"},{"type":"hologram_call_output","call_id":"h"}],"store":false,"include":["reasoning.encrypted_content"]}`,
		"\r\n{ \"store\" : false ,\"x\":{\"y\":[1,2 ,3]}, \"input\" : [ {\"role\":\"user\", \"content\":[{\"text\":\"\\u0041\\/\",\"type\":\"input_text\",\"z\":0}] } ,\n{\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"annotations\":[],\"text\":\"\"}]}],\t\"model\" :\"old\",\"instructions\":null, \"temperature\":0.70,\"top_p\":1e-1 , \"max_output_tokens\":16.0,\"truncation\":\"auto\",\"background\":false,\"previous_response_id\":null,\"stream_options\":{\"include_obfuscation\":false},\"safety_identifier\":\"s\",\"prompt_cache_retention\":\"24h\",\"tools\":[{\"type\":\"file_search\",\"vector_store_ids\":[\"vs\"]}],\"tool_choice\":\"auto\",\"include\":[ \"file_search_call.results\" ],\"text\":{\"format\":{\"type\":\"text\"},\"verbosity\":\"low\"},\"service_tier\":null} \n",
		`{"input":[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},{"type":"web_search_call","id":"ws_1","status":"completed"},{"type":"compaction","id":"cmp_1","encrypted_content":"gAAAB"}],"store":false,"include":["reasoning.encrypted_content"],"reasoning":{"effort":"low","summary":"auto","x":1},"model":"old"}`,
	} {
		for _, model := range []string{"old", `new/"é"`} {
			enc, ok := passThrough(t, []byte(in), model, &openai.Rules{})
			want := strings.Replace(in, `"old"`, `"`+strings.ReplaceAll(model, `"`, `\"`)+`"`, 1)
			if !ok || string(enc.Body) != want || len(enc.Warnings) > 0 || enc.Path != "/responses" {
				t.Errorf("%v %q\n got %s\nwant %s", ok, enc.Warnings, enc.Body, want)
			}
		}
	}
}

func TestPassthroughEdits(t *testing.T) {
	model := func(m openai.ModelRules) openai.Rules {
		m.Match = func(string) bool { return true }
		return openai.Rules{CommonRules: dialect.CommonRules{Provider: "p"}, Models: []openai.ModelRules{m}}
	}
	reasoner := model(openai.ModelRules{Efforts: []string{"low", "high"}})
	plain := model(openai.ModelRules{})
	const dropped = "%s is not supported by p for this model: dropped"
	const sealed = `"include":["reasoning.encrypted_content"]`
	for _, c := range []struct {
		in       string // the members behind model and input
		rules    openai.Rules
		want     string
		warnings []string
	}{
		{`"x":1`, openai.Rules{}, `"x":1,"store":false`, nil},
		{`"store": true ,"x":1`, openai.Rules{}, `"store": false ,"x":1`, nil},
		{`"store":null`, openai.Rules{}, `"store":false`, nil},
		{`"store":true`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"store"}, Provider: "p"}}, ``, nil},
		{`"store":false`, reasoner, `"store":false,` + sealed, nil},
		{`"store":false,"include":null`, reasoner, `"store":false,` + sealed, nil},
		{`"store":false,"include":[ "a" ]`, reasoner, `"store":false,"include":["a","reasoning.encrypted_content"]`, nil},
		{`"store":false,"include":["reasoning.encrypted_content" ]`, reasoner, `"store":false,"include":["reasoning.encrypted_content" ]`, nil},
		{`"store":false,"reasoning":{"summary":"auto"}`, openai.Rules{}, `"store":false,"reasoning":{"summary":"auto"},` + sealed, nil},
		{`"store":false,` + sealed, plain, `"store":false`, nil},
		{`"store":false,"include":["reasoning.encrypted_content","a"]`, plain, `"store":false,"include":["a"]`, nil},
		{`"store":false,"include":["message.output_text.logprobs","a"],"top_logprobs":3`, model(openai.ModelRules{Drop: []string{"logprobs", "top_logprobs"}}), `"store":false,"include":["a"]`, []string{fmt.Sprintf(dropped, "top_logprobs"), fmt.Sprintf(dropped, "logprobs")}},
		{`"store":false,"include":["a"]`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"include"}, Provider: "p"}}, `"store":false`, []string{fmt.Sprintf(dropped, "include")}},
		{`"store":false,"reasoning": {"effort" : "max","x":[ ]},` + sealed, reasoner, `"store":false,"reasoning": {"effort" : "high","x":[ ]},` + sealed, []string{"reasoning effort max is not known to this model: changed to high"}},
		{`"store":false,"reasoning":{"effort":"low","summary":"auto"},` + sealed, model(openai.ModelRules{Drop: []string{"reasoning_effort"}}), `"store":false`, []string{"reasoning cannot be steered at p for this model: dropped"}},
		{`"store":false,"reasoning":{"summary":"auto"}`, model(openai.ModelRules{Drop: []string{"reasoning_effort"}}), `"store":false`, []string{"reasoning cannot be steered at p for this model: dropped"}},
		{`"store":false,"reasoning":{}`, model(openai.ModelRules{Drop: []string{"reasoning_effort"}}), `"store":false`, nil},
		{`"store":false,"temperature":2e0,"x":1`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Clamp: map[string]dialect.Range{"temperature": {Min: 0, Max: 1}}}}, `"store":false,"temperature":1,"x":1`, []string{"temperature is 2, but p takes 0 to 1: changed to 1"}},
		{`"store":false,"temperature":0.5,"top_p":0.5,"x":1`, model(openai.ModelRules{Drop: []string{"temperature", "top_p"}}), `"store":false,"x":1`, []string{fmt.Sprintf(dropped, "temperature"), fmt.Sprintf(dropped, "top_p")}},
		{`"store":false,"temperature":0.5,"reasoning":{"effort":"none"},` + sealed, model(openai.ModelRules{DropUnlessEffortNone: []string{"temperature"}, Efforts: []string{"none", "low"}}), `"store":false,"temperature":0.5,"reasoning":{"effort":"none"},` + sealed, nil},
		{`"store":false,"max_output_tokens" : 5`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p"}}, `"store":false,"max_output_tokens" : 16`, []string{"max_output_tokens is at least 16 at p: raised from 5"}},
		{`"store":false,"text":{"verbosity":"low","format":{"type":"text"}}`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"verbosity"}, Provider: "p"}}, `"store":false,"text":{"format":{"type":"text"}}`, []string{fmt.Sprintf(dropped, "verbosity")}},
		{`"store":false,"stop":["a"]`, model(openai.ModelRules{Drop: []string{"stop"}}), `"store":false`, []string{fmt.Sprintf(dropped, "stop")}},
		{`"store":false,"user":"u","seed":1`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Fields: []string{"model", "input", "store", "user_id"}, Rename: map[string]string{"user": "user_id"}}}, `"store":false,"user_id":"u"`, []string{fmt.Sprintf(dropped, "seed")}},
	} {
		const head = `{"model":"m","input":"hi"`
		enc, ok := passThrough(t, []byte(head+","+c.in+"}"), "m", &c.rules)
		want := strings.TrimSuffix(head+","+c.want, ",") + "}"
		if !ok || string(enc.Body) != want || !slices.Equal(enc.Warnings, c.warnings) {
			t.Errorf("%s: %v %q\n got %s\nwant %s", c.in, ok, enc.Warnings, enc.Body, want)
		}
	}
}

// What the rules force in the input has it written anew, and nothing beside it; what is refused does not pass.
func TestPassthroughEncodesAnew(t *testing.T) {
	said := `{"type":"message","role":"assistant","content":"a"}`
	for _, c := range []struct {
		name, in string // in are the members behind the model
		rules    openai.Rules
	}{
		{"an id of the gateway's", `"input":[{"type":"message","id":"msg_llm_x_0","role":"assistant","content":"a"}]`, openai.Rules{}},
		{"an envelope", `"input":[{"type":"reasoning","summary":[],"encrypted_content":"llmgw1.e30"},` + said + `]`, openai.Rules{}},
		{"reasoning that is not encrypted", `"input":[{"type":"reasoning","id":"rs_1","summary":[]},` + said + `]`, openai.Rules{}},
		{"reasoning that nothing follows", `"input":[{"type":"reasoning","summary":[],"encrypted_content":"gAAA"}]`, openai.Rules{}},
		{"reasoning that the user follows", `"input":[{"type":"reasoning","summary":[],"encrypted_content":"gAAA"},{"role":"user","content":"b"}]`, openai.Rules{}},
		{"a call's id that is too long", `"input":[{"type":"function_call","name":"f","arguments":"{}","call_id":"` + strings.Repeat("c", 65) + `"},{"type":"function_call_output","call_id":"` + strings.Repeat("c", 65) + `","output":"x"}]`,
			openai.Rules{CommonRules: dialect.CommonRules{Turns: dialect.TurnRules{CallIDs: dialect.CallIDs64}}}},
		{"a developer", `"input":[{"role":"developer","content":"a"}]`, openai.Rules{NoDeveloperRole: true}},
		{"an image", `"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://e.com/a"}]}]`, openai.Rules{NoImages: true}},
		{"a file in a result", `"input":[{"type":"function_call","name":"f","arguments":"{}","call_id":"c"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_file","file_id":"f"}]}]`, openai.Rules{Files: openai.FilesRefused}},
		{"audio", `"input":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]`, openai.Rules{}},
		{"an item that nobody knows", `"input":[{"type":"message","id":"msg_llm_x_0","role":"assistant","content":"a"},{"type":"hologram"}]`, openai.Rules{}},
		{"tools that are refused", `"input":"a","tools":[{"type":"web_search"}]`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"tools"}}}},
		{"a form that is refused", `"input":"a","text":{"format":{"type":"json_object"}}`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"response_format"}}}},
		{"a stream that is refused", `"input":"a","stream":true`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"stream"}}}},
	} {
		in := []byte(`{"model":"m","store":false,"instructions":"Be brief.","x":[ 1 ],` + c.in + `}`)
		req, _, err := new(responses.Server).DecodeRequest(in)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		anew, refused := responses.Client{Rules: &c.rules}.EncodeRequest(req)
		enc, ok := passThrough(t, in, "m", &c.rules)
		if ok != (refused == nil) || ok && !bytes.HasPrefix(enc.Body, []byte(`{"model":"m","store":false,"x":[ 1 ],`)) {
			t.Errorf("%s: %v, %v: %s", c.name, ok, refused, enc.Body)
		}
		if ok {
			dialecttest.SameMembers(t, enc.Body, anew.Body, "input", "instructions")
		}
	}
	if _, ok := (responses.Client{}).PassthroughRequest([]byte(`[]`), &chat.Request{}, nil); ok {
		t.Error("an array passes")
	}
}

func TestStreamPassthrough(t *testing.T) {
	for _, name := range []string{"everything", "refusal"} {
		in, err := os.ReadFile("testdata/stream/" + name + ".sse")
		if err != nil {
			t.Fatal(err)
		}
		p := responses.Client{}.NewStreamPassthrough(&chat.Request{})
		var want, got []byte
		r := sse.NewReader(bytes.NewReader(in), 0)
		for {
			event, data, err := r.Next()
			if err != nil {
				break
			}
			want = fmt.Appendf(want, "event: %s\ndata: %s\n\n", event, data)
			got = p.Append(got, event, data)
		}
		if len(got) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// What a provider of this dialect alone may know is an error where the request must be translated. A screenshot is an image.
func TestForeign(t *testing.T) {
	common := dialect.CommonRules{Provider: "p"}
	clients := map[string]dialect.Client{
		"openai":    openai.Client{Rules: &openai.Rules{CommonRules: common}},
		"anthropic": anthropic.Client{Rules: &anthropic.Rules{CommonRules: common}},
		"gemini":    gemini.Client{Rules: &gemini.Rules{CommonRules: common}},
		"responses": responses.Client{Rules: &openai.Rules{CommonRules: common}},
	}
	for in, want := range map[string]string{
		`{"input":["a",{"type":"hologram"}]}`:                                                         "",
		`{"input":[{"role":"user","content":"a"},{"type":"hologram"}]}`:                               `input[1].type: unknown type of item "hologram"`,
		`{"input":[{"role":"user","content":[{"type":"hologram"}]}]}`:                                 `input[0].content[0].type: unknown type of part "hologram"`,
		`{"input":[{"role":"system","content":[{"type":"hologram"}]},{"role":"user","content":"a"}]}`: `input[0].content[0].type: unknown type of part "hologram"`,
		`{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":[{"type":"hologram"}]}]}`: `input[1].output[0].type: unknown`,
	} {
		req, _, err := new(responses.Server).DecodeRequest([]byte(in))
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", in)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		for name, client := range clients {
			_, err := client.EncodeRequest(req)
			path, problem, _ := strings.Cut(want, ": ")
			var e *chat.Error
			if !errors.As(err, &e) || e.Class != chat.BadRequest || e.Param != path || !strings.Contains(e.Message, problem) {
				t.Errorf("%s, %s: %v", in, name, err)
			}
		}
	}
	// Nor is it forgotten behind many members that are only told of.
	many := `{`
	for i := range 40 {
		many += fmt.Sprintf(`"unheard_%d":1,`, i)
	}
	req, _, err := new(responses.Server).DecodeRequest([]byte(many + `"input":[{"role":"user","content":"a"},{"type":"hologram"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var e *chat.Error
	if _, err := (anthropic.Client{Rules: &anthropic.Rules{CommonRules: dialect.CommonRules{Provider: "p"}}}).EncodeRequest(req); !errors.As(err, &e) || e.Param != "input[1].type" {
		t.Errorf("behind many others: %v", err)
	}
	req, _, err = new(responses.Server).DecodeRequest([]byte(`{"input":[{"role":"user","content":[{"type":"computer_screenshot","image_url":"data:image/png;base64,QQ==","file_id":null}]}]}`))
	if err != nil || len(req.Foreign) > 0 || req.Messages[0].Parts[0].Kind != chat.Image || req.Messages[0].Parts[0].Media.Data != "QQ==" {
		t.Errorf("%v %v", req, err)
	}
}

func TestEncodedRequestPassthrough(t *testing.T) {
	var requests []*chat.Request
	for pattern, server := range map[string]dialect.Server{"testdata/request/*.json": new(responses.Server), "../openai/testdata/request/*.json": new(openai.Server)} {
		for _, name := range dialecttest.Inputs(t, "../"+pattern) {
			req, _, err := server.DecodeRequest(dialecttest.Read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			requests = append(requests, req)
		}
	}
	n := 0
	for _, req := range requests {
		if _, err := (responses.Client{}).EncodeRequest(req); err == nil {
			dialecttest.PassesThrough(t, responses.Client{}, new(responses.Server), req)
			n++
		}
	}
	if n < 4 {
		t.Errorf("only %d requests can be encoded", n)
	}
}
