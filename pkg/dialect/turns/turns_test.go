package turns_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

// conversation reads a message a word: u:hi, a:text, a+ID (a call), a+ID1+ID2, t-ID:result, t-ID! (an error), s:rule,
// t-ID#:text (with an image).
func conversation(words string) []chat.Message {
	var list []chat.Message
	for _, word := range strings.Fields(words) {
		head, said, _ := strings.Cut(word, ":")
		said = strings.ReplaceAll(said, "_", " ")
		m := chat.Message{Role: map[byte]chat.Role{'u': chat.User, 'a': chat.Assistant, 's': chat.System, 't': chat.ToolRole, 'd': chat.Developer}[head[0]]}
		if said != "" && m.Role != chat.ToolRole {
			m.Parts = append(m.Parts, chat.Part{Kind: chat.Text, Text: said})
		}
		if calls, ok := strings.CutPrefix(head, "a+"); ok {
			for _, id := range strings.Split(calls, "+") {
				m.Parts = append(m.Parts, chat.Part{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: "f_" + id, Arguments: "{}"}})
			}
		}
		if m.Role == chat.ToolRole {
			id, failed := strings.CutSuffix(head[2:], "!")
			id, image := strings.CutSuffix(id, "#")
			r := &chat.ToolResult{CallID: id, Name: "f_" + id, IsError: failed}
			if said != "" {
				r.Parts = append(r.Parts, chat.Part{Kind: chat.Text, Text: said})
			}
			if image {
				r.Parts = append(r.Parts, chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://e.com/a"}})
			}
			m.Parts = append(m.Parts, chat.Part{Kind: chat.Result, ToolResult: r})
		}
		list = append(list, m)
	}
	return list
}

// words writes messages as conversation reads them.
func words(list []chat.Message) string {
	var out []string
	for _, m := range list {
		letter, marks, texts := string(m.Role[0]), "", []string(nil)
		for _, p := range m.Parts {
			switch {
			case p.Kind == chat.Text:
				texts = append(texts, strings.ReplaceAll(p.Text, " ", "_"))
			case p.ToolCall != nil:
				marks += "+" + p.ToolCall.ID
			case p.ToolResult != nil:
				marks += "-" + p.ToolResult.CallID
				if p.ToolResult.IsError {
					marks += "!"
				}
				for _, inner := range p.ToolResult.Parts {
					if inner.Kind == chat.Text {
						texts = append(texts, strings.ReplaceAll(inner.Text, " ", "_"))
					} else {
						marks += "#"
					}
				}
			case p.Media != nil:
				marks += "#"
			}
		}
		word := letter + marks
		if len(texts) > 0 {
			word += ":" + strings.Join(texts, "|")
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func fit(messages []chat.Message, form turns.Form, rules dialect.TurnRules) (got []chat.Message, from []int, warnings []string, err *chat.Error) {
	common := &dialect.CommonRules{Provider: "p", Turns: rules}
	w := body.NewWriter(&chat.Request{Messages: messages}, common, dialect.ModelExceptions{})
	from, _ = turns.Fit(&w, form)
	return w.Req.Messages, from, w.Warnings, w.Err
}

var mistrals = dialect.TurnRules{Pairs: true, CallIDs: dialect.CallIDsNine, DistinctCallIDs: true,
	NotAfter: map[chat.Role][]chat.Role{chat.Assistant: {chat.System}, chat.ToolRole: {chat.User, chat.System}},
	Ends:     dialect.EndsUser, SaysSomething: true}

func TestFit(t *testing.T) {
	const none = "There_is_no_result:_the_call_was_not_carried_out,_or_was_interrupted."
	const goOn = "u:Continue_from_where_you_left_off."
	nine := mistrals
	nine.CallIDs = dialect.CallIDsAny
	chats := turns.Form{TextResults: true, JoinsCalls: true, ForgetsReasoning: true}
	passed := chats
	passed.Same = true
	for name, c := range map[string]struct {
		in    string
		form  turns.Form
		rules dialect.TurnRules
		want  string // empty: as it is
	}{
		"in order":                    {"s:x u:x a+1+2 t-2:b t-1:a a:y u:z", chats, dialect.TurnRules{}, ""},
		"an id twice":                 {"u:x a+1 t-1:a a+1 t-1:b", chats, dialect.TurnRules{}, "u:x a+1 t-1:a a+1_2 t-1_2:b"},
		"an id twice in a turn":       {"u:x a+1+1 t-1:a t-1:b", chats, dialect.TurnRules{}, "u:x a+1+1_2 t-1:a t-1_2:b"},
		"an id that another became":   {"u:x a+1+1+1_2 t-1:a t-1:b t-1_2:c", chats, dialect.TurnRules{}, "u:x a+1+1_2+1_2_2 t-1:a t-1_2:b t-1_2_2:c"},
		"an id twice, passed":         {"u:x a+1 t-1:a a+1 t-1:b", passed, dialect.TurnRules{}, ""},
		"an unanswered id again":      {"u:x a+1 u:no a+1 t-1:b", chats, dialect.TurnRules{}, "u:x a+1 t-1!:" + none + " u:no a+1_2 t-1_2:b"},
		"no result":                   {"u:x a+1+2 t-1:a u:y", chats, dialect.TurnRules{}, "u:x a+1+2 t-1:a t-2!:" + none + " u:y"},
		"no result, passed":           {"u:x a+1+2 t-1:a u:y", passed, dialect.TurnRules{}, ""},
		"no result, refused":          {"u:x a+1+2 t-1:a u:y", passed, dialect.TurnRules{Pairs: true}, "u:x a+1+2 t-1:a t-2!:" + none + " u:y"},
		"no call":                     {"u:x t-9:a u:y", chats, dialect.TurnRules{}, "u:x u:The_result_of_a_tool,_f_9:|a u:y"},
		"two results":                 {"u:x a+1 t-1:a t-1!:b", chats, dialect.TurnRules{}, "u:x a+1 t-1!:a|b"},
		"the user between":            {"u:x a+1+2 u:wait t-1:a u:now t-2:b", chats, dialect.TurnRules{}, "u:x a+1+2 t-1:a t-2:b u:wait u:now"},
		"a later turn answers":        {"u:x a+1 a:y u:z t-1:a", turns.Form{}, dialect.TurnRules{}, "u:x a+1 a:y t-1:a u:z"},
		"the result first":            {"u:x t-1:a a+1 u:y", chats, dialect.TurnRules{}, "u:x a+1 t-1:a u:y"},
		"calls in a row":              {"u:x a+1 a+2:y t-1:a t-2:b", turns.Form{}, dialect.TurnRules{}, ""},
		"calls in a row, joined":      {"u:x a+1 a+2 t-1:a t-2:b", chats, dialect.TurnRules{}, "u:x a+1+2 t-1:a t-2:b"},
		"an id again in the next":     {"u:x a+1:y a+1:z t-1:r", chats, dialect.TurnRules{}, "u:x a+1+1_2:y|\n\nz t-1!:" + none + " t-1_2:r"},
		"an image":                    {"u:x a+1+2 t-1#:a t-2:b a:y", chats, dialect.TurnRules{}, "u:x a+1+2 t-1:a t-2:b u#:What_the_tools_above_returned_beside_text: a:y"},
		"an image alone at the end":   {"u:x a+1 t-1#", chats, nine, "u:x a+1 t-1 a:OK. u#:What_the_tools_above_returned_beside_text:"},
		"the user after a tool":       {"u:x a+1 t-1:a u:y", passed, nine, "u:x a+1 t-1:a a:OK. u:y"},
		"the system after a tool":     {"u:x a+1 t-1:a s:y", passed, nine, "u:x a+1 t-1:a a:OK. u:<system>\ny\n</system>"},
		"the system after all":        {"s:x u:x s:y a:z d:y", passed, nine, "s:x u:x s:y a:z u:<system>\ny\n</system>"},
		"the system last":             {"u:x s:y", passed, nine, "u:x u:<system>\ny\n</system>"},
		"the assistant last":          {"u:x a:y", passed, nine, "u:x a:y " + goOn},
		"a call last":                 {"u:x a+1", passed, nine, "u:x a+1 t-1!:" + none},
		"the assistant says nothing":  {"u:x a u:y", chats, dialect.TurnRules{}, "u:x u:y"},
		"the user says nothing":       {"u:x a:y u a:z", chats, dialect.TurnRules{}, "u:x a:y a:z"},
		"only the system speaks":      {"s:x u", chats, dialect.TurnRules{}, ""},
		"nothing, passed":             {"u:x a u:y", passed, dialect.TurnRules{}, ""},
		"nothing and last":            {"u:x a", passed, nine, "u:x"},
		"nobody says anything":        {"a", chats, dialect.TurnRules{}, ""},
		"the assistant first":         {"s:x a:y u:z", passed, dialect.TurnRules{UserFirst: true}, "s:x u:(begin) a:y u:z"},
		"no prefill":                  {"u:x a:y", passed, dialect.TurnRules{Ends: dialect.EndsAnyButOwn}, "u:x a:y " + goOn},
		"the system after a prefill":  {"u:x a:y s:z", passed, dialect.TurnRules{Ends: dialect.EndsAnyButOwn}, "u:x a:y s:z " + goOn},
		"the system after the user":   {"u:x s:z", passed, dialect.TurnRules{Ends: dialect.EndsAnyButOwn}, ""},
		"an end that is looked after": {"u:x a:y", turns.Form{OpenEnd: true}, nine, ""},
	} {
		in := conversation(c.in)
		before, _ := json.Marshal(in)
		got, from, warnings, err := fit(in, c.form, c.rules)
		want := c.want
		if want == "" {
			want = c.in
		}
		if words(got) != want || err != nil {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, words(got), want)
		}
		if after, _ := json.Marshal(in); string(after) != string(before) {
			t.Errorf("%s: the caller's messages changed", name)
		}
		for i, at := range from {
			if at != turns.Made && words(got[i:i+1]) != words(in[at:at+1]) {
				t.Errorf("%s: message %d is not %d of the caller's", name, i, at)
			}
		}
		if c.want == "" && len(warnings) > 0 {
			t.Errorf("%s: %q", name, warnings)
		}
	}
}

// Whatever comes, the provider gets what its rules allow, no text is lost, and each result stands by its call.
func TestFitKeepsRules(t *testing.T) {
	pieces := []string{"u:u", "a:a", "a+1", "a+1+2:b", "a+1+1", "t-1:r", "t-2:s", "t-3:o", "t-1#:i", "s:s", "d:d", "a", "t-1"}
	for n := range 20000 {
		var list []string
		for i, left := 0, n*7919+13; i < 1+n%9; i, left = i+1, left/len(pieces)+n*31+i {
			list = append(list, strings.Replace(pieces[left%len(pieces)], ":", fmt.Sprintf(":%d", i), 1))
		}
		in := conversation(strings.Join(list, " "))
		got, _, _, err := fit(in, turns.Form{TextResults: true, JoinsCalls: true, ForgetsReasoning: true, Same: n%2 == 0}, mistrals)
		if err != nil {
			if strings.Trim(strings.Join(list, ""), "a") != "" || !strings.Contains(err.Message, "nothing that can be sent") {
				t.Fatal(err)
			}
			continue
		}
		if wrong := breaks(got); wrong != "" {
			t.Fatalf("%s: %s became %s", wrong, words(in), words(got))
		}
		for _, word := range list {
			if _, said, ok := strings.Cut(word, ":"); ok && !strings.Contains(words(got), said) {
				t.Fatalf("%s is lost: %s became %s", said, words(in), words(got))
			}
		}
		again, _, warnings, _ := fit(got, turns.Form{TextResults: true, JoinsCalls: true, ForgetsReasoning: true}, mistrals)
		if words(again) != words(got) || len(warnings) > 0 {
			t.Fatalf("%s is changed once more, to %s: %q", words(got), words(again), warnings)
		}
	}
}

// breaks returns which of Mistral's rules the messages break.
func breaks(list []chat.Message) string {
	seen, open := map[string]bool{}, map[string]bool{}
	for i, m := range list {
		role := m.Role
		if role == chat.Developer {
			role = chat.System
		}
		if i > 0 && slices.Contains(mistrals.NotAfter[list[i-1].Role], role) {
			return fmt.Sprintf("%s after %s", role, list[i-1].Role)
		}
		if m.Role != chat.ToolRole && len(open) > 0 {
			return "calls without results"
		}
		for _, p := range m.Parts {
			if c := p.ToolCall; c != nil {
				if seen[c.ID] || len(c.ID) != 9 {
					return "the id " + c.ID
				}
				seen[c.ID], open[c.ID] = true, true
			}
			if r := p.ToolResult; r != nil {
				if !open[r.CallID] {
					return "a result without its call"
				}
				delete(open, r.CallID)
			}
		}
	}
	switch last := list[len(list)-1]; {
	case len(open) > 0:
		return "calls without results"
	case last.Role != chat.User && last.Role != chat.ToolRole && len(last.Parts) > 0:
		return "the last is " + string(last.Role)
	}
	return ""
}

// What only one dialect has becomes text elsewhere, whatever its type is called.
func TestExpress(t *testing.T) {
	text := func(s string) chat.Part { return chat.Part{Kind: chat.Text, Text: s} }
	raw := func(dialect, raw string, instead ...chat.Part) chat.Part {
		return chat.Part{Kind: chat.Unrendered, Dialect: dialect, Raw: json.RawMessage(raw), Instead: instead}
	}
	document := func(m chat.Media) chat.Part { return chat.Part{Kind: chat.File, Media: &m} }
	pdf := chat.Media{MIMEType: "application/pdf", Data: "QQ=="}
	titled := pdf
	titled.Filename, titled.Context = "t", "c"
	for name, c := range map[string]struct {
		role chat.Role
		in   chat.Part
		form turns.Form
		want string
		says string // in a warning or the error
	}{
		"its own":                 {chat.User, raw("x", `{"type":"a"}`, text("i")), turns.Form{Dialect: "x"}, `{"type":"a"}`, ""},
		"another's":               {chat.User, raw("y", `{"type":"a"}`, text("i")), turns.Form{Dialect: "x"}, "i", ""},
		"nested":                  {chat.User, raw("y", `{"type":"a"}`, text("i"), raw("y", `{"type":"b"}`, text("j"))), turns.Form{Dialect: "x"}, "i|j", ""},
		"without text":            {chat.User, raw("y", `{"type":"container_upload"}`), turns.Form{Dialect: "x"}, "", `"container_upload" cannot be sent to p`},
		"without type":            {chat.User, raw("y", `{"toolCall":{}}`), turns.Form{Dialect: "x"}, "", `"toolCall"`},
		"of the assistant":        {chat.Assistant, raw("y", `{"type":"fallback"}`), turns.Form{Dialect: "x"}, "", `"fallback" is dropped`},
		"in a result":             {chat.ToolRole, raw("y", `{"type":"a","id":1}`), turns.Form{Dialect: "x"}, `{"type":"a","id":1}`, ""},
		"a file of text":          {chat.User, document(chat.Media{MIMEType: "text/plain", Data: "aMOp", Filename: "a.txt"}), turns.Form{}, "<document>\nTitle: a.txt\nhé\n</document>", ""},
		"a file of text, as file": {chat.User, document(chat.Media{MIMEType: "text/plain", Data: "aMOp"}), turns.Form{TextFiles: true}, "text/plain", ""},
		"a file of JSON":          {chat.User, document(chat.Media{MIMEType: "application/json", Data: "e30="}), turns.Form{TextFiles: true}, "<document>\n{}\n</document>", ""},
		"a file of JSON, passed":  {chat.User, document(chat.Media{MIMEType: "application/json", Data: "e30="}), turns.Form{TextFiles: true, Same: true}, "application/json", ""},
		"text that is refused":    {chat.User, document(chat.Media{MIMEType: "text/csv", Data: "aMOp"}), turns.Form{Same: true}, "<document>\nhé\n</document>", ""},
		"text by its name":        {chat.User, document(chat.Media{Data: "aMOp", Filename: "a.MD"}), turns.Form{}, "<document>\nTitle: a.MD\nhé\n</document>", ""},
		"another's, passed":       {chat.User, raw("y", `{"type":"a"}`, text("i")), turns.Form{Dialect: "x", Same: true}, `{"type":"a"}`, ""},
		"a file of no text":       {chat.User, document(chat.Media{MIMEType: "text/plain", Data: "/w=="}), turns.Form{}, "text/plain", ""},
		"a PDF":                   {chat.User, document(pdf), turns.Form{}, "application/pdf", ""},
		"a PDF with a context":    {chat.User, document(titled), turns.Form{}, "About the next document:\nTitle: t\nContext: c|application/pdf", ""},
		"a context that is sent":  {chat.User, document(titled), turns.Form{DocumentContext: true}, "application/pdf c", ""},
	} {
		messages := []chat.Message{{Role: c.role, Parts: []chat.Part{c.in}}}
		if c.role == chat.ToolRole {
			messages = append(conversation("a+1"), chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.Result,
				ToolResult: &chat.ToolResult{CallID: "1", Parts: []chat.Part{c.in}}}}})
		}
		got, _, warnings, err := fit(messages, c.form, dialect.TurnRules{})
		var said []string
		for _, m := range got {
			parts := m.Parts
			if c.role == chat.ToolRole && len(parts) > 0 && parts[0].ToolResult != nil {
				parts = parts[0].ToolResult.Parts
			}
			for _, p := range parts {
				switch {
				case p.Media != nil:
					said = append(said, strings.TrimSpace(p.Media.MIMEType+" "+p.Media.Context))
				case p.ToolCall == nil:
					said = append(said, p.Text+string(p.Raw))
				}
			}
		}
		if err != nil {
			warnings = append(warnings, err.Message)
		}
		if strings.Join(said, "|") != c.want || !strings.Contains(strings.Join(warnings, "|"), c.says) || c.says == "" && len(warnings) > 0 {
			t.Errorf("%s: %q %q", name, said, warnings)
		}
	}
}

// Ids that a provider does not take become others: distinct, and the same in every request.
func TestIDForms(t *testing.T) {
	long := strings.Repeat("x", 65)
	for form, takes := range map[dialect.CallIDForm]func(string) bool{
		dialect.CallIDsNine: func(id string) bool { return len(id) == 9 && body.MadeOf(id, 9, "") },
		dialect.CallIDsWord: func(id string) bool { return body.MadeOf(id, 128, "_-") },
		dialect.CallIDs40:   func(id string) bool { return len(id) <= 40 },
		dialect.CallIDs64:   func(id string) bool { return len(id) <= 64 },
		dialect.CallIDsAny:  func(string) bool { return true },
	} {
		in := []string{"g6fVbXS8K", "call_1", "functions.add:0", "functions.add:0", "functions.add:1", long, long + "y", long, "", "é", "a b", "toolu_1"}
		list := []string{"a"}
		for range in {
			list = append(list, "a:x")
		}
		messages := conversation(strings.Join(list, " "))
		for i, id := range in {
			messages[i+1].Parts = []chat.Part{{Kind: chat.Call, ToolCall: &chat.ToolCall{ID: id, Name: "f"}}}
		}
		read := func() []string {
			var ids []string
			got, _, _, _ := fit(messages, turns.Form{}, dialect.TurnRules{CallIDs: form})
			for _, m := range got {
				for _, p := range m.Parts {
					if p.ToolCall != nil {
						ids = append(ids, p.ToolCall.ID)
					}
				}
			}
			return ids
		}
		ids := read()
		seen := map[string]bool{}
		for i, id := range ids {
			if seen[id] || !takes(id) {
				t.Errorf("form %d: %q became %q of %q", form, in[i], id, ids)
			}
			seen[id] = true
		}
		if len(ids) != len(in) || !slices.Equal(ids, read()) {
			t.Errorf("form %d: %q", form, ids)
		}
	}
}

// The calls of an answer get other ids than those of the conversation and of each other.
func TestAnswerIDs(t *testing.T) {
	req := &chat.Request{Messages: conversation("u:x a+1 t-1:a a+1 t-1:b")}
	said := conversation("a+1+2+2")[0]
	if !turns.NewIDs(req).FitAnswer(&chat.Response{Choices: []chat.Choice{{Message: said}}}) || words([]chat.Message{said}) != "a+1_3+2+2_2" {
		t.Error(words([]chat.Message{said}))
	}
	fresh := conversation("a+3")[0]
	if turns.NewIDs(req).FitAnswer(&chat.Response{Choices: []chat.Choice{{Message: fresh}}}) || words([]chat.Message{fresh}) != "a+3" {
		t.Error(words([]chat.Message{fresh}))
	}
}
