package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/store"
)

var keyMembers = []string{"id", "provider", "name", "priority", "enabled", "allowedModels", "defaultModel", "dailyLimit", "usedToday",
	"remainingQuota", "resetDate", "createdAt", "lastUsedAt", "lastFour",
	"blocked", "updatedAt", "usageCount", "state", "cooldownUntil", "cooldownClass", "cooldownMessage", "cooldowns", "endingModels"}

func TestKeyToTheLetter(t *testing.T) {
	w := newWorld(t)
	w.setClock(time.Date(2027, 2, 28, 23, 50, 0, 0, time.UTC))
	ann := w.user("ann")
	if r := ann.get("/api/keys").want(200); r.body != `{"keys":[],"total":0}` {
		t.Errorf("no keys: %s", r.body)
	}
	r := ann.post("/api/keys", `{"provider":"openai","apiKey":"  `+apiKey+`\n"}`).want(201)
	r.members("", keyMembers...)
	r.is("provider", "openai", "name", "OpenAI", "priority", "1", "enabled", "true", "allowedModels", "[]", "defaultModel", "null",
		"dailyLimit", "null", "usedToday", "0", "remainingQuota", "null", "lastUsedAt", "null", "lastFour", "0001", "state", "ready",
		"resetDate", "2027-03-01T00:00:00.000Z", "blocked", "false").near("createdAt", w.now())
	id := r.text("id")

	w.wait(2 * time.Millisecond) // ids of one millisecond have no order
	full := ann.post("/api/keys", `{"provider":"groq","apiKey":"gsk_`+mark+`_2222","name":"fast","priority":5,"enabled":false,
		"allowedModels":["llama-3.1-8b-instant","openai/*","*"],"defaultModel":"llama-3.1-8b-instant","dailyLimit":50}`).want(201)
	full.is("name", "fast", "priority", "5", "enabled", "false", "allowedModels", `["llama-3.1-8b-instant","openai/*","*"]`,
		"defaultModel", "llama-3.1-8b-instant", "dailyLimit", "50", "remainingQuota", "50", "lastFour", "2222", "state", "disabled")

	list := ann.get("/api/keys").want(200).is("total", "2", "keys.0.id", id, "keys.1.id", full.text("id"))
	list.members("", "keys", "total")
	list.members("keys.0", keyMembers...)
	one := ann.get("/api/keys/" + id).want(200)
	one.members("", keyMembers...)
	if strings.Replace(list.body, one.body, "", 1) == list.body {
		t.Errorf("the key alone is not as in the list:\n%s\n%s", one.body, list.body)
	}
	for query, want := range map[string]string{
		"provider=openai": "1", "provider=mistral": "0", "enabled=true": "1", "enabled=false": "1", "provider=groq&enabled=true": "0", "provider=&enabled=": "2",
	} {
		ann.get("/api/keys?"+query).want(200).is("total", want)
	}
	for query, part := range map[string]string{
		"provider=acme": `"path":"provider"`, "enabled=yes": `"path":"enabled"`, "provider=openai&provider=groq": `"path":"provider"`, "enabled=%zz": "query string",
		"provider=%00": `"path":"provider"`, "provider=%ff": `"path":"provider"`,
	} {
		ann.get("/api/keys?"+query).refused(400, "VALIDATION_ERROR", part)
	}
	if d := ann.delete("/api/keys/" + id).want(204); d.body != "" {
		t.Errorf("a body: %s", d.body)
	}
	ann.get("/api/keys/"+id).refused(404, "NOT_FOUND", "")
	ann.delete("/api/keys/"+id).refused(404, "NOT_FOUND", "")
	ann.get("/api/keys").is("total", "1")
}

func TestQuotaOfAKey(t *testing.T) {
	w := newWorld(t).freeze()
	w.setClock(time.Date(2027, 12, 31, 23, 58, 0, 0, time.UTC))
	ann := w.user("ann")
	id := ann.key("openai", apiKey, `"dailyLimit":2`)
	_, _, holder := ann.token("test")
	holder.chat(hello).want(200)
	ann.chat(hello).want(200)
	r := ann.chat(hello).refused(429, "RATE_LIMIT_EXCEEDED", "")
	if wait := r.header.Get("Retry-After"); len(wait) == 0 || len(wait) > 3 {
		t.Errorf("Retry-After two minutes before midnight: %q", wait)
	}
	ann.get("/api/keys/"+id).is("usedToday", "2", "remainingQuota", "0", "state", "spent", "resetDate", "2028-01-01T00:00:00.000Z", "usageCount", "2").near("lastUsedAt", w.now())
	stats := ann.get("/api/keys/stats").want(200)
	stats.members("", "stats", "timestamp")
	stats.members("stats.0", "id", "provider", "name", "usedToday", "dailyLimit", "remainingQuota")
	stats.is("stats.0.id", id, "stats.0.provider", "openai", "stats.0.usedToday", "2", "stats.0.dailyLimit", "2", "stats.0.remainingQuota", "0").near("timestamp", w.now())

	reset := ann.post("/api/keys/"+id+"/reset", "").want(200)
	reset.members("", "id", "usedToday", "resetDate")
	reset.is("id", id, "usedToday", "0", "resetDate", "2028-01-01T00:00:00.000Z")
	ann.chat(hello).want(200)
	ann.get("/api/keys/"+id).is("usedToday", "1", "remainingQuota", "1")

	w.wait(3 * time.Minute) // a new day
	ann.get("/api/keys/"+id).is("usedToday", "0", "remainingQuota", "2", "resetDate", "2028-01-02T00:00:00.000Z", "state", "ready")
	ann.chat(hello).want(200)
	ann.patch("/api/keys/"+id, `{"dailyLimit":0}`).want(200).is("remainingQuota", "0", "usedToday", "1")
	ann.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "daily limit is 0")

	usage := ann.get("/api/keys/" + id + "/usage").want(200)
	usage.members("", "keyId", "usage", "count")
	usage.is("keyId", id, "count", "2", "usage.0.date", "2028-01-01", "usage.0.requests", "1", "usage.1.date", "2027-12-31", "usage.1.requests", "3")
	if usage.text("usage.0.inputTokens") == "0" || usage.text("usage.0.outputTokens") == "null" {
		t.Errorf("no tokens: %s", usage.body)
	}
	ann.get("/api/keys/"+id+"/usage?limit=1").want(200).is("count", "1", "usage.0.date", "2028-01-01")
	for _, limit := range []string{"0", "-1", "367", "x", "1.5", "99999999999999999999", "1&limit=2"} {
		ann.get("/api/keys/"+id+"/usage?limit="+limit).refused(400, "VALIDATION_ERROR", `"path":"limit"`)
	}
}

func TestKeyRefusesBadFields(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	id := ann.key("openai", apiKey)
	before := ann.get("/api/keys/" + id).body
	member := map[string]string{ // the member, and the path of the issue
		`"apiKey":""`: "apiKey", `"apiKey":null`: "apiKey", `"apiKey":7`: "apiKey", `"apiKey":"sk-` + mark + ` x"`: "apiKey",
		`"apiKey":"sk-` + mark + `-ü"`: "apiKey", `"apiKey":"sk-` + mark + `\u0000"`: "apiKey", `"apiKey":"sk-` + mark + `\r\nX: y"`: "apiKey",
		`"apiKey":"` + strings.Repeat("k", 513) + `"`: "apiKey", `"apiKey":["sk-` + mark + `"]`: "apiKey",
		`"name":""`: "name", `"name":"a\u0007"`: "name", `"name":{}`: "name", `"name":"` + strings.Repeat("n", 101) + `"`: "name",
		`"priority":-1`: "priority", `"priority":1001`: "priority", `"priority":1.5`: "priority", `"priority":"1"`: "priority", `"priority":1e99`: "priority",
		`"priority":99999999999999999999`: "priority", `"priority":true`: "priority",
		`"enabled":"true"`: "enabled", `"enabled":1`: "enabled", `"enabled":[]`: "enabled",
		`"allowedModels":"*"`: "allowedModels", `"allowedModels":{}`: "allowedModels", `"allowedModels":[1]`: "allowedModels[0]",
		`"allowedModels":["a",""]`: "allowedModels[1]", `"allowedModels":["a*b"]`: "allowedModels[0]", `"allowedModels":["a b"]`: "allowedModels[0]",
		`"allowedModels":["ü"]`: "allowedModels[0]", `"allowedModels":[null]`: "allowedModels[0]", `"allowedModels":["a\u0000"]`: "allowedModels[0]",
		`"allowedModels":["` + strings.Repeat("m", 257) + `"]`: "allowedModels[0]", `"allowedModels":["a"` + strings.Repeat(`,"a"`, 500) + `]`: "allowedModels",
		`"defaultModel":"gpt*"`: "defaultModel", `"defaultModel":"a b"`: "defaultModel", `"defaultModel":5`: "defaultModel",
		`"dailyLimit":-1`: "dailyLimit", `"dailyLimit":0.5`: "dailyLimit", `"dailyLimit":"5"`: "dailyLimit", `"dailyLimit":1000000000001`: "dailyLimit", `"dailyLimit":1e30`: "dailyLimit",
		`"id":"x"`: "id", `"userId":"x"`: "userId", `"blocked":false`: "blocked", `"lastFour":"1"`: "lastFour", `"usedToday":0`: "usedToday", `"api_key":"x"`: "api_key",
		`"name":"a","name":"b"`: "name",
	}
	for m, path := range member {
		part := fmt.Sprintf(`"path":%q`, path)
		create := `{"provider":"openai",`
		if path != "apiKey" && path != "api_key" {
			create += `"apiKey":"` + apiKey + `",`
		}
		ann.post("/api/keys", create+m+"}").refused(400, "VALIDATION_ERROR", part)
		ann.put("/api/keys/"+id, "{"+m+"}").refused(400, "VALIDATION_ERROR", part)
		ann.patch("/api/keys/"+id, "{"+m+"}").refused(400, "VALIDATION_ERROR", part)
	}
	for body, part := range map[string]string{
		`{}`:                          `"path":"provider"`,
		`{"provider":"openai"}`:       `"path":"apiKey","message":"required"`,
		`{"apiKey":"` + apiKey + `"}`: `"path":"provider"`,
		`{"provider":"acme","apiKey":"` + apiKey + `"}`:   `unknown provider`,
		`{"provider":"OpenAI","apiKey":"` + apiKey + `"}`: `"path":"provider"`,
		`{"provider":null,"apiKey":"` + apiKey + `"}`:     `"path":"provider"`,
		`{"provider":7,"apiKey":"` + apiKey + `"}`:        `"path":"provider"`,
	} {
		ann.post("/api/keys", body).refused(400, "VALIDATION_ERROR", part)
	}
	for _, body := range []string{`{"provider":"groq"}`, `{"provider":null}`, `{"provider":""}`} {
		ann.patch("/api/keys/"+id, body).refused(400, "VALIDATION_ERROR", `"path":"provider"`)
		ann.put("/api/keys/"+id, body).refused(400, "VALIDATION_ERROR", `"path":"provider"`)
	}
	for _, body := range []string{`{"enabled":null}`, `{"priority":null}`, `{"name":null}`} {
		ann.patch("/api/keys/"+id, body).refused(400, "VALIDATION_ERROR", "must")
	}
	if after := ann.get("/api/keys/" + id).body; after != before {
		t.Errorf("a refused change changed something:\n%s\n%s", before, after)
	}
	ann.get("/api/keys").is("total", "1")
}

func TestPutReplacesAndPatchChanges(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	id := ann.key("groq", apiKey, `"name":"mine","priority":7,"enabled":false,"allowedModels":["a","b*"],"defaultModel":"a","dailyLimit":9`)
	path := "/api/keys/" + id
	r := ann.patch(path, `{"priority":0}`).want(200)
	r.members("", keyMembers...)
	r.is("priority", "0", "name", "mine", "enabled", "false", "allowedModels", `["a","b*"]`, "defaultModel", "a", "dailyLimit", "9", "lastFour", "0001")
	ann.patch(path, `{"allowedModels":null,"defaultModel":null,"dailyLimit":null}`).want(200).
		is("allowedModels", "[]", "defaultModel", "null", "dailyLimit", "null", "name", "mine", "priority", "0")
	ann.patch(path, `{"allowedModels":[" c* "],"defaultModel":"c","dailyLimit":3,"provider":"groq"}`).want(200).is("allowedModels", `["c*"]`, "dailyLimit", "3")
	ann.patch(path, `{}`).want(200).is("dailyLimit", "3", "enabled", "false")
	ann.patch(path, `{"apiKey":"gsk_`+mark+`_9999"}`).want(200).is("lastFour", "9999", "dailyLimit", "3")

	ann.put(path, `{"name":"new"}`).want(200).is("name", "new", "priority", "1", "enabled", "true", "allowedModels", "[]", "defaultModel", "null",
		"dailyLimit", "null", "lastFour", "9999", "provider", "groq")
	ann.put(path, `{"apiKey":"gsk_`+mark+`_8888","priority":3}`).want(200).is("name", "Groq", "priority", "3", "lastFour", "8888")
	ann.get(path).want(200).is("name", "Groq", "priority", "3", "lastFour", "8888", "state", "ready")
	ann.chat(`{"provider":"groq","model":"llama-3.1-8b-instant","messages":[{"role":"user","content":"echo: hi"}]}`).want(200)
	if seen := w.emu.Requests(); len(seen) != 1 || seen[0].Key != "gsk_"+mark+"_8888" {
		t.Errorf("another secret than the last was sent")
	}
}

func TestShortSecretsAreNotHinted(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	ann.post("/api/keys", `{"provider":"openai","apiKey":"abcdefg"}`).want(201).is("lastFour", "")
	ann.post("/api/keys", `{"provider":"openai","apiKey":"abcdefgh"}`).want(201).is("lastFour", "efgh")
}

// The database holds a key's secret only in encrypted form.
func TestKeysAreEncrypted(t *testing.T) {
	w := newWorld(t)
	w.user("ann").key("openai", apiKey)
	err := w.db.DB.Run(t.Context(), store.Stmt{SQL: "select sealed from provider_keys", Each: func(r store.Row) error {
		var encrypted []byte
		if err := r.Scan(&encrypted); err != nil || len(encrypted) == 0 || strings.Contains(string(encrypted), mark) {
			t.Errorf("%v: %q", err, encrypted)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTestingKeys(t *testing.T) {
	tests := map[string]struct {
		provider, key string
		ok            string
		class, state  string
	}{
		"unknown":      {"openai", "sk-" + mark + "-fault-401", "false", "bad_key", "rejected"},
		"forbidden":    {"openai", "sk-" + mark + "-fault-403", "false", "forbidden", "rejected"},
		"rate limited": {"openai", "sk-" + mark + "-fault-429", "false", "rate_limited", "ready"},
		"out of order": {"mistral", "sk-" + mark + "-fault-500", "false", "transport", "ready"},
		"overloaded":   {"mistral", "sk-" + mark + "-fault-503", "false", "overloaded", "ready"},
		"no credit":    {"deepseek", "sk-" + mark + "-fault-credit", "false", "out_of_money", "cooldown"},
	}
	for _, id := range emulator.Providers() {
		good := tests["unknown"]
		good.provider, good.key, good.ok, good.class, good.state = id, apiKey, "true", "null", "ready"
		tests[id] = good
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann := w.user("ann")
			id := ann.key(tt.provider, tt.key, `"dailyLimit":1`)
			r := ann.post("/api/keys/"+id+"/test", "").want(200)
			r.is("id", id, "ok", tt.ok, "class", tt.class, "key.state", tt.state, "key.id", id, "key.usedToday", "0")
			if r.text("message") == "" {
				t.Error("no message")
			}
			ann.get("/api/keys/"+id).want(200).is("state", tt.state)
			if seen := w.emu.Requests(); len(seen) != 1 || seen[0].Method != "GET" || strings.Contains(seen[0].Path, tt.key) {
				t.Errorf("it was not cheap: %d requests", len(seen))
			}
		})
	}
}

// The owner and the admin see why a key cools down, since when and until when, in the provider's words.
func TestCooldownOfKey(t *testing.T) {
	w := newWorld(t).freeze()
	ann, root := w.user("ann"), w.admin("root")
	id := ann.key("deepseek", "sk-"+mark+"-fault-credit")
	begun := w.now()
	ann.post("/api/keys/"+id+"/test", "").want(200).is("ok", "false")
	for r, path := range map[*reply]string{
		new(ann.get("/api/keys/" + id)): "", new(ann.get("/api/keys")): "keys.0.", new(root.get("/api/admin/keys")): "keys.0.",
	} {
		first := path + "cooldowns.0"
		r.want(200).is(path+"state", "cooldown", path+"cooldownClass", "out_of_money", first+".model", "null", first+".class", "out_of_money",
			first+".until", r.text(path+"cooldownUntil"), first+".message", r.text(path+"cooldownMessage"))
		r.members(first, "model", "class", "until", "since", "resetsAt", "message")
		r.near(first+".since", begun)
		if !r.time(path+"cooldownUntil").After(begun) || r.text(path+"cooldownMessage") == "" || r.count(path+"cooldowns") != 1 {
			t.Errorf("the cooldown: %s", r.body)
		}
	}
	w.ahead.Store(int64(24 * time.Hour))
	ann.get("/api/keys/"+id).is("state", "ready", "cooldownUntil", "null", "cooldownClass", "null", "cooldownMessage", "null", "cooldowns", "[]")
}

// The cooldown of a key that the provider refused ends when the key is edited or passes a test.
func TestRejectedKeyComesBack(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	id := ann.key("openai", "sk-"+mark+"-fault-401")
	ann.chat(hello).refused(502, "PROVIDER_ERROR", "bad_key")
	ann.get("/api/keys/"+id).is("state", "rejected", "cooldownClass", "bad_key")
	if r := ann.chat(hello).refused(503, "UNAVAILABLE", "bad_key"); r.header.Get("Retry-After") == "" {
		t.Error("the caller is not told when to try again")
	}
	ann.patch("/api/keys/"+id, `{"apiKey":"`+apiKey+`"}`).want(200).is("state", "ready", "cooldownUntil", "null", "cooldownClass", "null", "cooldownMessage", "null", "cooldowns", "[]")
	ann.chat(hello).want(200)
}

// A new secret does not inherit the cooldown of the old one.
func TestKeyChangedWhileItFails(t *testing.T) {
	onBoth(t, func(t *testing.T, db store.DB) {
		w := newWorldOn(t, db)
		ann := w.user("ann")
		for _, ask := range []func(id string){
			func(id string) { ann.post("/api/keys/"+id+"/test", "").want(200).is("ok", "false") },
			func(string) { ann.chat(hello).refused(502, "PROVIDER_ERROR", "bad_key") },
		} {
			id := ann.key("openai", "sk-"+mark+"-fault-401")
			w.db.once("insert into cooldowns", func() {
				w.db.before.Store(nil)
				ann.patch("/api/keys/"+id, `{"apiKey":"`+apiKey+`"}`).want(200)
			})
			ask(id)
			if w.db.before.Load() != nil {
				t.Fatal("the key got no cooldown")
			}
			ann.get("/api/keys/"+id).want(200).is("state", "ready")
			ann.chat(hello).want(200)
			ann.delete("/api/keys/" + id).want(204)
		}
	})
}

// An undecryptable key is shown as such and skipped. It works again after its secret is entered again.
func TestUndecryptableKey(t *testing.T) {
	db := openSQLite(t, t.TempDir())
	first := newWorldOn(t, db)
	ann := first.user("ann")
	lost := ann.key("openai", apiKey)
	w := newWorldOn(t, db, "JWT_SECRET="+nextSecret)
	ann = w.anyone().person(&person{id: ann.id, email: ann.email, session: w.openSession(ann.id)})
	good := ann.key("openai", "sk-"+mark+"-0002")
	ann.get("/api/keys").want(200).is("total", "2", "keys.0.id", lost, "keys.0.state", "undecryptable", "keys.0.lastFour", "0001", "keys.1.state", "ready")
	ann.post("/api/keys/"+lost+"/test", "").refused(409, "CONFLICT", "enter the key again")
	ann.post("/api/keys/"+lost+"/models", "").refused(409, "CONFLICT", "enter the key again")
	if r := ann.chat(hello).want(200); r.header.Get("X-LLM-Key-ID") != good {
		t.Errorf("the key %s answered", r.header.Get("X-LLM-Key-ID"))
	}
	ann.patch("/api/keys/"+good, `{"enabled":false}`).want(200)
	ann.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "cannot be decrypted")
	ann.patch("/api/keys/"+lost, `{"priority":2}`).want(200).is("state", "undecryptable")
	ann.put("/api/keys/"+lost, `{"apiKey":"`+apiKey+`"}`).want(200).is("state", "ready")
	if r := ann.chat(hello).want(200); r.header.Get("X-LLM-Key-ID") != lost {
		t.Errorf("the key %s answered", r.header.Get("X-LLM-Key-ID"))
	}
}

// A new secret of the gateway loses no key. A key is encrypted under it when it is used.
func TestKeysAreEncryptedAgainWhenUsed(t *testing.T) {
	changes := map[string][]string{
		"JWT_SECRET":        {"JWT_SECRET=" + nextSecret, "JWT_SECRET_PREVIOUS=" + jwtSecret},
		"ENCRYPTION_KEY":    {"ENCRYPTION_KEY=" + thirdSecret},
		"both":              {"JWT_SECRET=" + nextSecret, "JWT_SECRET_PREVIOUS=" + jwtSecret, "ENCRYPTION_KEY=" + thirdSecret},
		"a second one back": {"JWT_SECRET=" + nextSecret, "JWT_SECRET_PREVIOUS=" + thirdSecret + "," + jwtSecret},
	}
	for name, settings := range changes {
		t.Run(name, func(t *testing.T) {
			db := openSQLite(t, t.TempDir())
			first := newWorldOn(t, db)
			ann := first.user("ann")
			used := ann.key("openai", apiKey)
			idle := ann.key("groq", "gsk_"+mark+"_0002")
			encryptedBy := func() map[string]string {
				by := map[string]string{}
				err := db.Run(t.Context(), store.Stmt{SQL: "select id, sealing_key from provider_keys", Each: func(r store.Row) error {
					var id store.ID
					var key string
					err := r.Scan(&id, &key)
					by[id.String()] = key
					return err
				}})
				if err != nil {
					t.Fatal(err)
				}
				return by
			}
			before := encryptedBy()
			w := newWorldOn(t, db, settings...)
			ann = w.anyone().person(ann)
			ann.get("/api/keys").want(200).is("keys.0.state", "ready", "keys.1.state", "ready")
			ann.chat(hello).want(200)
			after := encryptedBy()
			if after[used] == before[used] || after[idle] != before[idle] {
				t.Errorf("encrypted by %v, then by %v; %s was used", before, after, used)
			}
			ann.chat(hello).want(200)
			ann.post("/api/keys/"+idle+"/test", "").want(200).is("ok", "true")
		})
	}
}

func TestBlockedKey(t *testing.T) {
	w := newWorld(t)
	ann, root := w.user("ann"), w.admin("root")
	id := ann.key("openai", apiKey)
	path := "/api/keys/" + id
	ann.chat(hello).want(200)
	r := root.patch("/api/admin/keys/"+id, `{"blocked":true}`).want(200).is("id", id, "blocked", "true", "enabled", "false", "userId", ann.id.String())
	r.members("", "id", "provider", "name", "enabled", "blocked", "lastFour", "createdAt", "userId",
		"state", "cooldownUntil", "cooldownClass", "cooldownMessage", "cooldowns")
	r.is("state", "blocked", "cooldowns", "[]")
	ann.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "disabled")
	ann.get(path).is("blocked", "true", "enabled", "false", "state", "blocked")
	ann.patch(path, `{"enabled":true}`).refused(403, "FORBIDDEN", "admin")
	ann.put(path, `{"enabled":true}`).refused(403, "FORBIDDEN", "admin")
	ann.put(path, `{"apiKey":"`+apiKey+`"}`).want(200).is("blocked", "true", "enabled", "false")
	ann.patch(path, `{"enabled":false}`).want(200).is("enabled", "false")
	ann.get("/api/keys?enabled=true").is("total", "0")
	for body, part := range map[string]string{
		`{}`: "required", `{"blocked":null}`: `"path":"blocked"`, `{"blocked":1}`: `"path":"blocked"`, `{"blocked":true,"name":"x"}`: `"path":"name"`,
	} {
		root.patch("/api/admin/keys/"+id, body).refused(400, "VALIDATION_ERROR", part)
	}
	ann.chat(hello).refused(400, "NO_ELIGIBLE_KEY", "")
	root.patch("/api/admin/keys/"+id, `{"blocked":false}`).want(200).is("enabled", "false")
	ann.patch(path, `{"enabled":true}`).want(200)
	ann.chat(hello).want(200)
}

func TestKeyCatalog(t *testing.T) {
	w := newWorld(t)
	r := w.user("ann").get("/api/keys/catalog").want(200)
	r.members("", "providers")
	r.members("providers.0", "id", "name", "models")
	r.members("providers.0.models.0", "id", "endOfLife", "mode", "released", "contextWindow", "maxOutputTokens", "capabilities")
	r.is("providers.0.id", "openai", "providers.0.name", "OpenAI")
	if n := r.count("providers"); n != len(emulator.Providers()) {
		t.Errorf("%d providers", n)
	}
	for i := range r.count("providers") {
		if r.count(fmt.Sprintf("providers.%d.models", i)) == 0 {
			t.Errorf("no models of %s", r.text(fmt.Sprintf("providers.%d.id", i)))
		}
	}
	w.anyone().get("/api/keys/catalog").refused(401, "UNAUTHORIZED", "")
}
