package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// ofEndUser is the subject of a limit; an empty name means each.
func ofEndUser(token, name string) string {
	if name == "" {
		return fmt.Sprintf(`{"type":"endUser","token":%q}`, token)
	}
	return fmt.Sprintf(`{"type":"endUser","token":%q,"id":%q}`, token, name)
}

// scoped makes a token with more in its body.
func (p *person) scoped(more string) (id string, holder client) {
	r := p.post("/api/tokens", `{"name":"scoped",`+more+`}`).want(201)
	return r.text("id"), p.w.anyone().with("Authorization", "Bearer "+r.text("token"))
}

// usageBy is the number of requests by label.
func (p *person) usageBy(by string) map[string]int {
	var in struct {
		Usage []struct {
			Bucket   string
			Requests int
		}
	}
	json.Unmarshal([]byte(p.get("/api/usage?by="+by).want(200).body), &in)
	counts := map[string]int{}
	for _, u := range in.Usage {
		counts[u.Bucket] = u.Requests
	}
	return counts
}

func TestEndUsers(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, holder := ann.scoped(`"endUsers":true`)
	ann.get("/api/tokens/"+token).want(200).is("endUsers", "true", "endUserSource", "null")
	const messages = `"messages":[{"role":"user","content":"hi"}]`
	body := func(rest string) string { return `{"model":"gpt-4o-mini",` + messages + rest + `}` }

	// In the written order, in every dialect.
	all := holder.with("X-LLM-End-User", "one").with("X-OpenWebUI-User-Id", "two").with("X-LibreChat-User-Id", "three")
	all.post("/v1/chat/completions", body(`,"safety_identifier":"four","user":"five"`)).want(200)
	holder.with("X-OpenWebUI-User-Id", "two").with("X-LibreChat-User-Id", "three").post("/v1/chat/completions", body(`,"user":"five"`)).want(200)
	holder.with("X-LibreChat-User-Id", "three").post("/v1/chat/completions", body(`,"user":"five"`)).want(200)
	holder.post("/v1/chat/completions", body(`,"safety_identifier":"four","user":"five"`)).want(200)
	holder.with("X-LibreChat-User-Id", "{{LIBRECHAT_USER_ID}}").post("/v1/chat/completions", body(`,"user":"five"`)).want(200)
	holder.post("/v1/responses", `{"model":"gpt-4o-mini","input":"hi","safety_identifier":"four"}`).want(200)
	holder.post("/v1/embeddings", `{"model":"text-embedding-3-small","input":"hi","user":"five"}`).want(200)
	for _, id := range []string{"user_abc_account_six_session_x", `{\"device_id\":\"d\",\"account_uuid\":\"six\",\"session_id\":\"s\"}`} {
		holder.post("/v1/messages", `{"model":"gpt-4o-mini","max_tokens":5,`+messages+`,"metadata":{"user_id":"`+id+`"}}`).want(200)
	}
	holder.post("/v1/messages", `{"model":"gpt-4o-mini","max_tokens":5,`+messages+`,"metadata":{"user_id":"user_abc_account__session_x"}}`).want(200)
	holder.with("X-LLM-End-User", "one").post("/v1beta/models/gpt-4o-mini:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`).want(200)
	holder.post("/v1/chat/completions", body("")).want(200) // nobody
	holder.with("X-LLM-End-User", "Bob@Example.com").post("/v1/chat/completions", body("")).want(200)
	holder.with("X-LLM-End-User", "bob@example.com").post("/v1/chat/completions", body("")).want(200)

	got := ann.usageBy("endUser")
	hashed := ""
	for name := range got {
		if strings.HasPrefix(name, "hash:") {
			hashed = name
		}
	}
	want := map[string]int{"one": 2, "two": 1, "three": 1, "four": 2, "five": 2, "six": 2, "user_abc": 1, hashed: 2}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(hashed) < 30 {
		t.Errorf("%v, want %v", got, want)
	}
	ann.get("/api/usage?by=endUser").want(200).is("usage.0.tokenId", token, "by", "endUser")
	list := ann.get("/api/tokens/" + token + "/end-users?limit=3").want(200)
	list.is("endUsers.0.name", "five", "endUsers.2.name", hashed, "nextCursor", hashed)
	if strings.Contains(list.body, "bob") {
		t.Error("an address is kept")
	}
	ann.get("/api/tokens/"+token+"/end-users?cursor="+hashed).want(200).is("endUsers.0.name", "one", "nextCursor", "null")

	holder.with("X-LLM-End-User", strings.Repeat("x", 129)).post("/v1/chat/completions", body("")).refused(400, "invalid_request_error", "128 bytes")
	holder.with("X-LLM-End-User", strings.Repeat("x", 128)).post("/v1/chat/completions", body("")).want(200)

	// A token without the flag claims nobody, one with a source that one.
	_, plain := ann.scoped(`"expiresInDays":1`)
	plain.with("X-LLM-End-User", "mallory").post("/v1/chat/completions", body(`,"user":"mallory"`)).want(200)
	_, sourced := ann.scoped(`"endUsers":true,"endUserSource":"user"`)
	sourced.with("X-LLM-End-User", "mallory").post("/v1/chat/completions", body(`,"user":"seven"`)).want(200)
	if got := ann.usageBy("endUser"); got["mallory"] != 0 || got["seven"] != 1 {
		t.Errorf("%v", got)
	}
	ann.patch("/api/tokens/"+token, `{"endUserSource":"nobody"}`).refused(400, "VALIDATION_ERROR", "endUserSource")
	ann.patch("/api/tokens/"+token, `{"endUserSource":"x-llm-end-user"}`).want(200).is("endUserSource", "X-LLM-End-User")
	ann.patch("/api/tokens/"+token, `{"endUsers":false,"endUserSource":null}`).want(200).is("endUserSource", "null")
	holder.with("X-LLM-End-User", "one").post("/v1/chat/completions", body("")).want(200)
	if got := ann.usageBy("endUser"); got["one"] != 2 {
		t.Errorf("%v", got)
	}
}

func TestLimitsOfEndUsers(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, holder := ann.scoped(`"endUsers":true`)
	chat := func(name string) reply { return holder.with("X-LLM-End-User", name).chat(hello) }
	each := ann.limit(ofEndUser(token, ""), `"metric":"requests","window":"day","amount":2`)
	bob := ann.limit(ofEndUser(token, "bob@example.com"), `"metric":"requests","window":"day","amount":1`)
	ann.get("/api/limits/"+each).want(200).is("subject.type", "endUser", "subject.token", token, "subject.id", "null")
	holder.chat(hello).refused(400, "VALIDATION_ERROR", "names none")
	chat("eve").want(200)
	chat("eve").want(200)
	r := chat("eve").refused(429, "RATE_LIMIT_EXCEEDED", "2 requests")
	r.is("error.details.limit.subject.type", "endUser", "error.details.limit.amount", "2", "error.details.limit.used", "2")
	chat("bob@example.com").want(200)
	chat("BOB@example.com").refused(429, "RATE_LIMIT_EXCEEDED", "the limit of 1 requests of the end user")
	chat("mia").want(200)
	ann.get("/api/limits/"+each).want(200).is("used", "2") // of whoever used most
	ann.get("/api/limits?type=endUser&token="+token+"&id=mia").want(200).is("limits.0.used", "1", "limits.0.remaining", "1")
	if n := ann.get("/api/limits?type=endUser&token=" + token + "&id=bob%40example.com").want(200).count("limits"); n != 2 {
		t.Errorf("%d limits of bob", n)
	}
	own := holder.get("/v1/limits").want(200)
	own.is("limits.0.amount", "2", "limits.0.subject.type", "endUser")

	// Another process has the same counts, and a reset begins new ones for all.
	ann.post("/api/limits/"+each+"/reset", "").want(204)
	chat("eve").want(200)

	// What is known of an end user can be deleted.
	ann.delete("/api/tokens/" + token + "/end-users?endUser=bob%40example.com").want(204)
	ann.delete("/api/tokens/"+token+"/end-users").refused(400, "VALIDATION_ERROR", "endUser")
	ann.get("/api/limits/"+bob).refused(404, "NOT_FOUND", "")
	for name, n := range ann.usageBy("endUser") {
		if strings.HasPrefix(name, "hash:") && n > 0 {
			t.Errorf("%s has %d requests", name, n)
		}
	}
	other := w.user("other")
	other.delete("/api/tokens/"+token+"/end-users?endUser=eve").refused(404, "NOT_FOUND", "")
	other.get("/api/tokens/"+token+"/end-users").refused(404, "NOT_FOUND", "")
	other.post("/api/limits", `{"subject":`+ofEndUser(token, "x")+`,"metric":"requests","window":"day","amount":2}`).refused(400, "VALIDATION_ERROR", "no such endUser")
	chat("bob@example.com").want(200)
	if n := len(ann.usageBy("endUser")); n != 3 {
		t.Errorf("%d end users", n)
	}

	// A deferred request keeps its end user.
	holder.with("X-LLM-End-User", "late").with("X-LLM-Tags", "night").chat(later("job")).want(202)
	holder.get("/api/chat/job").want(200)
	if ann.usageBy("endUser")["late"] != 1 || ann.usageBy("tag")["night"] != 1 {
		t.Errorf("%v %v", ann.usageBy("endUser"), ann.usageBy("tag"))
	}
	ann.delete("/api/tokens/" + token).want(204)
	if n := len(ann.usageBy("endUser")); n != 0 {
		t.Errorf("%d end users of a deleted token", n)
	}
}

// End users beyond the largest number, and tags, count as others: also in limits for each.
func TestLabelsBeyondTheLargestNumber(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.key("openai", apiKey)
	token, holder := ann.scoped(`"endUsers":true`)
	id, err := store.ParseID(token)
	if err != nil {
		t.Fatal(err)
	}
	var stmts []store.Stmt
	for i := range store.EndUsersPerToken {
		stmts = append(stmts, store.Stmt{SQL: "insert into labels (user_id, party, owner, kind, name, created_at) values ($1, $2, $3, 1, $4, 0)",
			Args: []any{ann.id, store.NewID(int64(i + 1)), id, fmt.Sprint("filler ", i)}})
	}
	if err := w.db.DB.Run(t.Context(), stmts...); err != nil {
		t.Fatal(err)
	}
	ann.limit(ofEndUser(token, ""), `"metric":"requests","window":"day","amount":2`)
	for i, status := range []int{200, 200, 429} {
		holder.with("X-LLM-End-User", fmt.Sprint("new ", i)).chat(hello).want(status)
	}
	if got := ann.usageBy("endUser"); got["other"] != 3 || len(got) != 1 {
		t.Errorf("%v", got)
	}
	_, plain := ann.scoped(`"expiresInDays":1`)
	for i := range store.TagsPerUser/5 + 1 {
		tags := ""
		for j := range 5 {
			tags += fmt.Sprintf("tag %d, ", 5*i+j)
		}
		plain.with("X-LLM-Tags", tags).chat(hello).want(200)
	}
	if got := ann.usageBy("tag"); got["other"] != 5 || got["tag 0"] != 1 || len(got) != store.TagsPerUser+1 {
		t.Errorf("%d tags, %d others", len(got), got["other"])
	}
	plain.with("X-LLM-Tags", "a, a,b").chat(hello).want(200)
	plain.with("X-LLM-Tags", "a,b,c,d,e,f").chat(hello).refused(400, "VALIDATION_ERROR", "more than 5 tags")
	plain.with("X-LLM-Tags", strings.Repeat("x", 65)).chat(hello).refused(400, "VALIDATION_ERROR", "64 bytes")
}

// The admin sees the usage of others.
func TestUsageOfOthers(t *testing.T) {
	w := newWorld(t)
	root, ann := w.admin("root"), w.user("ann")
	ann.key("openai", apiKey)
	_, holder := ann.scoped(`"endUsers":true`)
	holder.with("X-LLM-End-User", "eve").chat(hello).want(200)
	w.wait(time.Millisecond)
	for _, by := range []string{"model", "endUser"} {
		if n := root.get("/api/usage?by=" + by).want(200).count("usage"); n != 0 {
			t.Errorf("%d rows of others", n)
		}
		root.get("/api/usage?by="+by+"&scope=all").want(200).is("usage.0.requests", "1")
		root.get("/api/usage?by="+by+"&userId="+ann.id.String()).want(200).is("usage.0.requests", "1")
		ann.get("/api/usage?by="+by+"&userId="+ann.id.String()).want(200).is("usage.0.requests", "1")
		ann.get("/api/usage?by="+by+"&scope=all").refused(403, "FORBIDDEN", "admin")
		ann.get("/api/usage?by="+by+"&userId="+root.id.String()).refused(403, "FORBIDDEN", "admin")
	}
	if u := root.get("/api/usage?by=user&scope=all").want(200); u.count("usage") != 1 || u.text("usage.0.bucket") != ann.id.String() {
		t.Errorf("usage by user: %s", u.body)
	}
	ann.get("/api/usage?by=user").want(200).is("usage.0.bucket", ann.id.String(), "usage.0.requests", "1")
	root.get("/api/usage?by=day&split=model&scope=all").want(200).is("parts.0.requests", "1")
}
