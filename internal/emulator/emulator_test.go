package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// testRequests are requests for each kind of answer, with the expected results.
func testRequests() map[string]struct {
	request request
	want    result // text, reasoning, finish and calls, where not empty
} {
	city := `{"city":"Zürich 🌍","days":7}`
	return map[string]struct {
		request request
		want    result
	}{
		"text":    {request{prompt: "echo: Grüße, Welt 🌍!"}, result{text: "Grüße, Welt 🌍!", finish: "stop"}},
		"words":   {request{prompt: "words: 3"}, result{text: "word word word", finish: "stop"}},
		"thought": {request{prompt: "think: twice about <it>", think: true}, result{text: "I have thought about it.", finish: "stop"}},
		"call":    {request{prompt: "call", tools: true}, result{finish: "tool_calls", calls: [4]string{"weather" + city}}},
		"calls":   {request{prompt: "call all", tools: true}, result{finish: "tool_calls", calls: [4]string{"weather" + city, "now{}"}}},
		"noarg":   {request{prompt: "noarg", tools: true}, result{finish: "tool_calls", calls: [4]string{"now{}"}}},
		"length":  {request{prompt: "words: 50", limit: 18}, result{finish: "length"}},
		"stop":    {request{prompt: "echo: one STOP two", stop: "STOP"}, result{text: "one ", finish: "stop"}},
		"refuse":  {request{prompt: "refuse"}, result{}},
		"midway":  {request{prompt: "refuse midway"}, result{text: "First you take"}},
	}
}

func TestStreamSaysWhatTheWholeAnswerSays(t *testing.T) {
	hostile := Behaviour{ChunkBytes: 3, CRLF: true, Comments: true, Padding: true, BlankLines: true, Unknown: true, HugeBytes: 100}
	for _, c := range carriers() {
		for name, q := range testRequests() {
			if name == "stop" && c.name == "responses" {
				continue // it has no stop sequences
			}
			for manner, b := range map[string]Behaviour{"plain": {}, "hostile": hostile} {
				t.Run(c.name+"/"+name+"/"+manner, func(t *testing.T) {
					cl := newClient(t)
					cl.e.Set(Match{}, b)
					req := q.request
					path, body := c.request(req)
					whole := c.whole(t, strings.TrimSpace(cl.good(c.provider, path, body)))
					req.stream = true
					path, body = c.request(req)
					text := cl.good(c.provider, path, body)
					streamed := c.streamed(t, text)
					if c.name == "messages" {
						whole.reasoned, streamed.reasoned = 0, 0
					}
					if whole != streamed {
						t.Errorf("whole    %+v\nstreamed %+v\n%s", whole, streamed, text)
					}
					if whole.finish == "" || whole.prompt == 0 || whole.completion == 0 && whole.refusal == "" {
						t.Errorf("no finish reason or no usage: %+v", whole)
					}
					checkHeard(t, whole, q.want)
				})
			}
		}
	}
}

func checkHeard(t *testing.T, got, want result) {
	t.Helper()
	if want.text != "" && got.text != want.text || want.finish != "" && got.finish != want.finish ||
		want.calls[0] != "" && got.calls != want.calls {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReasoningIsShownWhereTheProviderShowsIt(t *testing.T) {
	cl := newClient(t)
	for _, c := range carriers() {
		path, body := c.request(request{prompt: "think: twice about it", think: true})
		h := c.whole(t, strings.TrimSpace(cl.good(c.provider, path, body)))
		want := "twice about it"
		if c.name == "openai" || c.name == "xai" {
			want = "" // chat completions count it only
		}
		if h.reasoning != want || h.reasoned != 3 && c.name != "messages" {
			t.Errorf("%s: %+v", c.name, h)
		}
	}
}

var everyFault = []Fault{RateLimit, DailyQuota, SpendLimit, NoCredit, BadKey, Forbidden, NoModel, TooLong, Policy,
	TooLarge, ServerError, HTMLError, EmptyError, Overloaded, Timeout, BadToolCall}

func TestFaultsOfEveryProvider(t *testing.T) {
	cl := newClient(t)
	for _, c := range carriers() {
		for _, f := range everyFault {
			for _, stream := range []bool{false, true} {
				path, body := c.request(request{prompt: "hi", stream: stream})
				resp, text, err := cl.send("POST", c.provider, path, "sk-emulated-fault-"+string(f), body)
				if err != nil {
					t.Fatal(err)
				}
				if inside := c.provider == "gemini" && (f == Policy || f == BadToolCall); inside {
					if resp.StatusCode != 200 || !strings.Contains(text, "PROHIBITED_CONTENT") &&
						!strings.Contains(text, "MALFORMED_FUNCTION_CALL") {
						t.Errorf("%s %s: %d %s", c.name, f, resp.StatusCode, text)
					}
					continue
				}
				if resp.StatusCode < 400 || f != HTMLError && f != EmptyError && !json.Valid([]byte(text)) {
					t.Errorf("%s %s: %d %s", c.name, f, resp.StatusCode, text)
				}
			}
		}
	}
}

// Clients tell some faults apart by the words of their errors.
func TestFaultsHaveTheProvidersWords(t *testing.T) {
	tests := []struct {
		carrier string
		fault   Fault
		status  int
		part    string
	}{
		{"messages", Overloaded, 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_`},
		{"messages", BadKey, 401, `"authentication_error"`},
		{"messages", NoModel, 404, `"message":"model: claude-haiku-4-5"`},
		{"messages", NoCredit, 402, `"billing_error"`},
		{"messages", SpendLimit, 429, `"error_code":"enforced_spend_limit_reached"`},
		{"messages", TooLong, 400, `prompt is too long: `},
		{"messages", TooLarge, 413, `"request_too_large"`},
		{"messages", Timeout, 504, `"timeout_error"`},
		{"messages", Forbidden, 403, `"permission_error"`},
		{"generate", BadKey, 400, `"reason": "API_KEY_INVALID"`},
		{"generate", NoCredit, 429, `prepayment credits are depleted`},
		{"generate", DailyQuota, 429, `PerDay`},
		{"generate", Overloaded, 503, `"UNAVAILABLE"`},
		{"generate", NoModel, 404, `models/gemini-3.1-pro-preview is not found`},
		{"generate", Timeout, 504, `"DEADLINE_EXCEEDED"`},
		{"array", Overloaded, 503, `"UNAVAILABLE"`},
		{"responses", NoModel, 400, `"model_not_found"`},
		{"openai", NoModel, 404, `"model_not_found"`},
		{"openai", SpendLimit, 429, `"project_spend_limit_exceeded"`},
		{"groq", BadToolCall, 400, `"tool_use_failed"`},
		{"together", TooLong, 403, `maximum context length`},
		{"deepseek", NoCredit, 402, `Insufficient Balance`},
	}
	cl := newClient(t)
	for _, tt := range tests {
		c := carrierOf(t, tt.carrier)
		path, body := c.request(request{prompt: "hi"})
		resp, text, err := cl.send("POST", c.provider, path, "sk-emulated-fault-"+string(tt.fault), body)
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(text, tt.part) {
			t.Errorf("%s %s: %d %s %v", tt.carrier, tt.fault, resp.StatusCode, text, err)
		}
	}
}

func carrierOf(t *testing.T, name string) carrier {
	t.Helper()
	list := carriers()
	i := slices.IndexFunc(list, func(c carrier) bool { return c.name == name })
	if i < 0 {
		t.Fatal("no carrier ", name)
	}
	return list[i]
}

// The provider sends each of its hints, and only the one that is set.
func TestHints(t *testing.T) {
	for _, c := range carriers() {
		for _, hint := range append([]Hint{NoHint, OwnHint}, profileOf(c.provider).hints...) {
			t.Run(c.name+"/"+string(hint), func(t *testing.T) {
				cl := newClient(t)
				now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
				cl.e.now = func() time.Time { return now }
				cl.e.Set(Match{}, Behaviour{Fault: RateLimit, Hint: hint})
				path, body := c.request(request{prompt: "hi"})
				resp, text, err := cl.send("POST", c.provider, path, goodKey, body)
				if err != nil || resp.StatusCode != 429 {
					t.Fatalf("%v %s", err, text)
				}
				h := resp.Header
				told := h.Get("Retry-After") == "7" || h.Get("Retry-After-Ms") == "7000" || strings.Contains(text, `"retryDelay": "7s"`) ||
					strings.Contains(text, "in 7s.") || strings.Contains(text, `"retry_after":7`) ||
					slices.Contains([]string{"7s", "7", "1795521607000"},
						h.Get("X-Ratelimit-Reset-Requests")+h.Get("X-Ratelimit-Reset")+h.Get("X-Ratelimit-Reset-Tokens-Minute")) ||
					h.Get("Anthropic-Ratelimit-Requests-Reset") == "2026-11-24T12:00:07Z"
				if told != (hint != NoHint) {
					t.Errorf("%v %s", h, text)
				}
			})
		}
	}
}

func TestWrongKeys(t *testing.T) {
	cl := newClient(t)
	for _, c := range carriers() {
		path, body := c.request(request{prompt: "hi"})
		for key, want := range map[string]int{"invalid-key-123": 401, "": 401} {
			if c.provider == "gemini" {
				want = map[string]int{"invalid-key-123": 400, "": 403}[key]
			}
			if c.provider == "xai" {
				want = 400 // docs.x.ai/developers/debugging
			}
			resp, text, err := cl.send("POST", c.provider, path, key, body)
			if err != nil || resp.StatusCode != want || !json.Valid([]byte(text)) {
				t.Errorf("%s with %q: %d %s", c.name, key, resp.StatusCode, text)
			}
		}
		if seen := cl.e.Requests(); seen[len(seen)-1].Provider != c.provider {
			t.Errorf("%s: recorded as %+v", c.name, seen[len(seen)-1])
		}
	}
}

func TestRecordedKeepsTheKeyOfAnyHeader(t *testing.T) {
	cl := newClient(t)
	for _, c := range carriers() {
		path, body := c.request(request{prompt: "hi"})
		cl.good(c.provider, path, body)
		if seen := cl.e.Requests(); seen[len(seen)-1].Key != goodKey || seen[len(seen)-1].Status != 200 {
			t.Errorf("%s: %+v", c.name, seen[len(seen)-1])
		}
	}
}

func TestStreamsThatEndEarly(t *testing.T) {
	behaviours := map[string]Behaviour{
		"reset":   {Cut: CutReset, After: 4},
		"eof":     {Cut: CutEOF, After: 4},
		"error":   {ErrorEvent: true, After: 4},
		"garbage": {Garbage: true, After: 4},
		"early":   {ErrorIn200: true},
	}
	for _, c := range carriers() {
		for name, b := range behaviours {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				cl := newClient(t)
				cl.e.Set(Match{Times: 1}, b)
				path, body := c.request(request{prompt: "words: 20", stream: true})
				resp, text, err := cl.send("POST", c.provider, path, goodKey, body)
				if resp == nil || resp.StatusCode != 200 || strings.Contains(text, c.end) || (err != nil) != (name == "reset") {
					t.Errorf("%v: %s", err, text)
				}
				if words := strings.Count(text, "word "); words == 0 && name != "early" && c.name != "responses" &&
					c.name != "messages" || words > 8 {
					t.Errorf("%d words: %s", words, text)
				}
				if told := strings.Contains(strings.ToLower(text), "overloaded"); told != (name == "error" || name == "early") {
					t.Errorf("an error in the stream: %v: %s", told, text)
				}
				if text := cl.good(c.provider, path, body); !strings.Contains(text, c.end) {
					t.Errorf("the second answer is cut as well: %s", text)
				}
			})
		}
	}
}

func TestWholeAnswersThatGoWrong(t *testing.T) {
	for _, c := range carriers() {
		for name, tt := range map[string]struct {
			b     Behaviour
			valid bool
			part  string
		}{
			"cut":     {Behaviour{Cut: CutEOF}, false, ""},
			"garbage": {Behaviour{Garbage: true}, false, ""},
			"in 200":  {Behaviour{ErrorIn200: true}, true, "verloaded"},
			"blank":   {Behaviour{BlankLines: true}, true, "\n"},
			"silent":  {Behaviour{BodyDelayMs: 5, FirstByteMs: 5, ChunkBytes: 2}, true, ""},
			"unknown": {Behaviour{Unknown: true, ContentType: "text/plain"}, true, "nobody_knows"},
			"said":    {Behaviour{Text: "As the test wants it."}, true, "As the test wants it."},
		} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				cl := newClient(t)
				cl.e.Set(Match{}, tt.b)
				path, body := c.request(request{prompt: "hi"})
				status, text := cl.post(c.provider, path, body)
				if status != 200 || json.Valid([]byte(text)) != tt.valid || !strings.Contains(text, tt.part) {
					t.Errorf("%d %s", status, text)
				}
			})
		}
	}
}

func TestToolResultsAreReflected(t *testing.T) {
	const png = "iVBORw0KGgo="
	tests := map[string]struct {
		provider, path string
		body           object
		want           string
	}{
		"chat": {"openai", "/chat/completions", object{"model": "gpt-4o-mini", "messages": []any{
			object{"role": "user", "content": "hi"},
			object{"role": "assistant", "content": nil, "tool_calls": []any{
				object{"id": "a", "type": "function",
					"function": object{"name": "now", "arguments": "{}"}},
				object{"id": "b", "type": "function", "function": object{"name": "now", "arguments": "{}"}}}},
			object{"role": "tool", "tool_call_id": "a", "content": "noon"},
			object{"role": "tool", "tool_call_id": "b", "content": "night"}}}, "The tool said: noon; night"},
		"responses": {"openai", "/responses", object{"model": "gpt-4.1", "input": []any{
			object{"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}"},
			object{"type": "function_call_output", "call_id": "a", "output": []any{object{"type": "input_text", "text": "noon"},
				object{"type": "input_image", "image_url": "data:image/png;base64," + png}}}}},
			"The tool said: noon [image image/png 8 bytes]"},
		"messages": {"anthropic", "/v1/messages", object{"model": "claude-haiku-4-5", "max_tokens": 100, "messages": []any{
			object{"role": "user", "content": "hi"},
			object{"role": "assistant",
				"content": []any{object{"type": "tool_use", "id": "a", "name": "now", "input": object{}},
					object{"type": "tool_use", "id": "b", "name": "now", "input": object{}}}},
			object{"role": "user",
				"content": []any{object{"type": "tool_result", "tool_use_id": "a", "content": "broken", "is_error": true},
					object{"type": "tool_result", "tool_use_id": "b", "content": []any{object{"type": "text", "text": "noon"},
						object{"type": "image",
							"source": object{"type": "base64", "media_type": "image/png", "data": png}}}}}}}},
			"The tool said: (error) broken; noon [image image/png 8 bytes]"},
		"generate": {"gemini", "/v1beta/models/gemini-2.5-flash:generateContent", object{"contents": []any{
			object{"role": "user", "parts": []any{object{"text": "hi"}}},
			object{"role": "model",
				"parts": []any{object{"functionCall": object{"name": "now", "args": object{}}},
					object{"functionCall": object{"name": "now"}}}},
			object{"role": "user", "parts": []any{object{"functionResponse": object{"name": "now", "response": object{"error": "broken"}}},
				object{"functionResponse": object{"name": "now", "response": object{"result": "noon"},
					"parts": []any{object{"inlineData": object{"mimeType": "image/png", "data": png}}}}}}}}},
			"The tool said: (error) broken; noon [image image/png 8 bytes]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if text := newClient(t).good(tt.provider, tt.path, tt.body); !strings.Contains(text, tt.want) {
				t.Errorf("%s", text)
			}
		})
	}
}

func TestImagesAreSeen(t *testing.T) {
	const png = "iVBORw0KGgo="
	text := object{"type": "text", "text": "echo: look"}
	tests := map[string]struct {
		provider, path string
		body           object
	}{
		"chat": {"openai", "/chat/completions",
			object{"model": "gpt-4o-mini", "messages": []any{object{"role": "user", "content": []any{text,
				object{"type": "image_url", "image_url": object{"url": "data:image/png;base64," + png}}}}}}},
		"responses": {"openai", "/responses",
			object{"model": "gpt-4.1",
				"input": []any{object{"role": "user", "content": []any{object{"type": "input_text", "text": "echo: look"},
					object{"type": "input_image", "image_url": "data:image/png;base64," + png, "detail": "auto"}}}}}},
		"messages": {"anthropic", "/v1/messages",
			object{"model": "claude-haiku-4-5", "max_tokens": 99, "messages": []any{object{"role": "user", "content": []any{text,
				object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": png}}}}}}},
		"generate": {"gemini", "/v1beta/models/gemini-2.5-flash:generateContent",
			object{"contents": []any{object{"parts": []any{object{"text": "echo: look"},
				object{"inline_data": object{"mime_type": "image/png", "data": png}}}}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if text := newClient(t).good(tt.provider, tt.path, tt.body); !strings.Contains(text, "look [image image/png 8 bytes]") {
				t.Errorf("%s", text)
			}
		})
	}
}

func TestProvidersAndTheirBases(t *testing.T) {
	want := []string{"anthropic", "cerebras", "deepseek", "fireworks", "gemini", "groq", "mistral", "openai",
		"openrouter", "together", "xai"}
	got := Providers()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for id, base := range map[string]string{"anthropic": "http://h/anthropic", "gemini": "http://h/gemini",
		"groq": "http://h/groq/openai/v1", "nobody": ""} {
		if got := BaseURL("http://h", id); got != base {
			t.Errorf("%s: %q", id, got)
		}
	}
}

func TestAbortAndRedirect(t *testing.T) {
	cl := newClient(t)
	for _, c := range carriers() {
		path, body := c.request(request{prompt: "hi"})
		cl.e.Set(Match{Provider: c.provider, Times: 1}, Behaviour{Abort: true})
		if _, _, err := cl.send("POST", c.provider, path, goodKey, body); err == nil {
			t.Errorf("%s: an answer in spite of Abort", c.name)
		}
		cl.e.Set(Match{Provider: c.provider, Key: goodKey, Times: 1}, Behaviour{Redirect: "http://127.0.0.1:1/"})
		if status, text := cl.post(c.provider, path, body); status != 302 {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
}

func TestControlAndCounts(t *testing.T) {
	cl := newClient(t)
	resp, err := http.Post(cl.origin+"/_emulator/behaviours", "application/json",
		strings.NewReader(`{"match":{"provider":"openai","times":1},"behaviour":{"fault":"503"}}`))
	if err != nil || resp.StatusCode != 204 {
		t.Fatalf("%v %v", resp, err)
	}
	path, body := carrierOf(t, "openai").request(request{prompt: "hi"})
	for _, want := range []int{503, 200} {
		if status, _ := cl.post("openai", path, body); status != want {
			t.Errorf("status %d, want %d", status, want)
		}
	}
	resp, err = http.Get(cl.origin + "/_emulator/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var counts []Count
	if err := json.NewDecoder(resp.Body).Decode(&counts); err != nil || len(counts) != 2 || counts[0].Requests != 1 {
		t.Errorf("%+v %v", counts, err)
	}
	if resp, err = http.Post(cl.origin+"/_emulator/behaviours", "", strings.NewReader(`{"behavior":{}}`)); err != nil ||
		resp.StatusCode != 400 {
		t.Errorf("a misspelt field is taken")
	}
}

func TestDisconnectIsRecorded(t *testing.T) {
	for _, c := range carriers() {
		t.Run(c.name, func(t *testing.T) {
			cl := newClient(t)
			cl.e.Set(Match{}, Behaviour{Endless: true, EventMs: 5})
			path, body := c.request(request{prompt: "hi", stream: true})
			req, _ := http.NewRequest("POST", BaseURL(cl.origin, c.provider)+path, strings.NewReader(string(encode(body))))
			req.Header.Set("Authorization", "Bearer "+goodKey)
			req.Header.Set("X-Api-Key", goodKey)
			req.Header.Set("X-Goog-Api-Key", goodKey)
			req.Header.Set("Anthropic-Version", "2023-06-01")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			head := make([]byte, 3000)
			if _, err := io.ReadFull(resp.Body, head); err != nil || !strings.Contains(string(head), "word ") && c.name != "responses" {
				t.Errorf("%v %s", err, head)
			}
			resp.Body.Close()
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
				if seen := cl.e.Requests(); len(seen) == 1 && seen[0].Left {
					return
				}
				if time.Now().After(deadline) {
					t.Fatal("not noticed")
				}
			}
		})
	}
}

func TestModelsAndAccount(t *testing.T) {
	cl := newClient(t)
	for _, p := range profiles() {
		paths := []string{"/models", p.account}
		switch p.id {
		case "anthropic":
			paths = []string{"/v1/models", "/v1/models/claude-opus-4-8", "/v1/models?limit=1"}
		case "gemini":
			paths = []string{"/v1beta/models", "/v1beta/models/gemini-2.5-flash", "/v1beta/models?pageSize=1"}
		}
		for _, path := range paths {
			if path == "" {
				continue
			}
			resp, text, err := cl.send("GET", p.id, path, goodKey, nil)
			if err != nil || resp.StatusCode != 200 || !json.Valid([]byte(text)) ||
				(path == "/models" && p.id == "together") != (text[0] == '[') {
				t.Errorf("%s%s: %d %s", p.id, path, resp.StatusCode, text)
			}
			if resp, _, err := cl.send("GET", p.id, path, "sk-emulated-fault-503", nil); err != nil || resp.StatusCode < 500 {
				t.Errorf("%s%s meets no fault", p.id, path)
			}
		}
	}
}

func TestNothingElseIsThere(t *testing.T) {
	cl := newClient(t)
	for _, p := range profiles() {
		for _, r := range [][2]string{{"GET", "/nothing"}, {"GET", "/chat/completions"}, {"DELETE", "/v1/messages"},
			{"POST", "/v1beta/models/gemini-2.5-flash:dance"}} {
			resp, text, err := cl.send(r[0], p.id, r[1], goodKey, object{})
			if err != nil || resp.StatusCode != 404 || !json.Valid([]byte(text)) {
				t.Errorf("%s %s: %d %s", p.id, fmt.Sprint(r), resp.StatusCode, text)
			}
		}
	}
}
