package emulator

import (
	"strings"
	"testing"
)

func contentOf(role, text string) object {
	return object{"role": role, "parts": []any{object{"text": text}}}
}

func TestGenerateStrictness(t *testing.T) {
	declare := func(f object) object {
		return object{"tools": []any{object{"functionDeclarations": []any{merge(object{"name": "now"}, f)}}}}
	}
	config := func(c object) object { return object{"generationConfig": c} }
	thinking := func(c object) object { return config(object{"thinkingConfig": c}) }
	call := object{"role": "model", "parts": []any{object{"functionCall": object{"name": "now", "args": object{}}}}}
	result := object{"role": "user",
		"parts": []any{object{"functionResponse": object{"name": "now", "response": object{"result": "noon"}}}}}
	calling := func(f object) object {
		return merge(declare(nil), object{"toolConfig": object{"functionCallingConfig": f}})
	}
	tests := map[string]struct {
		model string
		more  object
		part  string // of the error; empty: it is taken
	}{
		"unknown name": {"", object{"messages": []any{}},
			`Invalid JSON payload received. Unknown name \"messages\": Cannot find field.`},
		"unknown below": {"", config(object{"maxTokens": 5}), `Unknown name \"maxTokens\" at 'generation_config': Cannot find field.`},
		"unknown in part": {"",
			object{"contents": []any{object{"parts": []any{object{"text": "hi", "type": "text"}}}}}, `at 'contents[0].parts[0]'`},
		"all at once": {"", object{"a": 1, "b": 2}, `\"b\"`},
		"snake case": {"",
			object{"system_instruction": object{"parts": []any{object{"text": "be kind"}}},
				"generation_config": object{"max_output_tokens": "5"}}, ""},
		"wrong type":  {"", config(object{"temperature": "hot"}), "TYPE_NUMBER"},
		"wrong word":  {"", calling(object{"mode": "OFTEN"}), "TYPE_ENUM"},
		"lower case":  {"", calling(object{"mode": "any"}), ""},
		"no contents": {"", object{"contents": []any{}}, "contents is not specified"},
		"role":        {"", object{"contents": []any{contentOf("assistant", "hi")}}, "valid role: user, model"},
		"empty part": {"", object{"contents": []any{object{"role": "user", "parts": []any{object{}}}}},
			"required oneof field 'data'"},
		"two data": {"",
			object{"contents": []any{object{"role": "user",
				"parts": []any{object{"text": "a", "inlineData": object{"mimeType": "image/png", "data": "aGk="}}}}}}, "already set"},
		"bad base64": {"",
			object{"contents": []any{object{"role": "user",
				"parts": []any{object{"inlineData": object{"mimeType": "image/png", "data": "%"}}}}}}, "Base64 decoding failed"},
		"image on the web": {"",
			object{"contents": []any{object{"role": "user",
				"parts": []any{object{"fileData": object{"fileUri": "https://a.example/b.png"}}}}}}, "unsupported file uri"},
		"temperature":    {"", config(object{"temperature": 2.5}), "range [0.0, 2.0]"},
		"six stops":      {"", config(object{"stopSequences": []string{"a", "b", "c", "d", "e", "f"}}), "must not exceed 5"},
		"candidates":     {"", config(object{"candidateCount": 2}), "Multiple candidates"},
		"schema without": {"", config(object{"responseSchema": object{"type": "OBJECT"}}), "only allowed when response_mime_type"},
		"schema": {"",
			config(object{"responseMimeType": "application/json",
				"responseSchema": object{"type": "object", "properties": object{"additionalProperties": object{"type": "string"}}}}), ""},
		"too much schema": {"",
			config(object{"responseMimeType": "application/json",
				"responseSchema": object{"type": "OBJECT", "additionalProperties": false}}),
			`Unknown name \"additionalProperties\" at 'generation_config.response_schema'`},
		"json schema": {"",
			config(object{"responseMimeType": "application/json",
				"responseJsonSchema": object{"type": "object", "additionalProperties": false}}), ""},
		"types": {"",
			declare(object{"parameters": object{"type": "OBJECT",
				"properties": object{"a": object{"type": []string{"string", "null"}}}}}), "parameters.properties.a.type"},
		"function name": {"", declare(object{"name": "9 lives"}), "Invalid function name"},
		"both parameters": {"",
			declare(object{"parameters": object{"type": "OBJECT"}, "parametersJsonSchema": object{}}), "only one of"},
		"allowed":        {"", calling(object{"mode": "ANY", "allowedFunctionNames": []string{"now"}}), ""},
		"allowed nobody": {"", calling(object{"mode": "ANY", "allowedFunctionNames": []string{"x"}}), "not among"},
		"allowed, auto": {"", calling(object{"mode": "AUTO", "allowedFunctionNames": []string{"now"}}),
			"only be set when the mode is ANY"},
		"both ways to think": {"gemini-3.1-pro-preview",
			thinking(object{"thinkingBudget": 128, "thinkingLevel": "LOW"}), "only one of thinking budget and thinking level"},
		"level of old":       {"", thinking(object{"thinkingLevel": "LOW"}), "Thinking level is not supported"},
		"level":              {"gemini-3.8-flash", thinking(object{"thinkingLevel": "low"}), ""},
		"least level":        {"gemini-3.8-flash", thinking(object{"thinkingLevel": "MINIMAL"}), "MINIMAL is not supported"},
		"most level":         {"gemini-4-hydrogen", thinking(object{"thinkingLevel": "XHIGH"}), ""},
		"too much level":     {"gemini-4-argon", thinking(object{"thinkingLevel": "XHIGH"}), "XHIGH is not supported"},
		"no budget":          {"gemini-2.5-pro", thinking(object{"thinkingBudget": 0}), "Budget 0 is invalid"},
		"no budget of flash": {"", thinking(object{"thinkingBudget": 0}), ""},

		"pair": {"", object{"contents": []any{contentOf("user", "hi"), call, result}}, ""},
		"no response": {"", object{"contents": []any{contentOf("user", "hi"), call, contentOf("user", "well?")}},
			"number of function response parts"},
		"no call":    {"", object{"contents": []any{result}}, "immediately after a function call turn"},
		"call first": {"", object{"contents": []any{call, result}}, "immediately after a user turn"},
		"unsigned": {"gemini-3.1-pro-preview", object{"contents": []any{contentOf("user", "hi"), call, result}},
			"missing a thought_signature in functionCall parts"},
		"of an old turn": {"gemini-3.1-pro-preview",
			object{"contents": []any{contentOf("user", "hi"), call, result, contentOf("model", "noon"), contentOf("user", "thanks")}}, ""},
		"said so": {"gemini-3.1-pro-preview", object{"contents": []any{contentOf("user", "hi"), object{"role": "model", "parts": []any{
			object{"functionCall": object{"name": "now"}, "thoughtSignature": "skip_thought_signature_validator"}}}, result}}, ""},
		"forged": {"", object{"contents": []any{contentOf("user", "hi"), object{"role": "model", "parts": []any{
			object{"functionCall": object{"name": "now"}, "thoughtSignature": "c2ln"}}}, result}}, "Thought signature is not valid"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.model == "" {
				tt.model = "gemini-2.5-flash"
			}
			body := merge(object{"contents": []any{contentOf("user", "hi")}}, tt.more)
			status, text := newClient(t).post("gemini", "/v1beta/models/"+tt.model+":generateContent", body)
			if tt.part == "" && status != 200 || tt.part != "" &&
				(status != 400 || !strings.Contains(text, tt.part) || !strings.Contains(text, `"INVALID_ARGUMENT"`)) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
}

// A signature is valid only on the call for which it was made.
func TestThoughtSignaturesAreReplayed(t *testing.T) {
	const path = "/v1beta/models/gemini-3.1-pro-preview:generateContent"
	cl := newClient(t)
	_, first := encodeGenerate("")(request{prompt: "call all", tools: true})
	parts := items(dig(parse(t, cl.good("gemini", path, first)), "candidates", 0, "content", "parts"))
	if len(parts) != 2 || str(dig(parts, 0, "thoughtSignature")) == "" || dig(parts, 1, "thoughtSignature") != nil {
		t.Fatalf("%v", parts)
	}
	if a, b := str(dig(parts, 0, "functionCall", "id")), str(dig(parts, 1, "functionCall", "id")); len(a) != 8 || len(b) != 8 || a == b {
		t.Errorf("the ids of the calls are %q and %q", a, b)
	}
	answer := func(name, says string) object {
		return object{"functionResponse": object{"name": name, "response": object{"output": says}}}
	}
	replay := func(parts []any) object {
		return merge(first, object{"contents": []any{contentOf("user", "call all"), object{"role": "model", "parts": parts},
			object{"role": "user", "parts": []any{answer("weather", "sunny"), answer("now", "noon")}}}})
	}
	if text := cl.good("gemini", path, replay(parts)); !strings.Contains(text, "The tool said: sunny; noon") ||
		!strings.Contains(text, "thoughtSignature") {
		t.Errorf("%s", text)
	}
	lost := merge(parts[0].(map[string]any), object{"thoughtSignature": nil})
	if status, text := cl.post("gemini", path, replay([]any{lost, parts[1]})); status != 400 ||
		!strings.Contains(text, "missing a thought_signature") {
		t.Errorf("%d %s", status, text)
	}
	moved := merge(parts[1].(map[string]any), object{"thoughtSignature": dig(parts, 0, "thoughtSignature")})
	if status, text := cl.post("gemini", path, replay([]any{moved, parts[0]})); status != 400 || !strings.Contains(text, "not valid") {
		t.Errorf("%d %s", status, text)
	}
}

func TestGenerateBlocksAndCounts(t *testing.T) {
	cl := newClient(t)
	path := "/v1beta/models/gemini-2.5-flash:"
	v := parse(t, cl.good("gemini", path+"generateContent", object{"contents": []any{contentOf("user", "refuse")}}))
	if dig(v, "promptFeedback", "blockReason") != "PROHIBITED_CONTENT" || v["candidates"] != nil ||
		num(dig(v, "usageMetadata", "promptTokenCount")) == 0 {
		t.Errorf("%v", v)
	}
	v = parse(t, cl.good("gemini", path+"generateContent", object{"contents": []any{contentOf("user", "refuse midway")}}))
	if dig(v, "candidates", 0, "finishReason") != "SAFETY" {
		t.Errorf("%v", v)
	}
	request := object{"contents": []any{contentOf("user", "one two")}, "systemInstruction": object{"parts": []any{object{"text": "three"}}}}
	for body, want := range map[*object]float64{
		{"contents": []any{contentOf("user", "one two")}}:                                      5,
		{"generateContentRequest": merge(request, object{"model": "models/gemini-2.5-flash"})}: 9,
	} {
		if v := parse(t, cl.good("gemini", path+"countTokens", *body)); v["totalTokens"] != want {
			t.Errorf("%v", v)
		}
	}
	if status, text := cl.post("gemini", path+"countTokens", object{"generateContentRequest": request}); status != 400 {
		t.Errorf("without a model: %d %s", status, text)
	}
}

// The errors of a stream that is an array are in an array; those of server-sent events are not.
func TestGenerateErrorsBeforeAStream(t *testing.T) {
	cl := newClient(t)
	for query, first := range map[string]string{"": "[", "?alt=sse": "{"} {
		status, text := cl.post("gemini", "/v1beta/models/gemini-2.5-flash:streamGenerateContent"+query, object{"x": 1})
		if status != 400 || text[:1] != first {
			t.Errorf("%q: %d %s", query, status, text)
		}
	}
}

func TestGoogleKeyInTheQuery(t *testing.T) {
	cl := newClient(t)
	resp, text, err := cl.send("POST", "gemini", "/v1beta/models/gemini-2.5-flash:generateContent?key="+goodKey, "",
		object{"contents": []any{contentOf("user", "hi")}})
	if err != nil || resp.StatusCode != 200 || cl.e.Requests()[0].Key != goodKey {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}
