package anthropic_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// passThrough decodes the body as the gateway does and passes it through for the model.
func passThrough(t testing.TB, in []byte, model string, rules *anthropic.Rules) (dialect.Encoded, bool) {
	t.Helper()
	req, _, err := server().DecodeRequest(in)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	sent := *req
	sent.Model = model
	return anthropic.Client{Rules: rules}.PassthroughRequest(in, &sent, nil)
}

func adaptive(m anthropic.ModelRules) *anthropic.Rules {
	m.Match, m.Drop = always, []string{"temperature", "top_p", "top_k"}
	return &anthropic.Rules{CommonRules: dialect.CommonRules{Provider: "anthropic", Turns: words}, Models: []anthropic.ModelRules{m}}
}

func TestPassthroughChangesNothing(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "request/*.json") {
		in := dialecttest.Read(t, name)
		if name == "testdata/request/documents.json" {
			in = bytes.Replace(in, []byte(` "thinking": {"type": "enabled", "budget_tokens": 2000},`), nil, 1) // more than max_tokens
		}
		var model struct{ Model string }
		json.Unmarshal(in, &model)
		enc, ok := passThrough(t, in, model.Model, &anthropic.Rules{})
		if !ok || !bytes.Equal(enc.Body, in) || len(enc.Warnings) > 0 || enc.Path != "/v1/messages" {
			t.Errorf("%s: %v %q\n%s", name, ok, enc.Warnings, enc.Body)
		}
		enc, ok = passThrough(t, in, "new", &anthropic.Rules{})
		if want := bytes.Replace(in, []byte(`"`+model.Model+`"`), []byte(`"new"`), 1); !ok || !bytes.Equal(enc.Body, want) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, ok, enc.Body, want)
		}
	}
}

func TestPassthroughEdits(t *testing.T) {
	limit := func(string) int64 { return 100 }
	for _, c := range []struct {
		in, want string // the members behind the messages
		rules    *anthropic.Rules
		warning  string
	}{
		{`,"temperature":0.5,"x":{ }`, `,"x":{ }`, adaptive(anthropic.ModelRules{}), "temperature is not supported by anthropic for this model: dropped"},
		{`,"temperature":1.0,"top_p":null`, ``, adaptive(anthropic.ModelRules{}), ""},
		{`,"stream":true,"speed":"fast"`, `,"stream":true`, &anthropic.Rules{CommonRules: dialect.CommonRules{Provider: "p", Fields: []string{"model", "messages", "max_tokens", "stream"}}}, "speed is not supported by p for this model: dropped"},
		{`,"top_k":5`, `,"k":5`, &anthropic.Rules{CommonRules: dialect.CommonRules{Rename: map[string]string{"top_k": "k"}}}, ""},
		{`,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`, `,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`, adaptive(anthropic.ModelRules{}), ""},
		{`,"output_config":{"effort":"low"}`, `,"output_config":{"effort":"low"}`, adaptive(anthropic.ModelRules{}), ""},
		{`,"thinking":{"type":"of_the_future"}`, `,"thinking":{"type":"of_the_future"}`, adaptive(anthropic.ModelRules{}), ""},
	} {
		enc, ok := passThrough(t, []byte(body(c.in)), "m", c.rules)
		if !ok || string(enc.Body) != body(c.want) || strings.Join(enc.Warnings, "\n") != c.warning {
			t.Errorf("%s: %v %q\n got %s\nwant %s", c.in, ok, enc.Warnings, enc.Body, body(c.want))
		}
	}
	in := `{"max_tokens": 1000, "messages": [{"role":"user","content":"x"}], "model":"m"}`
	enc, ok := passThrough(t, []byte(in), "m", &anthropic.Rules{CommonRules: dialect.CommonRules{MaxOutput: limit}})
	if want := strings.Replace(in, "1000", "100", 1); !ok || string(enc.Body) != want || len(enc.Warnings) != 1 {
		t.Errorf("%v %q %s", ok, enc.Warnings, enc.Body)
	}
}

// What the rules force in how the model thinks, and in the conversation, is written anew; the rest stays.
func TestPassthroughEncodesAnew(t *testing.T) {
	budget := anthropic.ModelRules{Thinking: anthropic.ThinkingBudget}
	tool := `,"tools":[{"name":"f","input_schema":{"type":"object"},"x":1}]`
	const own = `,"mcp_servers":[ {"type":"url"} ],"context_management":{"edits":[]}`
	said := func(list string) string {
		return `{"model":"m","max_tokens":2000,"messages":[` + list + `],"system":"Be brief."` + own + `}`
	}
	asked := func(more string) string {
		return `{"model":"m","max_tokens":2000,"messages":[{"role":"user","content":"x"}]` + own + more + `}`
	}
	assistant := func(block string) string {
		return `{"role":"user","content":"x"},{"role":"assistant","content":[` + block + `]},{"role":"user","content":"y"}`
	}
	const system = `"system":[{"type":"text","text":"Be brief."}]`
	for _, c := range []struct {
		in, want string
		model    anthropic.ModelRules
		warns    string
	}{
		{asked(`,"thinking":{"type":"enabled","budget_tokens":1024}`), asked(`,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"low"}`), anthropic.ModelRules{}, "takes no reasoning budget"},
		{asked(`,"thinking":{"type":"enabled","budget_tokens":4096}`), asked(`,"thinking":{"type":"enabled","budget_tokens":1500,"display":"summarized"}`), budget, "budget"},
		{asked(`,"thinking":{"type":"adaptive"},"output_config":{"effort":"low","task_budget":{ }}`), asked(`,"thinking":{"type":"enabled","budget_tokens":1500,"display":"summarized"},"output_config":{"task_budget":{ }}`), budget, "budget"},
		{asked(`,"thinking":{"type":"disabled"}`), asked(`,"output_config":{"effort":"low"}`), anthropic.ModelRules{ThinkingOff: anthropic.OffNever}, "always thinks"},
		{asked(`,"thinking":{"type":"disabled"}`), asked(`,"thinking":{"type":"between_tools"}`), anthropic.ModelRules{ThinkingOff: anthropic.OffBetweenTools}, ""},
		{asked(`,"thinking":{"type":"between_tools"}`), asked(`,"thinking":{"type":"disabled"}`), anthropic.ModelRules{ThinkingOff: anthropic.OffDisabled}, ""},
		{asked(`,"thinking":{"type":"adaptive"},"output_config":{ "effort" : "minimal", "x":1 }`), asked(`,"thinking":{"type":"adaptive","display":"summarized"},"output_config":{ "effort" : "low", "x":1 }`), anthropic.ModelRules{}, "minimal"},
		{asked(tool + `,"tool_choice":{"type":"any"},"thinking":{"type":"adaptive"}`), asked(tool + `,"tool_choice":{"type":"any"}`), anthropic.ModelRules{ForcedTools: anthropic.ForcedWithoutThinking}, "reasoning is off"},
		{said(`{"role":"user","content":"x"},{"role":"system","content":"y"}`), said(`{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"<system>\ny\n</system>"}]}`),
			anthropic.ModelRules{FoldsSystemTurns: true}, "<system>"},
		{said(assistant(`{"type":"thinking","thinking":"x","signature":"llm-gateway:"},{"type":"text","text":"z"}`)), said(assistant(`{"type":"text","text":"z"}`)), anthropic.ModelRules{}, ""},
		{said(assistant(`{"type":"thinking","thinking":"x","signature":""},{"type":"text","text":"z"}`)), said(assistant(`{"type":"text","text":"z"}`)), anthropic.ModelRules{}, ""},
		{said(assistant(`{"type":"tool_use","id":"functions.f:0","name":"f","input":{}}`)), said(assistant(`{"type":"tool_use","id":"toolu_d6bdd4de328a22edd610f954","name":"f","input":{}}`)), anthropic.ModelRules{}, ""},
		{said(assistant(`{"type":"text","text":"z","citations":[{"type":"web_search_result_location","encrypted_index":""}]}`)), said(assistant(`{"type":"text","text":"z"}`)), anthropic.ModelRules{}, ""},
	} {
		enc, ok := passThrough(t, []byte(c.in), "m", adaptive(c.model))
		want := strings.NewReplacer(`"system":"Be brief."`, system, `{"role":"user","content":"x"},{"role":"assistant"`, `{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"assistant"`,
			`{"role":"user","content":"y"}`, `{"role":"user","content":[{"type":"text","text":"y"}]}`).Replace(c.want)
		warned := strings.Join(enc.Warnings, "|")
		if !ok || string(enc.Body) != want || !strings.Contains(warned, c.warns) || c.warns == "" && warned != "" {
			t.Errorf("%s: %v %q\n got %s\nwant %s", c.in, ok, enc.Warnings, enc.Body, want)
		}
	}
}

// A turn whose thinking is put back, or taken out, is written anew, and nothing else is.
func TestPassthroughChangedTurns(t *testing.T) {
	call := `{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}`
	in := func(block string) string {
		return `{"model":"m","max_tokens":9, "messages": [ {"role":"user","content":"x", "x":1},{"role":"assistant","content":"a"},{"role":"user","content":"b"}, {"role":"assistant", "content":[` + block + call +
			`],"y": 2},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[],"z":3}]}],"system":"s","mcp_servers":[]}`
	}
	thinking := `{"type":"thinking","thinking":"hm","signature":"c2ln"},`
	for _, c := range []struct{ in, want string }{{in(""), in(thinking)}, {in(thinking), in("")}} {
		req, _, err := server().DecodeRequest([]byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		other, _, _ := server().DecodeRequest([]byte(c.want))
		at := -1
		for i := range req.Messages {
			if !reflect.DeepEqual(req.Messages[i], other.Messages[i]) {
				at = i
			}
		}
		req.Messages[at].Parts = other.Messages[at].Parts
		enc, ok := anthropic.Client{Rules: adaptive(anthropic.ModelRules{})}.PassthroughRequest([]byte(c.in), req, []int{at})
		want := strings.NewReplacer(`"messages": [ {`, `"messages": [{`, `}, {"role":"assistant", "content"`, `},{"role":"assistant", "content"`).Replace(c.want)
		if !ok || string(enc.Body) != want || len(enc.Warnings) > 0 {
			t.Errorf("%v %q\n got %s\nwant %s", ok, enc.Warnings, enc.Body, want)
		}
	}
}

func TestPassthroughRefuses(t *testing.T) {
	in := body(`,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}`)
	if enc, ok := passThrough(t, []byte(in), "m", adaptive(anthropic.ModelRules{ForcedTools: anthropic.ForcedRefused})); ok {
		t.Errorf("%s passes as %s", in, enc.Body)
	}
	old := &anthropic.Rules{Models: []anthropic.ModelRules{{Match: always, Drop: []string{"output_config"}}}}
	if _, ok := passThrough(t, []byte(body(`,"output_config":{"format":{"type":"json_schema","schema":{}}}`)), "m", old); ok {
		t.Error("a schema is lost")
	}
	if enc, ok := passThrough(t, []byte(body(`,"output_config":{"effort":"low"},"x":1`)), "m", old); !ok || string(enc.Body) != body(`,"x":1`) || len(enc.Warnings) != 1 {
		t.Errorf("%v %q %s", ok, enc.Warnings, enc.Body)
	}
	if _, ok := (anthropic.Client{}).PassthroughRequest([]byte("[]"), new(chat.Request), nil); ok {
		t.Error("an array passes")
	}
}

func TestStreamPassthrough(t *testing.T) {
	for _, name := range dialecttest.Inputs(t, "stream/*.sse") {
		in := dialecttest.Read(t, name)
		p := anthropic.Client{}.NewStreamPassthrough(new(chat.Request))
		r := sse.NewReader(bytes.NewReader(in), 0)
		var out []byte
		for {
			event, data, err := r.Next()
			if err != nil {
				break
			}
			out = p.Append(out, event, data)
		}
		got, complete, failed := collect(t, bytes.NewReader(out))
		want, _, _ := collect(t, bytes.NewReader(in))
		if !complete || failed != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n%s", name, failed, out)
		}
		if n := bytes.Count(out, []byte("event: ")); n != bytes.Count(in, []byte("event: ")) {
			t.Errorf("%s: %d events", name, n)
		}
	}
}

func TestEncodeCount(t *testing.T) {
	req := everything()
	enc, err := anthropic.Client{}.EncodeCount(req)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(enc.Body, &members); err != nil || enc.Path != "/v1/messages/count_tokens" {
		t.Fatalf("%v %s", err, enc.Path)
	}
	// Those of CountMessageTokensParams; it takes no others.
	for _, name := range []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"} {
		if _, ok := members[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(members, name)
	}
	if len(members) > 0 {
		t.Errorf("too much: %s", enc.Body)
	}
	if _, _, err := server().DecodeCount(enc.Body); err != nil {
		t.Error(err)
	}
	for in, want := range map[string]int64{`{"input_tokens":43}`: 43, `{"input_tokens":0,"x":1}`: 0, `{"input_tokens":-1}`: -1, `{}`: -1, `<html>`: -1,
		`{"type":"error","error":{"type":"not_found_error","message":"m"}}`: -1} {
		n, err := anthropic.Client{}.DecodeCount([]byte(in))
		if (err == nil) != (want >= 0) || err == nil && n != want {
			t.Errorf("%s: %d, %v", in, n, err)
		}
	}
}

func FuzzPassthrough(f *testing.F) {
	for _, name := range dialecttest.Inputs(f, "request/*.json") {
		f.Add(dialecttest.Read(f, name))
	}
	f.Add([]byte(body(`,"temperature":0.1,"thinking":{"type":"disabled"}`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		req, _, err := server().DecodeRequest(in)
		if err != nil {
			return
		}
		enc, ok := anthropic.Client{Rules: adaptive(anthropic.ModelRules{})}.PassthroughRequest(in, req, nil)
		if !ok {
			return
		}
		got, _, err := server().DecodeRequest(enc.Body)
		if err != nil {
			t.Fatalf("%v in %s", err, enc.Body)
		}
		req.Temperature, req.TopP, req.TopK = nil, nil, nil
		// How it thinks, and a conversation with what others made, is written anew.
		req.Reasoning, got.Reasoning = nil, nil
		if before, after := member(t, in, "messages"), member(t, enc.Body, "messages"); !bytes.Equal(before, after) {
			req.Messages, got.Messages = nil, nil
		}
		if !reflect.DeepEqual(got, req) {
			t.Fatalf("passing changes more than it may:\n%s\n%s", in, enc.Body)
		}
	})
}

func member(t *testing.T, object []byte, name string) json.RawMessage {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatal(err)
	}
	return members[name]
}

func TestEncodedRequestPassthrough(t *testing.T) {
	for seed := range uint64(500) {
		dialecttest.PassesThrough(t, anthropic.Client{}, server(), randomRequest(rand.New(rand.NewPCG(seed, 6))))
	}
}

// What the API would refuse in the order of the turns is mended in the bytes; a turn that paused is continued.
func TestPassthroughMendsTurns(t *testing.T) {
	head := `{"model":"m","max_tokens":9, "messages":[ {"role":"user","content":"x", "y":1}`
	pairs := dialect.TurnRules{Pairs: true, CallIDs: dialect.CallIDsWord, DistinctCallIDs: true, Ends: dialect.EndsAnyButOwn}
	rules := &anthropic.Rules{CommonRules: dialect.CommonRules{Provider: "anthropic"}, Models: []anthropic.ModelRules{{Match: always, Turns: &pairs}}}
	const goOn = `{"role":"user","content":"Continue from where you left off."}`
	for name, c := range map[string]struct{ in, want, warns string }{
		"prefill":         {`,{"role":"assistant","content":"so far"}]}`, `,{"role":"assistant","content":"so far"},` + goOn + `]}`, "asks it to go on"},
		"paused":          {`,{"role":"assistant","content":[{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}]}]}`, "", ""},
		"answered":        {`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]}`, "", ""},
		"a last thought":  {`,{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"t","signature":"s"}]},{"role":"user","content":"z"}]}`, `{"role":"assistant","content":[{"type":"text","text":"a"}]}`, "nothing follows"},
		"a thought alone": {`,{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"}]},{"role":"user","content":"z"}]}`, `[{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"z"}]}]`, "nothing follows"},
		"in two":          {`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"assistant","content":[{"type":"tool_use","id":"b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},{"type":"tool_result","tool_use_id":"b"}]}]}`, "", ""},
		"text before":     {`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"text","text":"z"},{"type":"tool_result","tool_use_id":"a"}]}]}`, `[{"type":"tool_result","tool_use_id":"a"},{"type":"text","text":"z"}]`, ""},
		"no result":       {`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":"z"}]}`, `"is_error":true},{"type":"text","text":"z"}]`, "wants a result"},
		"no call":         {`,{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}]}`, `"text":"r"`, "without its call"},
		"an id twice":     {`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]}`, `"tool_use_id":"a_2"`, ""},
	} {
		enc, ok := passThrough(t, []byte(head+c.in), "m", rules)
		fits := string(enc.Body) == head+c.in
		if c.want != "" {
			fits = strings.Contains(string(enc.Body), c.want)
		}
		if warned := strings.Join(enc.Warnings, "|"); !ok || !fits || !strings.Contains(warned, c.warns) || c.warns == "" && warned != "" {
			t.Errorf("%s: %v %q %s", name, ok, enc.Warnings, enc.Body)
		}
	}
}

// Calls of an answer that is passed through get ids of their own.
func TestPassthroughCallIDs(t *testing.T) {
	req, _, err := server().DecodeRequest([]byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	block := func(id string) string {
		return `{"type":"tool_use", "x":[ 1 ],"id":"` + id + `","name":"f","input":{}}`
	}
	whole := func(a, b string) string {
		return `{"id":"m", "content":[{"type":"text","text":"\"tool_use\""},` + block(a) + `,` + block(b) + `],"stop_reason":"tool_use"}`
	}
	start := func(id string) string {
		return `{"type":"content_block_start","index":1, "content_block":` + block(id) + `}`
	}
	for in, want := range map[[2]string][2]string{{"a", "b"}: {"a_2", "b"}, {"b", "b"}: {"b", "b_2"}, {"b", "c"}: {"b", "c"}} {
		if got := string(anthropic.Client{}.DistinctCallIDs([]byte(whole(in[0], in[1])), req)); got != whole(want[0], want[1]) {
			t.Errorf("%v: %s", in, got)
		}
		stream := anthropic.Client{}.NewStreamPassthrough(req)
		for i, id := range in {
			if got := string(stream.Append(nil, "content_block_start", []byte(start(id)))); got != "event: content_block_start\ndata: "+start(want[i])+"\n\n" {
				t.Errorf("%v, streamed: %s", in, got)
			}
		}
	}
	other := `{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`
	if got := string(anthropic.Client{}.NewStreamPassthrough(req).Append(nil, "message_delta", []byte(other))); got != "event: message_delta\ndata: "+other+"\n\n" {
		t.Error(got)
	}
}
