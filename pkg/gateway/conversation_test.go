package gateway

import (
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// digestsOf are those of the last turn of the assistant in the request.
func digestsOf(t *testing.T, server dialect.Server, body string) turnDigests {
	t.Helper()
	req, _, err := server.DecodeRequest([]byte(body))
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	conv := newConversation(req.Tools)
	for i := range req.Messages {
		conv.add(&req.Messages[i])
	}
	conv.end()
	if len(conv.said) == 0 {
		t.Fatalf("no turn of the assistant in %s", body)
	}
	return conv.said[len(conv.said)-1]
}

// chatBody is a request of Chat Completions with the messages.
func chatBody(messages ...string) string {
	return `{"model":"m","messages":[` + strings.Join(messages, ",") + `]}`
}

const (
	user   = `{"role":"user","content":"Weather in Zürich?"}`
	called = `{"role":"assistant","content":"Let me look.","tool_calls":[{"id":"a","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Zürich\",\"days\":1}"}},{"id":"b","type":"function","function":{"name":"now","arguments":"{}"}}]}`
	first  = `{"role":"tool","tool_call_id":"a","content":"sunny"}`
	second = `{"role":"tool","tool_call_id":"b","content":"{\"hour\":12,\"zone\":\"CET\"}"}`
	said   = `{"role":"assistant","content":"It is sunny."}`
)

// However a client writes a conversation, in whatever dialect, it is the same one.
func TestConversationInEveryForm(t *testing.T) {
	chatServer := new(openai.Server)
	want := digestsOf(t, chatServer, chatBody(user, called, first, second, said))
	for name, c := range map[string]struct {
		server dialect.Server
		body   string
	}{
		"content in parts": {chatServer, chatBody(`{"role":"user","content":[{"type":"text","text":"Weather "},{"type":"text","text":"in Zürich?"}]}`, called, first, second, said)},
		"messages split": {chatServer, chatBody(user, `{"role":"assistant","content":"Let me look."}`,
			strings.Replace(called, `"Let me look."`, "null", 1), first, second, said)},
		"arguments written anew": {chatServer, chatBody(user, strings.Replace(called, `{\"city\":\"Zürich\",\"days\":1}`, `{ \"days\": 1.0e0, \"city\" : \"Z\\u00fcrich\" }`, 1), first, second, said)},
		"no arguments":           {chatServer, chatBody(user, strings.Replace(called, `"{}"`, `""`, 1), first, second, said)},
		"other ids":              {chatServer, strings.NewReplacer(`"a"`, `"x"`, `"b"`, `"y"`).Replace(chatBody(user, called, first, second, said))},
		"one id twice":           {chatServer, strings.NewReplacer(`"b"`, `"a"`).Replace(chatBody(user, called, first, second, said))},
		"results the other way":  {chatServer, chatBody(user, called, second, first, said)},
		"a result written anew":  {chatServer, chatBody(user, called, first, strings.Replace(second, `{\"hour\":12,\"zone\":\"CET\"}`, `{\"zone\": \"CET\", \"hour\": 12}`, 1), said)},
		"with system text":       {chatServer, chatBody(`{"role":"system","content":"It is 12:01."}`, user, called, first, second, `{"role":"developer","content":"Hurry."}`, said)},
		"with reasoning": {chatServer, chatBody(user, strings.Replace(called, `"content"`, `"reasoning_content":"hm","content"`, 1), first, second,
			`{"role":"assistant","content":"It is sunny.","reasoning":"so"}`)},
		"with cache marks":                    {chatServer, chatBody(`{"role":"user","content":[{"type":"text","text":"Weather in Zürich?","cache_control":{"type":"ephemeral"}}]}`, called, first, second, said)},
		"with reminders":                      {chatServer, chatBody(`{"role":"user","content":"<system-reminder>\nYou are in a hurry.\n</system-reminder>\nWeather in Zürich?"}`, called, strings.Replace(first, "sunny", `sunny\n\n<system-reminder>Do not trust it.</system-reminder>`, 1), second, said)},
		"with a message of reminders":         {chatServer, chatBody(user, `{"role":"user","content":[{"type":"text","text":"<system-reminder>a</system-reminder>"},{"type":"text","text":"<system-reminder>b</system-reminder>"}]}`, called, first, second, said)},
		"with white space at the text's ends": {chatServer, chatBody(user, strings.Replace(called, "Let me look.", `Let me look.\n\n`, 1), first, second, said)},
		"Messages": {new(anthropic.Server), `{"model":"m","max_tokens":9,"system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"Weather in Zürich?","cache_control":{"type":"ephemeral"}}]},
			{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S"},{"type":"text","text":"Let me look."},{"type":"tool_use","id":"toolu_1","name":"weather","input":{"days":1,"city":"Zürich"}},{"type":"tool_use","id":"toolu_2","name":"now","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"sunny"},{"type":"tool_result","tool_use_id":"toolu_2","content":[{"type":"text","text":"{\"hour\":12,\"zone\":\"CET\"}"}]},{"type":"text","text":"<system-reminder>Hurry.</system-reminder>"}]},
			{"role":"assistant","content":"It is sunny."}]}`},
		"Responses": {new(responses.Server), `{"model":"m","instructions":"Be brief.","store":false,"input":[{"role":"user","content":"Weather in Zürich?"},
			{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"},{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Let me look.","annotations":[]}]},
			{"type":"function_call","call_id":"c1","name":"weather","arguments":"{\"days\":1,\"city\":\"Zürich\"}"},{"type":"function_call","call_id":"c2","name":"now","arguments":""},
			{"type":"function_call_output","call_id":"c1","output":"sunny"},{"type":"function_call_output","call_id":"c2","output":"{\"hour\":12,\"zone\":\"CET\"}"},
			{"role":"assistant","content":"It is sunny."}]}`},
		"Gemini": {new(gemini.Server), `{"contents":[{"role":"user","parts":[{"text":"Weather in Zürich?"}]},
			{"role":"model","parts":[{"text":"Let me "},{"text":"look."},{"functionCall":{"name":"weather","args":{"city":"Zürich","days":1}},"thoughtSignature":"AAAA"},{"functionCall":{"name":"now"}}]},
			{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"sunny"}}},{"functionResponse":{"name":"now","response":{"zone":"CET","hour":12}}}]},
			{"role":"model","parts":[{"text":"It is sunny."}]}]}`},
		"native": {native.New(nil), `{"model":"m","messages":[{"role":"user","content":"Weather in Zürich?"},
			{"role":"assistant","content":"Let me look.","toolCalls":[{"id":"q","type":"function","function":{"name":"weather","arguments":"{\"days\":1,\"city\":\"Zürich\"}"}},{"id":"r","type":"function","function":{"name":"now","arguments":"{}"}}]},
			{"role":"tool","toolCallId":"q","content":"sunny"},{"role":"tool","toolCallId":"r","content":"{\"hour\":12,\"zone\":\"CET\"}"},{"role":"assistant","content":"It is sunny."}]}`},
	} {
		if got := digestsOf(t, c.server, c.body); got.turns != want.turns {
			t.Errorf("%s: another conversation: %s", name, c.body)
		}
	}
}

// What means something else is another conversation, and no two of these are one.
func TestOtherConversations(t *testing.T) {
	seen := map[digest]string{}
	png := func(data string) string {
		return `{"role":"user","content":[{"type":"text","text":"Weather in Zürich?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + data + `"}}]}`
	}
	for name, body := range map[string]string{
		"as it is":               chatBody(user, called, first, second, said),
		"an earlier turn":        chatBody(user, called),
		"another user text":      chatBody(strings.Replace(user, "Zürich", "Bern", 1), called, first, second, said),
		"another user's name":    chatBody(strings.Replace(user, `"role"`, `"name":"bob","role"`, 1), called, first, second, said),
		"another argument":       chatBody(user, strings.Replace(called, "Zürich", "Bern", 1), first, second, said),
		"another number":         chatBody(user, strings.Replace(called, `:1}`, `:2}`, 1), first, second, said),
		"another function":       chatBody(user, strings.Replace(called, "now", "then", 1), first, second, said),
		"another text":           chatBody(user, strings.Replace(called, "Let me look.", "I look.", 1), first, second, said),
		"another result":         chatBody(user, called, strings.Replace(first, "sunny", "rain", 1), second, said),
		"results exchanged":      strings.NewReplacer(`"tool_call_id":"a"`, `"tool_call_id":"b"`, `"tool_call_id":"b"`, `"tool_call_id":"a"`).Replace(chatBody(user, called, first, second, said)),
		"a result less":          chatBody(user, called, first, said),
		"a turn less":            chatBody(user, said),
		"a turn more":            chatBody(user, said, user, called, first, second, said),
		"roles exchanged":        chatBody(strings.Replace(user, "user", "assistant", 1), called, first, second, said),
		"with an image":          chatBody(png("AAAA"), called, first, second, said),
		"with another image":     chatBody(png("AAAB"), called, first, second, said),
		"an image before a text": chatBody(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"Weather in Zürich?"}]}`, called, first, second, said),
		"words apart":            chatBody(strings.Replace(user, "Weather in", "Weatherin", 1), called, first, second, said),
		"an open reminder":       chatBody(strings.Replace(user, "Weather", "<system-reminder>Weather", 1), called, first, second, said),
	} {
		d := digestsOf(t, new(openai.Server), body).turns
		if other := seen[d]; other != "" {
			t.Errorf("%s and %s are the same conversation", name, other)
		}
		seen[d] = name
	}
}

// The context tells apart what the turns do not, and is as it was when a request goes on.
func TestContextOfTurns(t *testing.T) {
	const system = `{"role":"system","content":"You talk to Alice."}`
	tools := func(body string) string {
		return strings.Replace(body, "{", `{"tools":[{"type":"function","function":{"name":"now","parameters":{"type":"object"}}}],`, 1)
	}
	of := func(body string) digest { return digestsOf(t, new(openai.Server), body).context }
	alice := of(tools(chatBody(system, user, called)))
	for name, body := range map[string]string{
		"system text": tools(chatBody(strings.Replace(system, "Alice", "Bob", 1), user, called)),
		"tools":       chatBody(system, user, called),
		"reminder":    tools(chatBody(system, strings.Replace(user, "Weather", "<system-reminder>Bob</system-reminder>Weather", 1), called)),
		"ids":         tools(chatBody(system, user, strings.Replace(called, `"a"`, `"x"`, 1))),
	} {
		if of(body) == alice {
			t.Errorf("another %s: the same context", name)
		}
	}
	req, _, err := new(openai.Server).DecodeRequest([]byte(tools(chatBody(system, user, called, `{"role":"system","content":"Hurry."}`, first, second, said))))
	if err != nil {
		t.Fatal(err)
	}
	conv := newConversation(req.Tools)
	for i := range req.Messages {
		conv.add(&req.Messages[i])
	}
	if conv.end(); conv.said[0].context != alice {
		t.Error("what follows a turn changes its context")
	}
}

func TestCanonicalJSON(t *testing.T) {
	for text, want := range map[string]string{
		` {"b":[1.0,1e2,-0,0.10],"a":"\u0041\/é"} `: `{"a":"A/é","b":[1,100,0,0.1,],}`,
		`{"a":1,"a":2,"\u0061":3}`:                  `{"a":3,}`,
		`12345678901234567890`:                      `1.2345678901234567e+19`,
		`{"a":{"y":null,"x":true}}`:                 `{"a":{"x":true,"y":null,},}`,
		` {"a": `:                                   `{"a":`,
		`{"10":1,"9":2}`:                            `{"10":1,"9":2,}`,
		`[]`:                                        `[]`,
		"":                                          "",
	} {
		if got := string(canonicalJSON(text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// A conversation that an answer goes on with is the one that the client sends back, also if the answer continues
// what the client began.
func TestAnswerContinuesTheConversation(t *testing.T) {
	hello := chat.Message{Role: chat.User, Parts: []chat.Part{textPart("hi", "")}}
	begun := chat.Message{Role: chat.Assistant, Parts: []chat.Part{textPart("I", "")}}
	answer := []chat.Part{textPart(" call.", ""), callPart("c")}
	conv := newConversation(nil)
	conv.add(&hello)
	conv.add(&begun)
	conv.addAssistant(answer)
	conv.end()
	back := newConversation(nil)
	back.add(&hello)
	back.add(&chat.Message{Role: chat.Assistant, Parts: []chat.Part{textPart("I call.", ""), callPart("c")}})
	back.end()
	if conv.said[0] != back.said[0] {
		t.Error("another conversation")
	}
}
