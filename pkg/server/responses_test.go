package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// stateModels are models of providers of several dialects, and one of a provider that streams Responses itself.
var stateModels = map[string]string{
	"openai": "gpt-5-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash", "mistral": "mistral-small-latest",
}

// respond sends a request of Responses and returns the response: of a stream, that of the last event.
func respond(t *testing.T, c client, streamed bool, body string) (reply, map[string]any) {
	t.Helper()
	if streamed {
		body = strings.Replace(body, "{", `{"stream":true,`, 1)
	}
	r := c.post("/v1/responses", body).want(200)
	text := r.body
	if streamed {
		created := false
		for line := range strings.Lines(r.body) {
			if data, ok := strings.CutPrefix(line, "data: "); ok && strings.Contains(data, `"response":`) {
				text = data
				created = created || strings.Contains(data, "response.created")
			}
		}
		var last struct{ Response json.RawMessage }
		if err := json.Unmarshal([]byte(text), &last); err != nil || !created {
			t.Fatalf("%v, created %v: %s", err, created, r.body)
		}
		text = string(last.Response)
	}
	var response map[string]any
	if err := json.Unmarshal([]byte(text), &response); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return r, response
}

// lastSent returns the last request with the text that a provider got: the emulator records a request after
// it has answered.
func lastSent(t *testing.T, w *world, text string) string {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, r := range slices.Backward(w.emu.Requests()) {
			if strings.Contains(string(r.Body), text) {
				return string(r.Body)
			}
		}
	}
	t.Fatalf("no provider got %q", text)
	return ""
}

func outputText(response map[string]any) (text string) {
	items, _ := response["output"].([]any)
	for _, it := range items {
		parts, _ := it.(map[string]any)["content"].([]any)
		for _, p := range parts {
			if s, ok := p.(map[string]any)["text"].(string); ok && p.(map[string]any)["type"] == "output_text" {
				text += s
			}
		}
	}
	return text
}

// A request goes on with a stored response, at every provider, streamed or not, in another process too.
func TestStoredResponses(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		ann := w.user("ann")
		_, _, token := ann.token("agent")
		for provider, model := range stateModels {
			ann.key(provider, apiKey+provider)
			for _, streamed := range []bool{false, true} {
				t.Run(fmt.Sprint(provider, " streamed ", streamed), func(t *testing.T) { testConversation(t, w, token, provider, model, streamed) })
			}
		}
	})
}

func testConversation(t *testing.T, w *world, token client, provider, model string, streamed bool) {
	body := func(more string) string { return fmt.Sprintf(`{"model":%q,%s}`, model, more) }
	_, one := respond(t, token, streamed, body(`"input":"echo: the first answer","instructions":"Be brief."`))
	id, _ := one["id"].(string)
	if !strings.HasPrefix(id, "resp_") || one["store"] != true || one["previous_response_id"] != nil || outputText(one) != "the first answer" {
		t.Fatalf("the first response: %v", one)
	}
	w.assemble() // another process
	_, two := respond(t, token, streamed, body(fmt.Sprintf(`"previous_response_id":%q,"input":[{"role":"user","content":"echo: the second"}]`, id)))
	next, _ := two["id"].(string)
	if two["previous_response_id"] != id || two["store"] != true || next == id || outputText(two) != "the second" {
		t.Fatalf("the second response: %v", two)
	}
	_, three := respond(t, token, streamed, body(fmt.Sprintf(`"previous_response_id":%q,"input":"echo: the third","store":false`, next)))
	if three["store"] != false || three["previous_response_id"] != next {
		t.Fatalf("the third response: %v", three)
	}
	sent := lastSent(t, w, "echo: the third")
	at := 0
	for _, text := range []string{"echo: the first answer", "the first answer", "echo: the second", "the second", "echo: the third"} {
		i := strings.Index(sent[at:], text)
		if i < 0 {
			t.Fatalf("%q is missing in %s", text, sent)
		}
		at += i + len(text)
	}
	for _, text := range []string{"Be brief.", "previous_response_id", `"store":true`} {
		if strings.Contains(sent, text) {
			t.Errorf("%s got %q: %s", provider, text, sent)
		}
	}

	got := token.get("/v1/responses/" + id).want(200)
	want, _ := json.Marshal(one)
	var stored map[string]any
	json.Unmarshal([]byte(got.body), &stored)
	if have, _ := json.Marshal(stored); string(have) != string(want) {
		t.Errorf("stored is\n%s, answered was\n%s", have, want)
	}
	token.get("/v1/responses/"+next).want(200).is("previous_response_id", id)
	items := token.get("/v1/responses/"+next+"/input_items?order=asc&include[]=a&include[]=b").want(200).
		is("object", "list", "has_more", "false", "data.0.role", "user", "data.0.content.0.text", "echo: the first answer", "data.0.type", "message")
	if n := items.count("data"); n < 3 || items.text("first_id") != items.text("data.0.id") || items.text(fmt.Sprintf("data.%d.content.0.text", n-1)) != "echo: the second" {
		t.Errorf("the items: %s", items.body)
	}
	page := token.get("/v1/responses/"+next+"/input_items?limit=1").want(200).is("has_more", "true", "data.0.content.0.text", "echo: the second")
	rest := token.get("/v1/responses/" + next + "/input_items?limit=100&after=" + page.text("last_id")).want(200)
	if rest.count("data") != items.count("data")-1 {
		t.Errorf("the rest of the items: %s", rest.body)
	}
	for _, wrong := range []string{"?limit=0", "?limit=101", "?order=up", "?after=msg_of_nobody"} {
		token.get("/v1/responses/" + next + "/input_items" + wrong).want(400)
	}
	token.post("/v1/responses/"+next+"/cancel", "{}").want(400).is("error.message", "Cannot cancel a synchronous response.", "error.type", "invalid_request_error")
	token.get("/v1/responses/" + next + "?stream=true").want(400)

	token.delete("/v1/responses/"+id).want(200).is("id", id, "object", "response", "deleted", "true")
	for _, r := range []reply{token.get("/v1/responses/" + id), token.delete("/v1/responses/" + id), token.get("/v1/responses/" + id + "/input_items"),
		token.post("/v1/responses/"+id+"/cancel", "{}")} {
		r.want(404).is("error.type", "invalid_request_error", "error.message", "Response with id '"+id+"' not found.", "error.code", "null")
	}
	token.get("/v1/responses/" + next + "/input_items").want(410)
	token.post("/v1/responses", body(fmt.Sprintf(`"previous_response_id":%q,"input":"hi"`, id))).want(400).
		is("error.code", "previous_response_not_found", "error.param", "previous_response_id", "error.type", "invalid_request_error")
	token.post("/v1/responses", body(fmt.Sprintf(`"previous_response_id":%q,"input":"hi"`, next))).want(400).
		is("error.code", "previous_response_not_found", "error.param", "previous_response_id")
}

// A response belongs to the token that asked for it: for anyone else it does not exist.
func TestResponsesBelongToTheirToken(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	ann.key("openai", apiKey)
	bob.key("openai", apiKey+"b")
	tokenID, _, token := ann.token("one")
	_, _, second := ann.token("two")
	_, _, foreign := bob.token("bob's")
	_, one := respond(t, token, false, `{"model":"gpt-5-mini","input":"echo: secret"}`)
	id := one["id"].(string)
	output := one["output"].([]any)
	item := output[len(output)-1].(map[string]any)["id"].(string)
	_, own := respond(t, ann.client, false, `{"model":"gpt-5-mini","input":"echo: of the dashboard"}`)
	seen := len(w.emu.Requests())
	for name, c := range map[string]client{"another token": second, "another user": foreign, "the session": ann.client, "another session": bob.client} {
		for _, r := range []reply{c.get("/v1/responses/" + id), c.get("/v1/responses/" + id + "/input_items"), c.delete("/v1/responses/" + id),
			c.post("/v1/responses/"+id+"/cancel", "{}")} {
			r.want(404).is("error.message", "Response with id '"+id+"' not found.")
		}
		c.post("/v1/responses", fmt.Sprintf(`{"model":"gpt-5-mini","input":"hi","previous_response_id":%q}`, id)).want(400).
			is("error.code", "previous_response_not_found")
		c.post("/v1/responses", fmt.Sprintf(`{"model":"gpt-5-mini","input":[{"type":"item_reference","id":%q}]}`, item)).want(404).
			is("error.param", "input", "error.type", "invalid_request_error")
		if n := len(w.emu.Requests()); n != seen {
			t.Errorf("%s reached the provider", name)
		}
	}
	w.anyone().get("/v1/responses/" + id).want(401)
	for _, id := range []string{"1", "resp_", "resp_llm_", strings.ToUpper(id), id + "0", "%00", "%ff", "resp_llm_00000000-0000-0000-0000-000000000000", strings.Repeat("a", 5000)} {
		token.get("/v1/responses/" + id).want(404)
	}
	token.get("/v1/responses/" + id).want(200)
	ann.get("/v1/responses/" + own["id"].(string)).want(200)

	// In the database nobody reads it.
	rows := 0
	err := w.db.Run(t.Context(), store.Stmt{SQL: "select items, answer from responses", Each: func(r store.Row) error {
		var items, answer []byte
		err := r.Scan(&items, &answer)
		if rows++; strings.Contains(string(items)+string(answer), "secret") || strings.Contains(string(items)+string(answer), "model") {
			t.Error("it is not encrypted")
		}
		return err
	}})
	if err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
	// A copy in another row cannot be decrypted.
	if err := w.db.Run(t.Context(), store.Stmt{SQL: "update responses set items = answer"}); err != nil {
		t.Fatal(err)
	}
	token.get("/v1/responses/" + id).want(410)
	ann.delete("/api/tokens/" + tokenID).want(204)
	if n := count(t, w, "responses"); n != 1 {
		t.Errorf("%d responses are left after the token", n)
	}
	token.get("/v1/responses/" + id).want(401)
}

func count(t *testing.T, w *world, table string) (n int64) {
	t.Helper()
	found := false
	if err := w.db.Run(t.Context(), store.Stmt{SQL: "select count(*) from " + table, Each: store.First(&found, &n)}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Items are referred to by their ids, as AI SDK does, and stored requests hold the references alone.
func TestItemReferences(t *testing.T) {
	for provider, model := range stateModels {
		t.Run(provider, func(t *testing.T) {
			w := newWorld(t)
			ann := w.user("ann")
			ann.key(provider, apiKey)
			_, _, token := ann.token("agent")
			const tools = `"tools":[{"type":"function","name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}]`
			_, one := respond(t, token, true, fmt.Sprintf(`{"model":%q,"input":"call it",%s}`, model, tools))
			references, call := "", ""
			for _, it := range one["output"].([]any) {
				item := it.(map[string]any)
				references += fmt.Sprintf(`,{"type":"item_reference","id":%q}`, item["id"])
				if item["type"] == "function_call" {
					call, _ = item["call_id"].(string)
				}
			}
			if call == "" {
				t.Fatalf("no call: %v", one)
			}
			input := fmt.Sprintf(`{"role":"user","content":"call it"}%s,{"type":"function_call_output","call_id":%q,"output":"sunny"}`, references, call)
			_, two := respond(t, token, false, fmt.Sprintf(`{"model":%q,"input":[%s],%s}`, model, input, tools))
			if sent := lastSent(t, w, "sunny"); strings.Contains(sent, "item_reference") || !strings.Contains(sent, "weather") {
				t.Errorf("sent: %s", sent)
			}
			// A response whose request has references is gone on with.
			respond(t, token, false, fmt.Sprintf(`{"model":%q,"previous_response_id":%q,"input":"echo: again",%s}`, model, two["id"], tools))
			// The model repeats the result.
			if sent := lastSent(t, w, "echo: again"); strings.Contains(sent, "item_reference") || strings.Count(sent, "sunny") != 2 {
				t.Errorf("sent: %s", sent)
			}
			token.post("/v1/responses", fmt.Sprintf(`{"model":%q,"input":[{"type":"item_reference","id":"msg_of_nobody"}]}`, model)).want(404).
				is("error.param", "input")
			list := token.get(fmt.Sprintf("/v1/responses/%s/input_items", two["id"])).want(200)
			if strings.Contains(list.body, "item_reference") || !strings.Contains(list.body, `"function_call"`) {
				t.Errorf("the items: %s", list.body)
			}
		})
	}
}

// What is not stored is refused where it is needed, and never stored.
func TestResponseStoreSettings(t *testing.T) {
	for setting, c := range map[string]struct{ absent, yes, no string }{
		"ask": {"true", "true", "false"}, "on": {"true", "true", "true"}, "off": {"false", "refused", "false"},
	} {
		t.Run(setting, func(t *testing.T) {
			w := newWorld(t, "RESPONSE_STORE="+setting)
			ann := w.user("ann")
			ann.key("openai", apiKey)
			_, _, token := ann.token("agent")
			stored := int64(0)
			for member, want := range map[string]string{"": c.absent, `,"store":true`: c.yes, `,"store":false`: c.no, `,"store":null`: c.absent} {
				r := token.post("/v1/responses", `{"model":"gpt-5-mini","input":"hi"`+member+"}")
				if want == "refused" {
					r.want(400).is("error.param", "store")
					continue
				}
				r.want(200).is("store", want)
				if want == "true" {
					stored++
				}
			}
			if n := count(t, w, "responses"); n != stored {
				t.Errorf("%d are stored of %d", n, stored)
			}
			if setting == "off" {
				const id = "resp_llm_0190163d-8694-739b-aea5-966c26f8ad91"
				token.post("/v1/responses", `{"model":"gpt-5-mini","input":"hi","previous_response_id":"`+id+`"}`).want(400).is("error.param", "previous_response_id")
				token.post("/v1/responses", `{"model":"gpt-5-mini","input":[{"type":"item_reference","id":"x"}]}`).want(400).is("error.param", "input")
				token.get("/v1/responses/" + id).want(404)
			}
			for _, member := range []string{`"conversation":"conv_1"`, `"background":true`, `"prompt":{"id":"p"}`} {
				token.post("/v1/responses", `{"model":"gpt-5-mini","input":"hi",`+member+"}").want(400)
			}
		})
	}
}

// A response expires, and the daily purge deletes it. One that is too large is not stored, and says so.
func TestResponsesExpire(t *testing.T) {
	w := newWorld(t, "RESPONSE_RETENTION=2h").freeze()
	ann := w.user("ann")
	ann.key("openai", apiKey)
	_, _, token := ann.token("agent")
	_, one := respond(t, token, false, `{"model":"gpt-5-mini","input":"hi"}`)
	w.wait(2*time.Hour - time.Second)
	token.get(fmt.Sprint("/v1/responses/", one["id"])).want(200)
	w.wait(time.Second)
	token.get(fmt.Sprint("/v1/responses/", one["id"])).want(404)
	w.app.Purge(t.Context())
	if n := count(t, w, "responses"); n != 0 {
		t.Errorf("%d responses are left", n)
	}
	for _, streamed := range []bool{false, true} {
		_, large := respond(t, token, streamed, `{"model":"gpt-5-mini","input":"echo: `+strings.Repeat("long ", 250_000)+`"}`)
		if large["store"] != false {
			t.Errorf("store is %v", large["store"])
		}
		token.get(fmt.Sprint("/v1/responses/", large["id"])).want(404)
	}
}

// Tokens of a request are counted with the conversation that it goes on with.
func TestCountInputTokens(t *testing.T) {
	for provider, model := range stateModels {
		t.Run(provider, func(t *testing.T) {
			w := newWorld(t)
			ann := w.user("ann")
			ann.key(provider, apiKey)
			_, _, token := ann.token("agent")
			tokens := func(r reply) (n int) {
				fmt.Sscan(r.want(200).is("object", "response.input_tokens").text("input_tokens"), &n)
				return n
			}
			alone := tokens(token.post("/v1/responses/input_tokens", fmt.Sprintf(`{"model":%q,"input":"echo: hi"}`, model)))
			_, one := respond(t, token, false, fmt.Sprintf(`{"model":%q,"input":"echo: %s"}`, model, strings.Repeat("many words ", 200)))
			after := tokens(token.post("/v1/responses/input_tokens", fmt.Sprintf(`{"model":%q,"input":"echo: hi","previous_response_id":%q}`, model, one["id"])))
			token.post("/v1/responses/input_tokens", fmt.Sprintf(`{"model":%q,"input":[{"type":"item_reference","id":"x"}]}`, model)).want(404)
			narrow := ann.post("/api/tokens", `{"name":"narrow","allowedEndpoints":["responses"]}`).want(201).text("token")
			w.anyone().with("Authorization", "Bearer "+narrow).post("/v1/responses/input_tokens", fmt.Sprintf(`{"model":%q,"input":"hi"}`, model)).want(403)
			if alone < 1 || after < alone+200 {
				t.Errorf("%v tokens alone, %v after a long conversation", alone, after)
			}
		})
	}
}

// An asynchronous request goes on with a response, and its own is stored.
func TestStoredResponseOfAnAsynchronousRequest(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("anthropic", apiKey)
	_, _, token := ann.token("agent")
	_, one := respond(t, token, false, `{"model":"claude-haiku-4-5","input":"echo: the first"}`)
	job := token.with("Prefer", "respond-async").post("/v1/responses", fmt.Sprintf(`{"model":"claude-haiku-4-5","input":"echo: the second","previous_response_id":%q}`, one["id"])).want(202)
	answer := token.get("/api/chat/"+job.text("requestId")+"?timeout=20000").want(200).is("previous_response_id", one["id"].(string), "store", "true")
	token.get("/v1/responses/"+answer.text("id")).want(200).is("previous_response_id", one["id"].(string))
}

// A conversation is shortened by OpenAI alone: its answer passes as it came, and counts in the quota and the log.
func TestCompaction(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	ann.key("anthropic", apiKey+"2")
	_, _, token := ann.token("agent")
	_, one := respond(t, token, false, `{"model":"gpt-5-mini","input":"echo: the first"}`)
	stored := count(t, w, "responses")
	short := token.post("/v1/responses/compact", fmt.Sprintf(`{"model":"gpt-5-mini","previous_response_id":%q,"input":"echo: the second","instructions":"Be brief."}`, one["id"])).want(200).
		is("object", "response.compaction", "output.0.type", "compaction")
	sent := lastSent(t, w, "the second")
	if !strings.Contains(sent, "the first") || !strings.Contains(sent, `"instructions":"Be brief."`) || strings.Contains(sent, "store") {
		t.Errorf("sent: %s", sent)
	}
	if n := count(t, w, "responses"); n != stored {
		t.Errorf("%d responses are stored, want %d", n, stored)
	}
	ann.get("/api/requests").want(200).is("requests.0.status", "200", "requests.0.provider", "openai", "requests.0.inputTokens", short.text("usage.input_tokens"))
	item, _ := json.Marshal(short.at("output.0"))
	respond(t, token, false, fmt.Sprintf(`{"model":"gpt-5-mini","input":[%s,{"role":"user","content":"echo: and on"}]}`, item))
	token.post("/v1/responses/compact", `{"model":"claude-haiku-4-5","input":"hi"}`).want(404).is("error.type", "invalid_request_error")
	narrow := ann.post("/api/tokens", `{"name":"narrow","allowedEndpoints":["responses"]}`).want(201).text("token")
	w.anyone().with("Authorization", "Bearer "+narrow).post("/v1/responses/compact", `{"model":"gpt-5-mini","input":"hi"}`).want(403)
	token.post("/v1/responses/compact", `{"model":"gpt-5-mini","input":"hi","stream":true}`).want(400).is("error.param", "stream")
}

// Storing a response costs no round trip of its own, and going on with one costs one.
func TestRoundTripsOfStoredResponses(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	_, _, token := ann.token("agent")
	trips := func(body string) (n int64, response map[string]any) {
		t.Helper()
		before := w.db.runs.Load()
		_, response = respond(t, token, true, body)
		return w.db.runs.Load() - before, response
	}
	trips(`{"model":"gpt-5-mini","input":"hi","store":false}`)
	without, _ := trips(`{"model":"gpt-5-mini","input":"hi","store":false}`)
	stored, one := trips(`{"model":"gpt-5-mini","input":"hi"}`)
	after, two := trips(fmt.Sprintf(`{"model":"gpt-5-mini","input":"hi","previous_response_id":%q}`, one["id"]))
	again, _ := trips(fmt.Sprintf(`{"model":"gpt-5-mini","input":"hi","previous_response_id":%q}`, two["id"]))
	items, _ := json.Marshal(one["output"])
	// With the model's turns in the request the gateway looks for its saved reasoning.
	sent, _ := trips(fmt.Sprintf(`{"model":"gpt-5-mini","store":false,"input":[{"role":"user","content":"hi"},%s,{"role":"user","content":"hi"}]}`,
		items[1:len(items)-1]))
	if without != 2 || stored != 2 || after != sent+1 || again != sent+1 {
		t.Errorf("%d round trips without, %d stored, %d and %d with a conversation of one and two, %d where the request has it",
			without, stored, after, again, sent)
	}
}
