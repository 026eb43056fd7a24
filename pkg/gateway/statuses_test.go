package gateway

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

var writeDocs = flag.Bool("write-docs", false, "write the tables of docs/errors.md")

// classes are all classes, with their meaning for the documentation.
var classes = []struct {
	class   chat.Class
	meaning string
}{
	{chat.BadRequest, "the provider refuses the request as such"},
	{chat.ContextLength, "the input does not fit the model"},
	{chat.TooLarge, "the request is larger than the provider, or the key's limit, takes"},
	{chat.ContentPolicy, "the provider refuses the content"},
	{chat.ModelUnknown, "the provider does not serve the model to the key"},
	{chat.BadKey, "the provider does not know the key"},
	{chat.Forbidden, "the key may not do this"},
	{chat.OutOfMoney, "credit or spending limit is used up"},
	{chat.RateLimited, "too fast"},
	{chat.DailyQuota, "the provider's quota of a day or month is used up"},
	{chat.Overloaded, "the provider cannot take more now"},
	{chat.Transport, "no connection, a broken answer, a status of 500"},
	{chat.Timeout, "no answer in time"},
	{chat.BadToolCall, "the model wrote a tool call that the provider could not read"},
}

// callAfter is a request of one key that failed, or that cools down after such a failure.
func callAfter(t *testing.T, class chat.Class, tried bool) *Call {
	t.Helper()
	table, err := provider.NewTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	k := candidate{key: &key{id: store.ID{1}, provider: table.ByID("openai"), providerID: "openai"}, model: "gpt-5"}
	c := &Call{g: &Gateway{Deps: Deps{Providers: table, Now: func() time.Time { return now }}}, candidates: []candidate{k},
		req: Request{Chat: &chat.Request{Model: "gpt-5"}}}
	if tried {
		c.trace.addFailed(&attempt{key: k, failure: &chat.Error{Class: class, Message: "the provider's words"}}, 0)
		return c
	}
	id := store.CooldownID{Subject: k.id, Model: store.AllModels}
	c.quotaStatus = quota.Status{Keys: map[store.ID]quota.KeyStatus{k.id: {}}, Cooldowns: map[store.CooldownID]store.Cooldown{
		id: {CooldownID: id, Until: now.UnixMilli() + 60_000, Class: string(class), Message: "the provider's words"}}}
	return c
}

func documentedDialects() []*dialect.Dialect {
	return []*dialect.Dialect{native.NewDialect(nil), openai.NewDialect(), responses.NewDialect(), anthropic.NewDialect(), gemini.NewDialect()}
}

// told returns the status and the code or type of an error in a dialect.
func told(t *testing.T, d *dialect.Dialect, f *fault.Error) string {
	t.Helper()
	status := f.Code.Status()
	if d.Status != nil {
		status = d.Status(f)
	}
	root, err := jsonx.Parse(d.Errors.EncodeError(f, "id"), jsonx.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	e := root.Get("error")
	member := map[dialect.Name]string{anthropic.Name: "type", gemini.Name: "status"}[d.Name]
	if member == "" {
		member = "code"
	}
	if e.Get(member).Empty() {
		return fmt.Sprint(status)
	}
	return fmt.Sprintf("%d `%s`", status, e.Get(member).Str())
}

// The tables of the documentation are what callers are told.
func TestStatusesAreDocumented(t *testing.T) {
	const head = "| %s | `/api/chat` | Chat Completions | Responses | Messages | generateContent |\n|---|---|---|---|---|---|\n"
	var out strings.Builder
	row := func(name string, f *fault.Error) {
		fmt.Fprintf(&out, "| %s |", name)
		for _, d := range documentedDialects() {
			fmt.Fprintf(&out, " %s |", told(t, d, f))
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(&out, head, "Class: a key was tried, and failed with")
	for _, c := range classes {
		row(fmt.Sprintf("`%s`: %s", c.class, c.meaning), fault.From(callAfter(t, c.class, true).refusal()))
	}
	out.WriteByte('\n')
	fmt.Fprintf(&out, head, "Class: every fitting key cools down after")
	for _, c := range classes {
		switch obstacleOf(c.class) {
		case refusesRequest, tooLarge: // nothing cools down
			continue
		}
		f := fault.From(callAfter(t, c.class, false).refusal())
		if c.class != chat.ModelUnknown && f.RetryAfter != time.Minute {
			t.Errorf("%s: Retry-After %v, want that of the cooldown", c.class, f.RetryAfter)
		}
		if c.class != chat.ModelUnknown && !strings.HasSuffix(f.Message, ": the provider's words") {
			t.Errorf("%s: told %q without the provider's words", c.class, f.Message)
		}
		row(fmt.Sprintf("`%s`", c.class), f)
	}
	out.WriteByte('\n')
	fmt.Fprintf(&out, head, "Without a failure of a provider")
	limit := int64(5)
	spent, c := callAfter(t, "", false), callAfter(t, "", false)
	spent.quotaStatus = quota.Status{Keys: map[store.ID]quota.KeyStatus{{1}: {Limit: &limit, Used: 5}}}
	row("the daily limits of all fitting keys are used up", fault.From(spent.refusal()))
	row("nobody has the model", fault.From(errUnknownModel("no-such-model", nil)))
	row("no key may serve the request by its settings", fault.From(c.noEligibleKey(nil)))
	row("the database does not answer", fault.New(fault.Unavailable, "x"))
	compareDocument(t, "../../docs/errors.md", out.String())
}

// compareDocument compares what stands between the markers of a document.
func compareDocument(t *testing.T, path, want string) {
	t.Helper()
	const begin, end = "<!-- statuses -->\n", "<!-- end of statuses -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		t.Fatalf("%s has no markers %q and %q", path, begin, end)
	case got == want:
	case *writeDocs:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s differs; run the test with -write-docs. Want:\n%s", path, want)
	}
}

// Anthropic's API has two sentences for a context that overflows, by which agents know that they have to shorten it.
func TestContextOverflowInEveryDialect(t *testing.T) {
	for said, want := range map[string][4]string{ // native, OpenAI's, Anthropic's, Gemini's
		"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).": {
			"The input token count (1200000) exceeds", "This model's maximum context length is 1048576 tokens. However, your messages resulted in 1200000 tokens.",
			"prompt is too long: 1200000 tokens > 1048576 maximum", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."},
		"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again": {
			"input length and", "maximum context length is 200000 tokens. However, your messages resulted in 209573",
			"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000", "The input token count (209573) exceeds the maximum number of tokens allowed (200000)."},
		"Please reduce the length of the messages or completion.": {
			"Please reduce", "Please reduce", "prompt is too long: Please reduce", "Please reduce"},
	} {
		c := callAfter(t, chat.ContextLength, true)
		failure := c.trace.attempts[0].failure
		failure.Message = said
		if sizes := map[string][2]int64{"The": {1200000, 1048576}, "inp": {209573, 200000}}[said[:3]]; sizes[1] > 0 {
			failure.Requested, failure.Limit = sizes[0], sizes[1] // as package provider reads them
		}
		f := fault.From(c.refusal())
		for i, d := range documentedDialects() {
			text := string(d.Errors.EncodeError(f, "id"))
			w := want[[...]int{0, 1, 1, 2, 3}[i]]
			if !strings.Contains(text, w) || f.Code.Status() != 400 {
				t.Errorf("%s, %q: %s, want %q", d.Name, said, text, w)
			}
		}
	}
}
