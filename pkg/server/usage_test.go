package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var countMembers = []string{"requests", "errors", "inputTokens", "cachedTokens", "cacheWriteTokens", "outputTokens", "reasoningTokens", "costUsd", "unpriced"}

// history returns a user with requests on two days: two by token and one by session that OpenAI answered, one that
// failed at Groq, and one without an eligible key.
func history(t *testing.T) (w *world, ann *person, openai, groq, token string) {
	w = newWorld(t)
	w.setClock(time.Date(2027, 5, 9, 22, 30, 0, 0, time.UTC))
	ann = w.user("ann")
	openai, groq = ann.key("openai", apiKey), ann.key("groq", "gsk_"+mark+"-fault-401")
	token, _, holder := ann.token("app")
	holder.chat(hello).want(200)
	w.wait(4 * time.Hour)
	holder.chat(strings.Replace(hello, "{", `{"stream":true,`, 1)).want(200)
	w.wait(2 * time.Millisecond)
	ann.chat(hello).want(200)
	w.wait(2 * time.Millisecond)
	ann.chat(strings.Replace(hello, "gpt-4o-mini", "llama-3.1-8b-instant", 1)).want(502)
	w.wait(2 * time.Millisecond)
	ann.chat(strings.Replace(hello, "gpt-4o-mini", "mistral-small-latest", 1)).want(400)
	return w, ann, openai, groq, token
}

func TestUsage(t *testing.T) {
	w, ann, openai, groq, token := history(t)
	r := ann.get("/api/usage").want(200)
	r.members("", "usage", "latency", "timeToFirstByte", "by", "from", "to")
	r.members("usage.0", append([]string{"bucket"}, countMembers...)...)
	r.members("latency", "count", "p50", "p90", "p95", "p99")
	r.is("by", "day", "usage.0.bucket", "2027-05-09", "usage.0.requests", "1", "usage.0.errors", "0",
		"usage.1.bucket", "2027-05-10", "usage.1.requests", "4", "usage.1.errors", "2", "latency.count", "5", "timeToFirstByte.count", "3")
	r.near("to", w.now())
	r.near("from", w.now().AddDate(0, 0, -30))
	if cost := r.text("usage.0.costUsd"); cost == "0" || cost == "null" || strings.ContainsAny(cost, "e\"") {
		t.Errorf("costUsd is %s", cost)
	}
	for by, want := range map[string][]string{
		"hour":     {"usage.0.bucket", "2027-05-09T22:00:00.000Z", "usage.1.bucket", "2027-05-10T02:00:00.000Z", "usage.1.requests", "4"},
		"model":    {"usage.0.bucket", "gpt-4o-mini", "usage.0.requests", "3"},
		"provider": {"usage.0.bucket", "openai", "usage.0.requests", "3", "usage.0.errors", "0"},
		"key":      {"usage.0.bucket", openai, "usage.0.requests", "3"},
		"token":    {"usage.0.bucket", "null", "usage.0.requests", "3", "usage.1.bucket", token, "usage.1.requests", "2"},
	} {
		r := ann.get("/api/usage?by="+by).want(200).is(want...).is("by", by)
		sum := 0
		for i := range r.count("usage") {
			var n int
			fmt.Sscan(r.text(fmt.Sprintf("usage.%d.requests", i)), &n)
			sum += n
		}
		if sum != 5 {
			t.Errorf("by %s: %d requests in all", by, sum)
		}
		if by == "key" && !strings.Contains(r.body, groq) {
			t.Errorf("the key that failed is missing: %s", r.body)
		}
	}
	for split, want := range map[string][]string{
		"provider": {"parts.0.part", "openai", "parts.1.part", "openai", "parts.1.requests", "2"},
		"model":    {"parts.0.part", "gpt-4o-mini", "parts.1.part", "gpt-4o-mini", "parts.1.requests", "2"},
		"key":      {"parts.0.part", openai, "parts.1.part", openai},
		"token":    {"parts.0.part", token, "parts.1.part", "null", "parts.1.requests", "3", "parts.2.part", token},
	} {
		r := ann.get("/api/usage?by=day&split="+split).want(200).is(want...).is("parts.0.bucket", "2027-05-09", "parts.1.bucket", "2027-05-10", "usage.1.requests", "4")
		r.members("parts.0", append([]string{"bucket", "part"}, countMembers...)...)
	}
	ann.get("/api/usage?by=hour&split=model").want(200).is("parts.0.bucket", "2027-05-09T22:00:00.000Z")
	for span, want := range map[string]string{
		"from=2027-05-10&to=2027-05-11": "4", "from=2027-05-09T22:00:00Z&to=2027-05-09T23:00:00Z": "1",
		"from=2027-05-09T22:00:00%2B00:00&to=2027-05-10": "1", "from=2027-05-01&to=2027-05-02": "null",
	} {
		ann.get("/api/usage?"+span).want(200).is("usage.0.requests", want)
	}
	for query, path := range map[string]string{
		"by=model&split=key": "split", "by=day&split=hour": "split", "split=x": "split", "by=week": "by", "by=day&by=hour": "by", "by=%00": "by", "from=yesterday": "from", "to=2027-13-01": "to", "from=2027-05-09T22:00:00": "from",
		"from=1999-01-01": "from", "to=9999-01-01": "to", "from=2027-05-10&to=2027-05-10": "from", "from=2027-05-11&to=2027-05-10": "from",
		"from=2000-01-01&to=2199-01-01": "from", "by=hour&from=2026-01-01&to=2027-01-01": "from", "from=-1": "from", "from=99999999999999999999": "from",
	} {
		ann.get("/api/usage?"+query).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}
	if r := newWorld(t).user("bob").get("/api/usage").want(200); !strings.HasPrefix(r.body, `{"usage":[],`) {
		t.Errorf("no usage: %s", r.body)
	}
}

func TestRequests(t *testing.T) {
	w, ann, openai, groq, token := history(t)
	r := ann.get("/api/requests").want(200)
	r.members("", "requests", "nextCursor")
	r.members("requests.0", "id", "createdAt", "status", "outcome", "provider", "model", "keyId", "tokenId", "stream", "attempts", "latencyMs", "firstByteMs",
		"inputTokens", "cachedTokens", "cacheWriteTokens", "outputTokens", "reasoningTokens", "estimated", "steered", "askedModel", "costUsd")
	r.is("nextCursor", "null",
		"requests.0.status", "400", "requests.0.keyId", "null", "requests.0.provider", "null", "requests.0.model", "mistral-small-latest", "requests.0.outcome", "failed",
		"requests.1.status", "502", "requests.1.keyId", groq, "requests.1.provider", "groq", "requests.1.tokenId", "null",
		"requests.2.status", "200", "requests.2.keyId", openai, "requests.2.tokenId", "null", "requests.2.stream", "false", "requests.2.outcome", "answered",
		"requests.3.tokenId", token, "requests.3.stream", "true", "requests.4.stream", "false", "requests.4.tokenId", token).near("requests.0.createdAt", w.now())
	if strings.Contains(r.body, "Welt") || strings.Contains(w.log.String(), "Welt") {
		t.Error("a word of the conversation was kept")
	}

	var paged []string
	cursor := ""
	for range 10 {
		page := ann.get("/api/requests?limit=2&cursor=" + cursor).want(200)
		for i := range page.count("requests") {
			paged = append(paged, page.text(fmt.Sprintf("requests.%d.id", i)))
		}
		if cursor = page.text("nextCursor"); cursor == "null" {
			break
		}
	}
	for i := range 5 {
		if len(paged) != 5 || paged[i] != r.text(fmt.Sprintf("requests.%d.id", i)) {
			t.Fatalf("by pages: %v", paged)
		}
	}
	ann.get("/api/requests?limit=5").want(200).is("nextCursor", "null")

	for query, want := range map[string]int{
		"statusClass=2": 3, "statusClass=4": 1, "statusClass=5": 1, "provider=groq": 1, "provider=acme": 0, "model=gpt-4o-mini": 3, "keyId=" + openai: 3,
		"tokenId=" + token: 2, "from=2027-05-10": 4, "to=2027-05-10": 1, "from=2027-05-10&to=2027-05-09": 0, "model=x'%20or%201=1": 0,
		"status=502": 1, "status=400": 1, "status=404": 0, "status=502&statusClass=4": 0, "model=gpt-4o*": 3, "model=*": 5, "model=gpt-5*": 0, "model=*mini": 0, "model=gpt_4o*": 0,
		"statusClass=2&tokenId=" + token + "&from=2027-05-10": 1,
	} {
		if n := ann.get("/api/requests?" + query).want(200).count("requests"); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	for query, path := range map[string]string{
		"limit=0": "limit", "limit=201": "limit", "cursor=x": "cursor", "statusClass=1": "statusClass", "statusClass=x": "statusClass", "status=2": "status", "status=600": "status", "keyId=1": "keyId",
		"tokenId=zz": "tokenId", "from=x": "from", "provider=%0a": "provider", "model=" + strings.Repeat("m", 201): "model", "model=%ff": "model", "model=a&model=b": "model",
	} {
		ann.get("/api/requests?"+query).refused(400, "VALIDATION_ERROR", fmt.Sprintf(`"path":%q`, path))
	}

	failed := ann.get("/api/requests/"+r.text("requests.1.id")).want(200).is("status", "502", "id", r.text("requests.1.id"))
	if trace := failed.text("trace"); !strings.Contains(trace, groq) || !strings.Contains(trace, "bad_key") {
		t.Errorf("the trace of a failure is %s", trace)
	}
	ann.get("/api/requests/"+r.text("requests.2.id")).want(200).is("status", "200", "trace.strategy", "exhaust-first",
		"trace.attempts.0.outcome", "answered", "trace.attempts.0.keyId", openai, "trace.attempts.0.status", "200")
}
