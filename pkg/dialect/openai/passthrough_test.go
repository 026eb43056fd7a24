package openai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/provider"
)

// passThrough decodes the body as the gateway does and passes it through for the model.
func passThrough(t testing.TB, body, model string, rules *openai.Rules) (dialect.Encoded, bool) {
	t.Helper()
	req, _, err := new(openai.Server).DecodeRequest([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	sent := *req
	sent.Model = model
	return openai.Client{Rules: rules}.PassthroughRequest([]byte(body), &sent, nil)
}

func TestPassthroughChangesNothing(t *testing.T) {
	for _, body := range []string{
		`{"model":"old","messages":[{"role":"user","content":"hi"}]}`,
		"\r\n{ \"messages\" : [ {\"role\":\"developer\", \"content\":[{\"text\":\"a\",\"type\":\"text\"}],\"name\":\"n\"} ,\n{\"content\":null,\"role\":\"assistant\",\"refusal\":null,\"annotations\":[],\"audio\":{\"id\":\"a\"},\"tool_calls\":[{\"type\":\"function\",\"id\":\"c\",\"function\":{\"arguments\":\"\",\"name\":\"f\"},\"index\":0}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"\"}],\t\"model\" :\"old\", \"temperature\":0.70,\"top_p\":1e-1 , \"stop\" : \"x\",\"max_tokens\":5.0,\n\"x\":{\"y\":[1,2 ,3]},\"stream_options\":{ },\"seed\":12345678901234567 , \"n\":1,\"tools\":[],\"tool_choice\":\"none\",\"logit_bias\":{},\"user\":\"\",\"response_format\":{\"type\":\"text\"},\"reasoning_effort\":\"low\",\"service_tier\":null} \n",
		`{"stream":true,"stream_options":{"include_usage":false,"include_obfuscation":true},"messages":[{"role":"user","content":[{"type":"text","text":"\u0041\/"},{"type":"image_url","image_url":{"url":"https://e.com/a","detail":"auto","x":1}},{"type":"video_url","video_url":{}}]}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"web_search"}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}},"model":"old","web_search_options":{},"max_tokens":3,"max_completion_tokens":4}`,
	} {
		for _, model := range []string{"old", "new/\"é\""} {
			enc, ok := passThrough(t, body, model, &openai.Rules{})
			quoted, _ := json.Marshal(model)
			want := strings.Replace(body, `"old"`, string(quoted), 1)
			if !ok || string(enc.Body) != want || len(enc.Warnings) > 0 || enc.Path != "/chat/completions" {
				t.Errorf("%v %q\n got %s\nwant %s", ok, enc.Warnings, enc.Body, want)
			}
		}
	}
	enc, ok := passThrough(t, `{"messages":[{"role":"user","content":"hi"}] }`, "m", &openai.Rules{})
	if want := `{"messages":[{"role":"user","content":"hi"}],"model":"m" }`; !ok || string(enc.Body) != want {
		t.Errorf("without a model: %s", enc.Body)
	}
}

func TestPassthroughEdits(t *testing.T) {
	anyModel := func(string) bool { return true }
	model := func(m openai.ModelRules) openai.Rules {
		m.Match = anyModel
		return openai.Rules{CommonRules: dialect.CommonRules{Provider: "p"}, Models: []openai.ModelRules{m}}
	}
	const dropped = "%s is not supported by p for this model: dropped"
	for _, c := range []struct {
		in       string // the members behind model and messages
		rules    openai.Rules
		want     string
		warnings []string
	}{
		{`"max_tokens": 5`, openai.Rules{MaxTokens: openai.MaxCompletionTokens}, `"max_completion_tokens": 5`, nil},
		{`"max_completion_tokens": 5`, openai.Rules{MaxTokens: openai.MaxTokens}, `"max_tokens": 5`, nil},
		{`"max_tokens":5,"max_completion_tokens":6`, openai.Rules{MaxTokens: openai.MaxTokens}, `"max_tokens":6`, nil},
		{`"max_completion_tokens":6,"max_tokens":5`, openai.Rules{MaxTokens: openai.MaxCompletionTokens}, `"max_completion_tokens":6`, nil},
		{`"max_tokens":null,"max_completion_tokens":null`, openai.Rules{MaxTokens: openai.MaxTokens}, `"max_tokens":null`, nil},
		{`"max_tokens":500`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Clamp: map[string]dialect.Range{"max_completion_tokens": {Min: 1, Max: 64}}}, MaxTokens: openai.MaxCompletionTokens}, `"max_completion_tokens":64`, []string{"max_completion_tokens is 500, but p takes 1 to 64: changed to 64"}},
		{`"temperature" : 2.0 ,"top_p":1`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Clamp: map[string]dialect.Range{"temperature": {Min: 0, Max: 1.5}, "top_p": {Min: 0, Max: 1}}}}, `"temperature" : 1.5 ,"top_p":1`, []string{"temperature is 2, but p takes 0 to 1.5: changed to 1.5"}},
		{`"temperature":0.5,"x":1,"top_p":0.5`, model(openai.ModelRules{DropUnlessEffortNone: []string{"temperature", "top_p"}}), `"x":1`, []string{fmt.Sprintf(dropped, "temperature"), fmt.Sprintf(dropped, "top_p")}},
		{`"temperature":0.5,"reasoning_effort":"none"`, model(openai.ModelRules{DropUnlessEffortNone: []string{"temperature"}}), `"temperature":0.5,"reasoning_effort":"none"`, nil},
		{`"seed":7,"store":true,"metadata":{},"logit_bias":null`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Fields: []string{"model", "messages", "random_seed"}, Rename: map[string]string{"seed": "random_seed"}}}, `"random_seed":7`, []string{fmt.Sprintf(dropped, "store"), fmt.Sprintf(dropped, "metadata")}},
		{`"user":"u","user_id":"v"`, openai.Rules{CommonRules: dialect.CommonRules{Rename: map[string]string{"user": "user_id"}}}, `"user_id":"u"`, nil},
		{`"safety_identifier":"s"`, openai.Rules{CommonRules: dialect.CommonRules{Rename: map[string]string{"user": "user_id"}}}, `"user_id":"s"`, nil},
		{`"safety_identifier":"s","user":"u"`, openai.Rules{CommonRules: dialect.CommonRules{Rename: map[string]string{"user": "user_id"}}}, `"user_id":"u"`, nil},
		{`"safety_identifier":"s"`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Drop: []string{"user"}}}, ``, []string{fmt.Sprintf(dropped, "user")}},
		{`"stop": "a\u0062"`, openai.Rules{StopArrayOnly: true}, `"stop": ["a\u0062"]`, nil},
		{`"stop":[ "a" ]`, openai.Rules{StopArrayOnly: true}, `"stop":[ "a" ]`, nil},
		{`"stop":"a"`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Drop: []string{"stop"}}, StopArrayOnly: true}, ``, []string{fmt.Sprintf(dropped, "stop")}},
		{`"stop":[ "a","b" ,"c"]`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p"}, MaxStops: 2}, `"stop":["a","b"]`, []string{"p takes 2 stop sequences: the others are dropped"}},
		{`"stop":[ "a" ,"b"]`, openai.Rules{MaxStops: 2}, `"stop":[ "a" ,"b"]`, nil},
		{`"stop":"abc"`, openai.Rules{MaxStops: 2}, `"stop":"abc"`, nil},
		{`"stop":["a","b","c"]`, openai.Rules{CommonRules: dialect.CommonRules{Provider: "p", Drop: []string{"stop"}}, MaxStops: 2}, ``, []string{fmt.Sprintf(dropped, "stop")}},
		{`"n":1,"response_format":{"type":"text"},"parallel_tool_calls":true,"stream":false`, openai.Rules{CommonRules: dialect.CommonRules{Fields: []string{"model", "messages"}}}, ``, nil},
		{`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"`, openai.Rules{ToolChoiceAny: true}, `"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"any"`, nil},
		{`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"any"`, openai.Rules{}, `"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"`, nil},
		{`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto"`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"tool_choice"}}}, `"tools":[{"type":"function","function":{"name":"f"}}]`, nil},
		{`"stream":true`, openai.Rules{AsksStreamUsage: true}, `"stream":true,"stream_options":{"include_usage":true}`, nil},
		{`"stream":true,"stream_options":null`, openai.Rules{AsksStreamUsage: true}, `"stream":true,"stream_options":{"include_usage":true}`, nil},
		{`"stream":true,"stream_options": {"include_obfuscation" : false }`, openai.Rules{AsksStreamUsage: true}, `"stream":true,"stream_options": {"include_obfuscation" : false,"include_usage":true }`, nil},
		{`"stream_options":{"include_usage":false,"x":1},"stream":true`, openai.Rules{AsksStreamUsage: true}, `"stream_options":{"include_usage":true,"x":1},"stream":true`, nil},
		{`"stream":true,"stream_options":{ "include_usage":true }`, openai.Rules{AsksStreamUsage: true}, `"stream":true,"stream_options":{ "include_usage":true }`, nil},
		{`"stream":false`, openai.Rules{AsksStreamUsage: true}, `"stream":false`, nil},
		{`"stream":true,"stream_options":{"include_usage":true}`, openai.Rules{CommonRules: dialect.CommonRules{Fields: []string{"model", "messages", "stream"}}}, `"stream":true`, nil},
		{`"logprobs":true,"top_logprobs":3`, openai.Rules{LogprobsCount: true}, `"logprobs":3`, nil},
		{`"logprobs":false,"top_logprobs":3`, openai.Rules{LogprobsCount: true}, ``, nil},
		{`"logprobs":3`, openai.Rules{LogprobsCount: true}, `"logprobs":3`, nil},
		{`"logprobs":3`, openai.Rules{}, `"logprobs":true,"top_logprobs":3`, nil},
		{`"reasoning_effort":"max"`, model(openai.ModelRules{Efforts: []string{"low", "high"}}), `"reasoning_effort":"high"`, []string{"reasoning effort max is not known to this model: changed to high"}},
		{`"reasoning_effort":"low"`, model(openai.ModelRules{Drop: []string{"reasoning_effort"}}), ``, []string{"reasoning cannot be steered at p for this model: dropped"}},
		{`"reasoning":{"effort":"low","exclude":true},"x":1`, openai.Rules{}, `"x":1,"reasoning_effort":"low"`, nil},
		{`"reasoning": {"effort":"low"},"reasoning_effort":"low"`, openai.Rules{Reasoning: openai.ReasoningObject}, `"reasoning": {"effort":"low"},"reasoning_effort":"low"`, nil},
		{`"thinking":{"type":"enabled","budget_tokens":99}`, openai.Rules{Reasoning: openai.ReasoningObject}, `"reasoning":{"max_tokens":99}`, nil},
		{`"thinking":{"type":"enabled"}`, openai.Rules{Reasoning: openai.ReasoningThinking}, `"thinking":{"type":"enabled"}`, nil},
		{`"thinking":{"type":"disabled"},"x":1`, openai.Rules{Reasoning: openai.ReasoningThinking}, `"thinking":{"type":"disabled"},"x":1`, nil},
		{`"thinking":{"type":"adaptive"}`, openai.Rules{Reasoning: openai.ReasoningThinking}, `"thinking":{"type":"enabled"},"reasoning_effort":"high"`, nil},
		{`"reasoning_effort":"high"`, openai.Rules{Reasoning: openai.ReasoningThinking}, `"reasoning_effort":"high"`, nil},
		{`"reasoning_effort":"none"`, openai.Rules{Reasoning: openai.ReasoningThinking}, `"thinking":{"type":"disabled"}`, nil},
		{`"reasoning_effort":"low","tools":[{"type":"function","function":{"name":"f"}}]`, model(openai.ModelRules{Tools: openai.ToolsWithoutReasoning}), `"reasoning_effort":"none","tools":[{"type":"function","function":{"name":"f"}}]`, []string{"this model of p does not think while it has functions to call: reasoning is off"}},
		{`"tools":[{"type":"function","function":{"name":"f"}}]`, model(openai.ModelRules{Tools: openai.ToolsWithoutReasoning}), `"tools":[{"type":"function","function":{"name":"f"}}],"reasoning_effort":"none"`, []string{"this model of p does not think while it has functions to call: reasoning is off"}},
		{`"messages2":1`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"messages2"}, Provider: "p"}}, ``, []string{fmt.Sprintf(dropped, "messages2")}},
	} {
		const head = `{"model":"m","messages":[{"role":"user","content":"hi"}]`
		enc, ok := passThrough(t, head+","+c.in+"}", "m", &c.rules)
		want := head + "," + c.want + "}"
		if c.want == "" {
			want = head + "}"
		}
		if !ok || string(enc.Body) != want || !slices.Equal(enc.Warnings, c.warnings) {
			t.Errorf("%s: %v %q\n got %s\nwant %s", c.in, ok, enc.Warnings, enc.Body, want)
		}
	}
}

// What cannot be done to the bytes.
// What the rules force within messages and tools has those written anew, as EncodeRequest writes them, and nothing else; what
// is refused, or from before there were tools, does not pass.
func TestPassthroughEncodesAnew(t *testing.T) {
	strict := openai.Rules{MessageFields: []string{"role", "content", "tool_calls", "tool_call_id"}}
	say := func(m string) string { return `"messages":[` + m + `]` }
	user := func(part string) string { return say(`{"role":"user","content":[` + part + `]}`) }
	call := func(more string) string {
		return `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}` + more + `}]}`
	}
	answered := func(call string) string { return say(call + `,{"role":"tool","tool_call_id":"c","content":"r"}`) }
	hi := say(`{"role":"user","content":"hi"}`)
	image := `{"type":"image_url","image_url":{"url":"https://e.com/a"}}`
	tool := `"tools":[{"type":"function","function":{"name":"f"}}]`
	for name, c := range map[string]struct {
		in     string
		rules  openai.Rules
		passes string // a like body that passes; empty: this one under the zero rules
	}{
		"developer":              {say(`{"role":"developer","content":"x"}`), openai.Rules{NoDeveloperRole: true}, ""},
		"name":                   {say(`{"role":"user","content":"x","name":"n"}`), openai.Rules{NoNames: true}, ""},
		"call id":                {answered(call("")), openai.Rules{CommonRules: dialect.CommonRules{Turns: dialect.TurnRules{CallIDs: dialect.CallIDsNine}}}, ""},
		"result id":              {say(call("") + `,{"role":"tool","tool_call_id":"c","content":"x"}`), openai.Rules{CommonRules: dialect.CommonRules{Turns: dialect.TurnRules{CallIDs: dialect.CallIDsNine}}}, ""},
		"result of nothing":      {say(call("") + `,{"role":"tool","tool_call_id":"c","content":[]}`), openai.Rules{}, hi},
		"result of null":         {say(call("") + `,{"role":"tool","tool_call_id":"c","content":null}`), openai.Rules{}, hi},
		"result with an image":   {say(call("") + `,{"role":"tool","tool_call_id":"c","content":[` + image + `]}`), openai.Rules{}, hi},
		"image refused":          {user(image), openai.Rules{NoImages: true}, ""},
		"image as a string":      {user(`{"type":"image_url","image_url":"https://e.com/a"}`), openai.Rules{}, user(image)},
		"audio as an object":     {user(`{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}`), openai.Rules{Audio: openai.AudioString}, ""},
		"audio as a string":      {user(`{"type":"input_audio","input_audio":"QQ=="}`), openai.Rules{}, hi},
		"audio refused":          {user(`{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}`), openai.Rules{Audio: openai.AudioRefused}, ""},
		"file refused":           {user(`{"type":"file","file":{"file_id":"f"}}`), openai.Rules{Files: openai.FilesRefused}, ""},
		"file as document_url":   {user(`{"type":"file","file":{"file_data":"data:application/pdf;base64,QQ==","filename":"a"}}`), openai.Rules{Files: openai.FileDocumentURL}, ""},
		"document_url":           {user(`{"type":"document_url","document_url":"https://e.com/a"}`), openai.Rules{}, hi},
		"file by URL":            {user(`{"type":"file","file":{"file_data":"https://e.com/a"}}`), openai.Rules{}, hi},
		"file without type":      {user(`{"type":"file","file":{"file_data":"QUJD"}}`), openai.Rules{}, hi},
		"cache mark":             {user(`{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`), openai.Rules{}, hi},
		"cache mark of a tool":   {hi + `,"tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral"}}]`, openai.Rules{}, hi},
		"cache mark of a turn":   {say(`{"role":"user","content":"x","cache_control":{"type":"ephemeral"}}`), openai.Rules{CacheMarks: true}, hi},
		"function call":          {hi + `,"functions":[{"name":"f"}]`, openai.Rules{}, hi + `,"functions":null`},
		"function choice":        {hi + `,"function_call":"auto"`, openai.Rules{}, hi},
		"function message":       {say(`{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"x"}`), openai.Rules{}, hi},
		"thought signature":      {answered(call(`,"extra_content":{"google":{"thought_signature":"x"}}`)), openai.Rules{}, answered(call(""))},
		"thinking part":          {say(`{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]},{"type":"text","text":"x"}]}`), openai.Rules{}, hi},
		"reasoning_content":      {say(`{"role":"assistant","content":"x","reasoning_content":"y"}`), openai.Rules{}, say(`{"role":"assistant","content":"x","reasoning_content":null}`)},
		"null reasoning_content": {say(`{"role":"assistant","content":"x","reasoning_content":null,"reasoning":null,"reasoning_details":null}`), openai.Rules{}, hi},
		"null reasoning":         {say(`{"role":"assistant","content":"x","reasoning":null}`), openai.Rules{ReasoningBack: openai.ReasoningBackContent}, hi},
		"null name":              {say(`{"role":"system","content":"x","name":null}`), openai.Rules{NoNames: true}, ""},
		"pictures":               {say(`{"role":"assistant","content":"x","images":[{"type":"image_url","image_url":{"url":"https://e.com/a"}}]}`), openai.Rules{}, hi},
		"reasoning for content":  {say(`{"role":"assistant","content":"x","reasoning":"y"}`), openai.Rules{ReasoningBack: openai.ReasoningBackContent}, hi},
		"content for reasoning":  {say(`{"role":"assistant","content":"x","reasoning_content":"y"}`), openai.Rules{ReasoningBack: openai.ReasoningBackField}, hi},
		"content for details":    {say(`{"role":"assistant","content":"x","reasoning_content":"y"}`), openai.Rules{ReasoningBack: openai.ReasoningBackDetails}, hi},
		"calls without thoughts": {answered(call("")), openai.Rules{ReasoningBack: openai.ReasoningBackContent, Reasoning: openai.ReasoningThinking}, ""},
		"schema":                 {hi + `,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}`, openai.Rules{NoSchema: true}, ""},
		"JSON without a word":    {hi + `,"response_format":{"type":"json_object"}`, openai.Rules{NoSchema: true}, ""},
		"several answers":        {hi + `,"n":2`, openai.Rules{CommonRules: dialect.CommonRules{SingleChoice: true}}, ""},
		"tools dropped":          {hi + "," + tool, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"tools"}}}, ""},
		"choice dropped":         {hi + "," + tool + `,"tool_choice":"none"`, openai.Rules{CommonRules: dialect.CommonRules{Drop: []string{"tool_choice"}}}, ""},
		"allowed tools":          {hi + "," + tool + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}`, openai.Rules{NoAllowedTools: true}, ""},
		"text array":             {say(`{"role":"system","content":[{"type":"text","text":"x"}]}`), openai.Rules{NoTextParts: true}, ""},
		"text array of a user":   {user(`{"type":"text","text":"x"}`), openai.Rules{NoTextParts: true}, ""},
		"strict: refusal":        {say(`{"role":"assistant","content":"x","refusal":null}`), strict, ""},
		"strict: index":          {answered(call(`,"index":0`)), strict, ""},
		"strict: arguments":      {answered(strings.Replace(call(""), "{}", "", 1)), strict, ""},
		"strict: custom":         {answered(`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"f","input":"x"}}]}`), strict, ""},
		"strict: part":           {user(`{"type":"text","text":"x","prompt_cache_breakpoint":{}}`), strict, ""},
		"strict: video":          {user(`{"type":"video_url","video_url":{}}`), strict, ""},
		"strict: parameters":     {hi + "," + tool, strict, ""},
	} {
		in := `{"model":"m","x":{ "y" : 1 },` + c.in + `}`
		req, _, err := new(openai.Server).DecodeRequest([]byte(in))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		req.Foreign = slices.DeleteFunc(req.Foreign, func(f chat.Foreign) bool { return f.Name == "x" }) // which the bytes keep
		anew, refused := openai.Client{Rules: &c.rules}.EncodeRequest(req)
		enc, ok := passThrough(t, in, "m", &c.rules)
		switch {
		case refused != nil || name == "function call" || name == "function choice" || name == "allowed tools":
			if ok {
				t.Errorf("%s passes as %s", name, enc.Body)
			}
		case !ok || !strings.Contains(string(enc.Body), `"x":{ "y" : 1 }`) || !slices.Equal(enc.Warnings, anew.Warnings):
			t.Errorf("%s: %v %q, want %q: %s", name, ok, enc.Warnings, anew.Warnings, enc.Body)
		default:
			dialecttest.SameMembers(t, enc.Body, anew.Body, "messages", "tools", "response_format")
		}
		like, rules := c.passes, &c.rules
		if like == "" {
			like, rules = c.in, &openai.Rules{}
		}
		if _, ok := passThrough(t, `{"model":"m",`+like+`}`, "m", rules); !ok {
			t.Errorf("%s: %s does not pass", name, like)
		}
	}
	for _, body := range []string{``, `[]`, `{`, `{"model":"m"} x`} {
		if _, ok := (openai.Client{}).PassthroughRequest([]byte(body), &chat.Request{}, nil); ok {
			t.Errorf("%q passes", body)
		}
	}
}

// A shape of the answer that one provider alone knows passes to it, and is refused where the request is written in another dialect.
func TestUnknownResponseFormatPassthrough(t *testing.T) {
	in := `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"grammar","grammar":"root ::= \"a\""}}`
	enc, ok := passThrough(t, in, "m", &openai.Rules{})
	if !ok || string(enc.Body) != in {
		t.Errorf("%v %s", ok, enc.Body)
	}
	req, _, err := new(openai.Server).DecodeRequest([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	var refused *chat.Error
	if _, err := (openai.Client{}).EncodeRequest(req); !errors.As(err, &refused) || refused.Param != "response_format" {
		t.Errorf("%v", err)
	}
}

// TestPassthroughMeansTheSame: what passes says what EncodeRequest would have said, with the same
// warnings, under the rules of every provider.
func TestPassthroughMeansTheSame(t *testing.T) {
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	models := map[string][]string{
		"openai": {"gpt-4o", "gpt-5", "gpt-5.4", "o3"}, "mistral": {"mistral-small-2603", "mistral-large"}, "groq": {"openai/gpt-oss-20b", "llama"},
	}
	for _, p := range table.All() {
		client, ok := p.Client.(openai.Client)
		if !ok {
			continue
		}
		passed := 0
		for seed := range uint64(800) {
			m := maker{rand.New(rand.NewPCG(seed, 3))}
			body := m.callersBody(t, seed)
			req, _, err := new(openai.Server).DecodeRequest(body)
			if err != nil {
				t.Fatal(err)
			}
			req.Model = m.pick(append(models[p.ID], "some-model")...)
			req.Foreign = nil // which the bytes keep
			got, ok := client.PassthroughRequest(body, req, nil)
			want, err := client.EncodeRequest(req)
			if !ok {
				continue
			}
			if err != nil {
				t.Fatalf("%s, seed %d: %s passes, but %v", p.ID, seed, got.Body, err)
			}
			passed++
			what := fmt.Sprintf("%s, seed %d: %s became %s", p.ID, seed, body, got.Body)
			got.Warnings = slices.DeleteFunc(got.Warnings, func(w string) bool { return strings.HasPrefix(w, "x_unknown ") })
			if len(got.Warnings) == 0 {
				got.Warnings = nil
			}
			slices.Sort(got.Warnings)
			slices.Sort(want.Warnings)
			same(t, what, got.Warnings, want.Warnings)
			same(t, what, meaning(t, got.Body, p), meaning(t, want.Body, p))
			if len(client.Rules.Fields) == 0 && !strings.Contains(string(got.Body), `"x_unknown" : [ 1,2 ]`) {
				t.Fatalf("%s: an unknown field is lost", what)
			}
		}
		if passed < 40 {
			t.Errorf("%s: only %d requests passed", p.ID, passed)
		}
	}
}

// callersBody is a request as callers write it: most are simple.
func (m maker) callersBody(t *testing.T, seed uint64) []byte {
	req := m.request()
	rules := everythingKept()
	rules.Reasoning = []openai.ReasoningForm{openai.ReasoningEffort, openai.ReasoningObject}[m.IntN(2)]
	rules.MaxTokens = []openai.MaxTokensField{openai.MaxTokensUnset, openai.MaxTokens}[m.IntN(2)]
	if seed%8 != 0 {
		req.Messages = []chat.Message{{Role: chat.System, Parts: []chat.Part{text("s")}}, user(text(m.word())), {Role: chat.Assistant, Parts: []chat.Part{text("a")}}, user(text(m.word()))}
		req.N = nil
		if seed%4 != 0 {
			req.ResponseFormat = nil
		}
	}
	if m.maybe() {
		rules.AsksStreamUsage = false
	}
	enc, err := openai.Client{Rules: rules}.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	return append(enc.Body[:len(enc.Body)-1], "\n,\"x_unknown\" : [ 1,2 ]}"...)
}

// meaning is what a body says, its warnings about unknown fields aside.
func meaning(t *testing.T, body []byte, p *provider.Provider) *chat.Request {
	t.Helper()
	req, _, err := new(openai.Server).DecodeRequest(body)
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	req.Foreign = nil
	if !p.Client.(openai.Client).Rules.AsksStreamUsage {
		req.StreamUsage = false // asking is useless there
	}
	return req
}

// FuzzPassthrough: what is passed through is JSON, names the model, and keeps what it says.
func FuzzPassthrough(f *testing.F) {
	for _, name := range dialecttest.Inputs(f, "request/*.json") {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"messages":[{"role":"user","content":"x"}],"stream":true,"stop":"x","max_tokens":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, _, err := new(openai.Server).DecodeRequest(body)
		if err != nil {
			return
		}
		req.Model = "another-model"
		for name, rules := range profiles {
			enc, ok := openai.Client{Rules: rules}.PassthroughRequest(body, req, nil)
			if !ok {
				continue
			}
			got, _, err := new(openai.Server).DecodeRequest(enc.Body)
			if err != nil {
				t.Fatalf("%s: %s became %s: %v", name, body, enc.Body, err)
			}
			if got.Model != "another-model" || got.Stream != req.Stream {
				t.Fatalf("%s: %s became %s", name, body, enc.Body)
			}
			// Messages are the caller's, or those of the encoder.
			if reflect.DeepEqual(got.Messages, req.Messages) {
				continue
			}
			anew, err := openai.Client{Rules: rules}.EncodeRequest(req)
			if err != nil {
				continue // what is left as it is may be what the encoder does not know
			}
			wanted, _, err := new(openai.Server).DecodeRequest(anew.Body)
			if err != nil {
				t.Fatal(err)
			}
			warned := strings.Join(anew.Warnings, "|")
			if len(wanted.Messages) != len(req.Messages) || strings.Contains(warned, "wants a result") || strings.Contains(warned, "takes no result") {
				continue // the encoder mends what these rules are not known to refuse
			}
			if len(got.Messages) != len(wanted.Messages) {
				t.Fatalf("%s: %s became %s, and the encoder writes %s", name, body, enc.Body, anew.Body)
			}
			aligned := len(got.Messages) == len(req.Messages) // no message was put between
			for i, m := range got.Messages {
				if !reflect.DeepEqual(m, wanted.Messages[i]) && !(aligned && reflect.DeepEqual(m, req.Messages[i])) {
					t.Fatalf("%s: %s became %s, and the encoder writes %s", name, body, enc.Body, anew.Body)
				}
			}
		}
	})
}

func BenchmarkPassthroughRequest(b *testing.B) {
	prompt := strings.Repeat("func main() {\\n\\tfmt.Println(\\\"hello, world\\\", 42)\\n}\\n// a comment that says nothing much, at length\\n", 500)
	body := []byte(`{"model":"gpt-5","messages":[{"role":"user","content":"` + prompt + `"}],"stream":true}`)
	req, _, err := new(openai.Server).DecodeRequest(body)
	if err != nil {
		b.Fatal(err)
	}
	rules := &openai.Rules{AsksStreamUsage: true}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := (openai.Client{Rules: rules}).PassthroughRequest(body, req, nil); !ok {
			b.Fatal("does not pass")
		}
	}
}

func TestEncodedRequestPassthrough(t *testing.T) {
	for seed := range uint64(500) {
		dialecttest.PassesThrough(t, openai.Client{}, new(openai.Server), maker{rand.New(rand.NewPCG(seed, 6))}.request())
	}
}

// Who sends both limits means the newer one, wherever it stands.
func TestBothLimits(t *testing.T) {
	const head = `{"model":"m","messages":[{"role":"user","content":"hi"}],`
	for _, limits := range []string{`"max_completion_tokens": 6,"max_tokens":5}`, `"max_tokens":5,"max_completion_tokens": 6}`} {
		enc, ok := passThrough(t, head+limits, "m", &openai.Rules{MaxTokens: openai.MaxTokens})
		if want := head + `"max_tokens": 6}`; !ok || string(enc.Body) != want {
			t.Errorf("%s: %v %s", limits, ok, enc.Body)
		}
	}
}

// Calls of an answer that is passed through get ids of their own, in a stream as in a whole answer, and nothing else
// changes.
func TestPassthroughCallIDs(t *testing.T) {
	req, _, err := new(openai.Server).DecodeRequest([]byte(`{"model":"m","stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"},
		{"role":"assistant","tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_0","content":"y"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	call := func(index int, id string) string {
		return fmt.Sprintf(`{"index":%d, "id": "%s","type":"function","x":[ 1 ],"function":{"name":"f","arguments":"{}"}}`, index, id)
	}
	answer := func(member, a, b string) string {
		return `{"id":"a", "choices":[{"index":0,"` + member + `":{"tool_calls":[` + call(0, a) + `, ` + call(1, b) + `]},"finish_reason":null}]}`
	}
	for in, want := range map[[2]string][2]string{
		{"call_0", "call_1"}: {"call_0_2", "call_1"}, {"call_1", "call_1"}: {"call_1", "call_1_2"}, {"a", "b"}: {"a", "b"},
	} {
		compact := func(s string) string {
			var out bytes.Buffer
			if err := json.Compact(&out, []byte(s)); err != nil {
				t.Fatalf("%v: %s", err, s)
			}
			return out.String()
		}
		whole := answer("message", in[0], in[1])
		got := string(openai.Client{}.DistinctCallIDs([]byte(whole), req))
		if compact(got) != compact(answer("message", want[0], want[1])) || in == want && got != whole {
			t.Errorf("%v: %s", in, got)
		}
		stream := openai.Client{}.NewStreamPassthrough(req)
		for range 2 { // some providers repeat the ids in each chunk
			chunk := answer("delta", in[0], in[1])
			event := string(stream.Append(nil, "", []byte(chunk)))
			data, ok := strings.CutPrefix(strings.TrimSpace(event), "data: ")
			if !ok || compact(data) != compact(answer("delta", want[0], want[1])) || in == want && data != chunk {
				t.Errorf("%v, streamed: %s", in, event)
			}
		}
		if end := string(stream.Append(nil, "", []byte("[DONE]"))); end != "data: [DONE]\n\n" {
			t.Errorf("%q", end)
		}
	}
	if got := string(openai.Client{}.DistinctCallIDs([]byte("x"), req)); got != "x" {
		t.Error(got)
	}
}

// A file of text becomes text where files are PDF.
func TestPassthroughTextFile(t *testing.T) {
	const head, tail = `{"model":"m","messages":[{"role":"system","content":"a" },{"role":"user","content":`, `}]}`
	in := head + `[{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,aMOp"}},{"type":"text","text":"x"}]` + tail
	enc, ok := passThrough(t, in, "m", &openai.Rules{})
	if want := head + `[{"type":"text","text":"<document>\nTitle: a.txt\nhé\n</document>"},{"type":"text","text":"x"}]` + tail; !ok || string(enc.Body) != want {
		t.Errorf("%v %s", ok, enc.Body)
	}
	if enc, ok := passThrough(t, in, "m", &openai.Rules{Files: openai.FileObjectOrURL}); !ok || string(enc.Body) != in {
		t.Errorf("%v %s", ok, enc.Body)
	}
}

// Results of tools come in every form that programs write.
func TestResultContents(t *testing.T) {
	for content, want := range map[string]string{
		`"a"`: "a", `""`: "", `null`: "", ``: "", `[]`: "", `[{"type":"text","text":"a"}]`: "a", `{"a": 1}`: `{"a":1}`, `7`: "7", `false`: "false", `["a", "b"]`: `["a","b"]`,
	} {
		member := `,"content":` + content
		if content == "" {
			member = ""
		}
		in := `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
			{"role":"tool","tool_call_id":"c"` + member + `}]}`
		req, _, err := new(openai.Server).DecodeRequest([]byte(in))
		if err != nil {
			t.Fatalf("%s: %v", content, err)
		}
		passed, ok := passThrough(t, in, "m", &openai.Rules{})
		anew, err := openai.Client{}.EncodeRequest(req)
		for _, enc := range []dialect.Encoded{passed, anew} {
			var sent struct{ Messages []struct{ Content any } }
			if json.Unmarshal(enc.Body, &sent); !ok || err != nil || len(sent.Messages) != 3 {
				t.Fatalf("%s: %v %v %s", content, ok, err, enc.Body)
			}
			got := sent.Messages[2].Content
			if parts, isList := got.([]any); isList && len(parts) == 1 {
				got = parts[0].(map[string]any)["text"]
			}
			if got != want {
				t.Errorf("%s became %v", content, got)
			}
		}
	}
}

// Usage that a provider sends unasked passes; usage that the gateway asked for does not.
func TestUnaskedUsagePasses(t *testing.T) {
	const last = `{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`
	for _, asks := range []bool{false, true} {
		for _, wanted := range []bool{false, true} {
			stream := openai.Client{Rules: &openai.Rules{AsksStreamUsage: asks}}.NewStreamPassthrough(&chat.Request{StreamUsage: wanted})
			got := string(stream.Append(nil, "", []byte(last)))
			if want := !asks || wanted; strings.Contains(got, "usage") != want {
				t.Errorf("the gateway asks %v, the caller %v: %s", asks, wanted, got)
			}
		}
	}
	// Answers that are written anew, of providers that do not follow the dialect in all, have it in the last chunk, too.
	for _, unasked := range []bool{false, true} {
		enc := new(openai.Server).NewStreamEncoder(dialect.Served{UnaskedUsage: unasked, Request: &chat.Request{}})
		var out []byte
		for _, ev := range []chat.Event{{Kind: chat.EventText, Text: "Hi"}, {Kind: chat.EventFinish, Finish: chat.FinishStop},
			{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 3, Output: 4}}, {Kind: chat.EventEnd}} {
			out = enc.Encode(out, &ev)
		}
		chunks := strings.Split(strings.TrimSpace(string(out)), "\n\n")
		finish := chunks[len(chunks)-2]
		if strings.Contains(finish, `"usage":{"prompt_tokens":3`) != unasked || !strings.Contains(finish, `"finish_reason":"stop"`) ||
			strings.Contains(string(out), `"usage":null`) || !strings.HasSuffix(string(out), "data: [DONE]\n\n") {
			t.Errorf("unasked %v: %s", unasked, out)
		}
	}
	enc := new(openai.Server).NewStreamEncoder(dialect.Served{UnaskedUsage: true, Request: &chat.Request{}})
	out := enc.Encode(enc.Encode(nil, &chat.Event{Kind: chat.EventFinish, Finish: chat.FinishStop}), &chat.Event{Kind: chat.EventEnd})
	if strings.Contains(string(out), "usage") || !strings.Contains(string(out), `"finish_reason":"stop"`) {
		t.Errorf("without usage: %s", out)
	}
}

func TestCompleteAnswer(t *testing.T) {
	for in, want := range map[string]string{
		`{"id":"a"}`:                               `{"id":"a","system_fingerprint":null}`,
		"\n{\"id\":\"a\" }\n":                      "\n{\"id\":\"a\" ,\"system_fingerprint\":null}\n",
		`{"system_fingerprint" : "fp"}`:            `{"system_fingerprint" : "fp"}`,
		`{"content":"\"system_fingerprint\": \""}`: `{"content":"\"system_fingerprint\": \"","system_fingerprint":null}`,
		``:   ``,
		`[]`: `[]`,
	} {
		if got := string(openai.Client{}.CompleteAnswer([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
