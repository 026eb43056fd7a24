package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
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
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// passThrough decodes the body as the gateway does and passes it through for the model.
func passThrough(t testing.TB, in []byte, model string, form gemini.Form, rules *gemini.Rules) (dialect.Encoded, bool) {
	t.Helper()
	req, _, err := gemini.NewServer("asked", form).DecodeRequest(in)
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	sent := *req
	sent.Model = model
	return gemini.Client{Rules: rules}.PassthroughRequest(in, &sent, nil)
}

func one(m gemini.ModelRules) *gemini.Rules {
	m.Match = func(string) bool { return true }
	return &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "p"}, Models: []gemini.ModelRules{m}}
}

func TestPassthroughChangesNothing(t *testing.T) {
	for _, in := range []string{
		`{"contents":[{"parts":[{"text":"hi"}]}]}`,
		"\r\n{ \"system_instruction\":{\"parts\":{\"text\":\"\\u0041\"}}, \"contents\" : [ {\"role\":\"model\", \"parts\":[{\"text\":\"a\",\"thought\":true,\"thoughtSignature\":\"c2ln\"},{\"functionCall\":{\"name\":\"f\"},\"thought_signature\":\"dHM=\"}]} ,\n{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{ }},\"partMetadata\":{\"x\":1}},{\"fileData\":{\"fileUri\":\"https://e.com/a\"}}]}],\t\"safetySettings\" :[{\"category\":\"x\"}],\"labels\":{\"a\":\"b\"},\"store\":true, \"generationConfig\":{\"temperature\":0.70,\"topP\":1e-1 , \"max_output_tokens\":\"16\",\"mediaResolution\":\"LOW\",\"seed\":null,\"thinkingConfig\":{\"includeThoughts\":true,\"thinking_budget\":-1},\"responseMimeType\":\"application/json\",\"responseSchema\":{\"type\":\"OBJECT\"},\"candidateCount\":2},\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\"},\"behavior\":\"x\"}]},{\"googleSearch\":{}}],\"serviceTier\":\"flex\",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"any\"}}} \n",
		`{"model":"models/m 1","contents":{"parts":{"text":"hi"}},"generation_config":{"thinkingConfig":{"thinkingLevel":"low"},"stopSequences":["a"]}}`,
	} {
		for form, path := range map[gemini.Form]string{
			gemini.Whole: "/v1beta/models/m%201:generateContent", gemini.SSE: "/v1beta/models/m%201:streamGenerateContent?alt=sse",
		} {
			enc, ok := passThrough(t, []byte(in), "m 1", form, &gemini.Rules{Models: one(gemini.ModelRules{ResultMediaInside: true}).Models})
			if !ok || string(enc.Body) != in || len(enc.Warnings) > 0 || enc.Path != path {
				t.Errorf("%v %q %s\n got %s\nwant %s", ok, enc.Warnings, enc.Path, enc.Body, in)
			}
		}
	}
}

func TestPassthroughEdits(t *testing.T) {
	const dropped = " is not supported by p for this model: dropped"
	levels := one(gemini.ModelRules{Thinking: gemini.ThinkingLevel, Efforts: []string{"low", "high"}})
	budgets := one(gemini.ModelRules{Thinking: gemini.ThinkingBudget, Budget: dialect.Range{Min: 128, Max: 1000}})
	clamped := &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "p", Clamp: map[string]dialect.Range{"temperature": {Min: 0, Max: 1}}}}
	for _, c := range []struct {
		in, want string // the members behind the contents
		rules    *gemini.Rules
		warnings []string
	}{
		{`"model" : "models/other"`, `"model" : "models/m"`, &gemini.Rules{}, nil},
		{`"service_tier":"flex","store":false`, `"store":false`, &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "p", Drop: []string{"serviceTier"}}}, []string{"serviceTier" + dropped}},
		{`"generationConfig":{ "temperature" : 2.0,"topP":1.0 }`, `"generationConfig":{ "temperature" : 1,"topP":1.0 }`, clamped, []string{"temperature is 2, but p takes 0 to 1: changed to 1"}},
		{`"generation_config":{"top_k":5,"seed":1}`, `"generation_config":{"seed":1}`, one(gemini.ModelRules{Drop: []string{"topK"}}), []string{"topK" + dropped}},
		{`"generationConfig":{"topP":0.5,"mediaResolution":"LOW"}`, `"generationConfig":{"mediaResolution":"LOW"}`, one(gemini.ModelRules{Drop: []string{"topP"}}), []string{"topP" + dropped}},
		{`"generationConfig":{"candidateCount":1}`, `"generationConfig":{}`, one(gemini.ModelRules{Drop: []string{"candidateCount"}}), nil},
		{`"generationConfig":{"stopSequences":["1","2","3","4","5","6"]}`, `"generationConfig":{"stopSequences":["1","2","3","4","5"]}`, &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "p"}}, []string{"p takes 5 stop sequences: the others are dropped"}},
		{`"generationConfig":{"stopSequences":["1"],"x":null}`, `"generationConfig":{"x":null}`, one(gemini.ModelRules{Drop: []string{"stopSequences"}}), []string{"stopSequences" + dropped}},
		{`"generationConfig":{"responseMimeType":"text/plain"}`, `"generationConfig":{}`, one(gemini.ModelRules{Drop: []string{"responseMimeType"}}), nil},
		{`"generationConfig":{"thinkingConfig":{"thinkingLevel":"high" }}`, `"generationConfig":{"thinkingConfig":{"thinkingLevel":"high" }}`, levels, nil},
		{`"generationConfig":{"thinkingConfig":{"includeThoughts":true}}`, `"generationConfig":{"thinkingConfig":{"includeThoughts":true}}`, levels, nil},
		{`"generationConfig":{"thinkingConfig":{"thinking_level":"MINIMAL","includeThoughts":true}}`, `"generationConfig":{"thinkingConfig":{"thinking_level":"LOW","includeThoughts":true}}`, levels, []string{"reasoning effort minimal is not known to this model: changed to low"}},
		{`"generationConfig":{"thinkingConfig":{"thinkingBudget":20000,"includeThoughts":true}}`, `"generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}}`, levels, []string{"this model of p takes no reasoning budget: 20000 tokens became the effort high"}},
		{`"generationConfig":{"thinkingConfig":{"thinkingBudget":500}}`, `"generationConfig":{"thinkingConfig":{"thinkingBudget":500}}`, budgets, nil},
		{`"generationConfig":{"thinkingConfig":{"thinkingBudget":5000}}`, `"generationConfig":{"thinkingConfig":{"thinkingBudget":1000}}`, budgets, []string{"a reasoning budget of 5000 tokens is out of this model's range: changed to 1000"}},
		{`"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}`, `"generationConfig":{"thinkingConfig":{"thinkingBudget":1000}}`, budgets, nil},
		{`"generationConfig":{"seed":1,"thinkingConfig":{"thinkingLevel":"LOW"}}`, `"generationConfig":{"seed":1}`, one(gemini.ModelRules{Thinking: gemini.ThinkingDropped}), []string{"this model of p does not reason: reasoning is dropped"}},
		{`"generationConfig":{"thinkingConfig":{}}`, `"generationConfig":{}`, one(gemini.ModelRules{Drop: []string{"thinkingConfig"}}), []string{"thinkingConfig" + dropped}},
	} {
		const head = `{"contents":[{"parts":[{"text":"hi"}]}]`
		enc, ok := passThrough(t, []byte(head+","+c.in+"}"), "m", gemini.Whole, c.rules)
		if want := head + "," + c.want + "}"; !ok || string(enc.Body) != want || !slices.Equal(enc.Warnings, c.warnings) {
			t.Errorf("%s: %v %q\n got %s\nwant %s", c.in, ok, enc.Warnings, enc.Body, want)
		}
	}
}

// What the rules force in the conversation is written anew, and nothing beside it; what they force in schemas does not pass.
func TestPassthroughEncodesAnew(t *testing.T) {
	const call = `{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f"}%s}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}%s}}]}`
	const hi = `"contents":[{"parts":[{"text":"hi"}]}]`
	calls := func(signature, response string) string {
		return `"contents":[` + strings.Replace(strings.Replace(call, "%s", signature, 1), "%s", response, 1) + `]`
	}
	subset := one(gemini.ModelRules{SchemaSubset: true})
	const anew, gone, same = "anew", "gone", "same"
	for _, c := range []struct {
		name, in string
		rules    *gemini.Rules
		becomes  string
	}{
		{"another provider's reasoning", `"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"a","thought":true,"thoughtSignature":"bGxtZzF7fQ=="}]},{"parts":[{"text":"a"}]}]`, &gemini.Rules{}, anew},
		{"a call without a signature", calls("", ""), one(gemini.ModelRules{DemandsSignatures: true}), anew},
		{"a call with one", calls(`,"thoughtSignature":"c2ln"`, ""), one(gemini.ModelRules{DemandsSignatures: true}), same},
		{"a call without that needs none", calls("", ""), &gemini.Rules{}, same},
		{"media in a result", calls("", `,"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]`), &gemini.Rules{}, anew},
		{"media in a result of newer models", calls("", `,"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]`), one(gemini.ModelRules{ResultMediaInside: true}), same},
		{"instructions", hi + `,"systemInstruction":{"parts":[{"text":"a"}]}`, one(gemini.ModelRules{InstructionsInTurn: true}), anew},
		{"a mark that nobody knows, beside that", `"contents":[{"parts":[{"text":"a","newMark":1}]},{"role":"model","parts":[{"text":"a","thought":true,"thoughtSignature":"bGxtZzF7fQ=="}]},{"parts":[{"text":"a"}]}]`, &gemini.Rules{}, gone},
		{"a mark elsewhere", `"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"newKnob":1},"cachedContent":"c"`, &gemini.Rules{}, same},
		{"several answers", hi + `,"generationConfig":{"candidateCount":2}`, &gemini.Rules{CommonRules: dialect.CommonRules{SingleChoice: true}}, gone},
		{"JSON", hi + `,"generationConfig":{"responseMimeType":"application/json"}`, one(gemini.ModelRules{Drop: []string{"responseMimeType"}}), gone},
		{"a JSON schema", hi + `,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}`, subset, gone},
		{"a function's JSON schema", hi + `,"tools":{"function_declarations":[{"name":"f","parameters_json_schema":{"type":"object"}}]}`, subset, gone},
		{"a function's schema", hi + `,"tools":{"function_declarations":[{"name":"f","parameters":{"type":"object"}}]}`, subset, same},
	} {
		in := []byte(`{"safetySettings":[ {} ],` + c.in + "}")
		enc, ok := passThrough(t, in, "m", gemini.Whole, c.rules)
		if ok != (c.becomes != gone) {
			t.Errorf("%s: %v %s", c.name, ok, enc.Body)
		}
		want := string(in)
		if c.becomes == anew {
			req, _, err := gemini.NewServer("m", gemini.Whole).DecodeRequest(in)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := gemini.Client{Rules: c.rules}.EncodeRequest(req)
			if err != nil || !bytes.HasPrefix(enc.Body, []byte(`{"safetySettings":[ {} ],`)) {
				t.Errorf("%s: %v %s", c.name, err, enc.Body)
			}
			dialecttest.SameMembers(t, enc.Body, encoded.Body, "contents", "systemInstruction", "system_instruction")
		} else if ok && string(enc.Body) != want {
			t.Errorf("%s: %s", c.name, enc.Body)
		}
	}
	if _, ok := (gemini.Client{}).PassthroughRequest([]byte(`[]`), &chat.Request{}, nil); ok {
		t.Error("an array passes")
	}
}

func TestStreamPassthrough(t *testing.T) {
	p := gemini.Client{}.NewStreamPassthrough(&chat.Request{})
	if got := p.Append([]byte("x"), "", []byte(`{"candidates" : [] }`)); string(got) != "xdata: {\"candidates\" : [] }\n\n" {
		t.Errorf("%q", got)
	}
}

// What passes to a caller who streams without alt=sse becomes the elements of an array, and so does a failure after it.
func TestStreamPassthroughArray(t *testing.T) {
	events := []string{"data: {\"a\":1}\n\n", "", "data: {\ndata: \"b\":2}\n\ndata: {}\n\n"}
	encoder := func(form gemini.Form) dialect.StreamEncoder {
		return gemini.NewServer("m", form).NewStreamEncoder(served)
	}
	follow := func(e dialect.StreamEncoder, end chat.EventKind) (out []byte) {
		for i, raw := range events {
			kind := chat.EventText
			if i == len(events)-1 {
				kind = end
			}
			out = e.(dialect.PassthroughEncoder).AppendPassthrough(out, []byte(raw), kind)
		}
		return out
	}
	if got, want := string(follow(encoder(gemini.Array), chat.EventEnd)), "[{\"a\":1},\r\n{\n\"b\":2},\r\n{}]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(follow(encoder(gemini.SSE), chat.EventEnd)), strings.Join(events, ""); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e := encoder(gemini.Array)
	out := e.Error(follow(e, chat.EventError), &fault.Error{Code: fault.Provider, Message: "it broke"})
	var list []json.RawMessage
	if err := json.Unmarshal(out, &list); err != nil || len(list) != 4 {
		t.Errorf("%v: %s", err, out)
	}
	if got := string(encoder(gemini.Array).(dialect.PassthroughEncoder).AppendPassthrough(nil, nil, chat.EventEnd)); got != "[]" {
		t.Errorf("nothing is %q", got)
	}
}

// What Gemini alone may know passes to it as it came, and is an error where the request must be translated.
func TestForeign(t *testing.T) {
	common := dialect.CommonRules{Provider: "p"}
	clients := map[string]dialect.Client{
		"openai":    openai.Client{Rules: &openai.Rules{CommonRules: common}},
		"anthropic": anthropic.Client{Rules: &anthropic.Rules{CommonRules: common}},
		"gemini":    gemini.Client{Rules: &gemini.Rules{CommonRules: common}},
		"responses": responses.Client{Rules: &openai.Rules{CommonRules: common}},
	}
	hi := `{"contents":[{"parts":[{"text":"hi"}]}],`
	function := func(f string) string { return hi + `"tools":[{"functionDeclarations":[` + f + `]}]}` }
	inConfig := func(c string) string { return hi + `"generationConfig":{` + c + `}}` }
	for in, want := range map[string]string{
		hi + `"cachedContent":"cachedContents/x"}`:                                          "cachedContent: only Gemini has cached contents",
		hi + `"generation_confg":{}}`:                                                       "generation_confg: unknown field",
		hi + `"max_tokens":1}`:                                                              "max_tokens: unknown field",
		hi + `"Tools":[]}`:                                                                  `Tools: unknown field; did you mean "tools"?`,
		inConfig(`"newKnob":{"a":[1]}`):                                                     "generationConfig.newKnob: unknown field",
		inConfig(`"responseModalities":["TEXT","IMAGE"]`):                                   "generationConfig.responseModalities[1]: other providers are only asked for TEXT",
		inConfig(`"imageConfig":{"aspectRatio":"1:1"}`):                                     "generationConfig.imageConfig: other providers are only asked for text",
		inConfig(`"speechConfig":{}`):                                                       "generationConfig.speechConfig: other providers",
		inConfig(`"responseMimeType":"text/x.enum"`):                                        "generationConfig.responseMimeType: other providers know",
		inConfig(`"responseFormat":{"audio":{}}`):                                           "generationConfig.responseFormat.audio: other providers",
		inConfig(`"thinkingConfig":{"newKnob":1}`):                                          "generationConfig.thinkingConfig.newKnob: unknown field",
		function(`{"name":"f","strict":true}`):                                              "tools[0].functionDeclarations[0].strict: unknown field",
		hi + `"tools":[{"newTool":{}}]}`:                                                    "tools[0].newTool: unknown field",
		hi + `"toolConfig":{"functionCallingConfig":{"streamFunctionCallArguments":true}}}`: "toolConfig.functionCallingConfig.streamFunctionCallArguments: only Gemini sends",
		hi + `"toolConfig":{"x":true}}`:                                                     "toolConfig.x: unknown field",
		contents("user", `{"text":"a","newMark":1}`):                                        "contents[0].parts[0].newMark: unknown field",
		contents("user", `{"newPart":{}}`):                                                  "contents[0].parts[0].newPart: unknown field",
		contents("model", `{"newPart":{}}`):                                                 "contents[0].parts[0].newPart: unknown field",
		contents("user", `{"inlineData":{"mimeType":"a/b","data":"QQ==","x":1}}`):           "contents[0].parts[0].inlineData.x: unknown field",
		contents("model", `{"functionCall":{"name":"f","willContinue":true}}`):              "contents[0].parts[0].functionCall.willContinue: calls in pieces",
	} {
		if enc, ok := passThrough(t, []byte(in), "m", gemini.Whole, &gemini.Rules{}); !ok || string(enc.Body) != in || len(enc.Warnings) > 0 {
			t.Errorf("%v %q %s\n got %s\nwant %s", ok, enc.Warnings, enc.Path, enc.Body, in)
		}
		req, _, err := gemini.NewServer("asked", gemini.Whole).DecodeRequest([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		for name, client := range clients {
			_, err := client.EncodeRequest(req)
			path, problem, _ := strings.Cut(want, ": ")
			var e *chat.Error
			if !errors.As(err, &e) || e.Class != chat.BadRequest || e.Param != path || !strings.Contains(e.Message, path+" cannot be sent to p") || !strings.Contains(e.Message, problem) {
				t.Errorf("%s, %s: %v", in, name, err)
			}
		}
	}
}

func TestEncodedRequestPassthrough(t *testing.T) {
	for seed := range uint64(500) {
		req := randomRequest(rand.New(rand.NewPCG(seed, 6)))
		dialecttest.PassesThrough(t, gemini.Client{}, gemini.NewServer(req.Model, gemini.Whole), req)
	}
}
