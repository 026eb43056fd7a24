package responses_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// answers are answers of all kinds of providers.
func answers() map[string][]chat.Event {
	usage := chat.Event{Kind: chat.EventUsage, Usage: &chat.Usage{Input: 100, Cached: 60, CacheWrite: 5, CacheWrite1h: 2, Output: 50, Reasoning: 30}, ServiceTier: "priority"}
	start := chat.Event{Kind: chat.EventStart, ID: "x", Model: "y"}
	end := func(f chat.FinishReason) []chat.Event {
		return []chat.Event{{Kind: chat.EventFinish, Finish: f}, usage, {Kind: chat.EventEnd}}
	}
	list := func(f chat.FinishReason, events ...chat.Event) []chat.Event {
		return append(append([]chat.Event{start}, events...), end(f)...)
	}
	citation := &chat.Citation{URL: "https://e.com", Title: "E", Start: 1, End: 2}
	return map[string][]chat.Event{
		"text": list(chat.FinishStop, chat.Event{Kind: chat.EventText, Text: "It \"rains\"\n"}, chat.Event{Kind: chat.EventText, Text: "on <you>."},
			chat.Event{Kind: chat.EventLogprobs, Raw: json.RawMessage(`{"content":[{"token":"It","logprob":-1,"bytes":null,"top_logprobs":[]}],"refusal":null}`)},
			chat.Event{Kind: chat.EventCitation, Citation: citation},
			chat.Event{Kind: chat.EventCitation, Citation: &chat.Citation{Raw: json.RawMessage(`{"type":"file_citation","file_id":"f","filename":"a","index":1}`)}}),
		"openai": list(chat.FinishToolCalls,
			chat.Event{Kind: chat.EventReason, Text: "One", State: &chat.ReasoningState{ID: "rs_1", Summary: true}},
			chat.Event{Kind: chat.EventReason, Text: "Two", State: &chat.ReasoningState{ID: "rs_1", Summary: true, Index: 1}},
			chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{ID: "rs_1", Summary: true, Index: 1, Encrypted: "gAAA"}},
			chat.Event{Kind: chat.EventText, Text: "I look.", Phase: "commentary"},
			chat.Event{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{ID: "c1", Name: "f"}},
			chat.Event{Kind: chat.EventCallArgs, Call: 0, Text: `{"a":`}, chat.Event{Kind: chat.EventCallArgs, Call: 0, Text: `1}`},
			chat.Event{Kind: chat.EventCall, Call: 1, ToolCall: &chat.ToolCall{ID: "c2", Name: "sql", Custom: true}},
			chat.Event{Kind: chat.EventCallArgs, Call: 1, Text: `SELECT 1`}),
		"anthropic": list(chat.FinishToolCalls,
			chat.Event{Kind: chat.EventReason, Text: "Hm."}, chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{Signature: "s=="}},
			chat.Event{Kind: chat.EventReason, State: &chat.ReasoningState{Redacted: "r=="}},
			chat.Event{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: "toolu_1", Name: "f"}}, chat.Event{Kind: chat.EventCallArgs, Text: "{}"}),
		"gemini": list(chat.FinishToolCalls,
			chat.Event{Kind: chat.EventCitation, Citation: citation},
			chat.Event{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}", Signature: "g=="}}),
		"cut":     list(chat.FinishLength, chat.Event{Kind: chat.EventReason, Text: "Long"}, chat.Event{Kind: chat.EventCall, ToolCall: &chat.ToolCall{ID: "c", Name: "f", Arguments: `{"a"`}}),
		"refusal": list(chat.FinishContentFilter, chat.Event{Kind: chat.EventText, Text: "Well, "}, chat.Event{Kind: chat.EventRefusal, Text: "no."}),
		"empty":   list(chat.FinishStop),
	}
}

// TestAnswers compares whole and streamed answers; the response's own members are only in the first file.
func TestAnswers(t *testing.T) {
	for name, events := range answers() {
		s := served()
		if name == "text" {
			s.Request = sayable()
		}
		whole := new(responses.Server).EncodeResponse(fold(events), s)
		var b bytes.Buffer
		if err := json.Indent(&b, whole, "", " "); err != nil {
			t.Fatalf("%s: %v: %s", name, err, whole)
		}
		dialecttest.Golden(t, "testdata/answer/"+name+".json", b.Bytes())
		stream := streamed(events, s)
		checkSequence(t, stream)
		dialecttest.Golden(t, "testdata/answer/"+name+".sse", shortened(stream))
	}
}

// shortened removes all members but status, id and output from the responses in a stream's events.
func shortened(stream []byte) []byte {
	lines := strings.Split(string(stream), "\n")
	for i, line := range lines {
		if at := strings.Index(line, `,"created_at":`); at >= 0 {
			status := line[strings.Index(line, `"status":`):strings.Index(line, `,"background"`)]
			lines[i] = line[:at] + "," + status + "..." + line[strings.Index(line, `"output":[`):strings.Index(line, `,"parallel_tool_calls"`)] + "...}"
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func TestFailures(t *testing.T) {
	server := new(responses.Server)
	invalid := fault.Issues{{Path: "input[0]", Message: "bad"}}.Err().(*fault.Error)
	if got, want := string(server.EncodeError(fault.New(fault.Unauthorized, "who?"), "r")), `{"error":{"message":"who?","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	var body struct{ Error struct{ Param string } }
	if err := json.Unmarshal(server.EncodeError(invalid, "r"), &body); err != nil || body.Error.Param != "input[0]" {
		t.Errorf("%v %+v", err, body)
	}
	for code, err := range map[string]*fault.Error{
		"server_error": fault.New(fault.Provider, "gone"), "rate_limit_exceeded": fault.New(fault.RateLimit, "gone"), "invalid_prompt": fault.New(fault.Validation, "gone"),
	} {
		e := server.NewStreamEncoder(served())
		var out []byte
		for _, ev := range []chat.Event{{Kind: chat.EventStart}, {Kind: chat.EventText, Text: "He"}} {
			out = e.Encode(out, &ev)
		}
		out = e.Heartbeat(out)
		out = e.Error(out, err)
		all := events(t, out)
		n := len(all)
		if all[n-2].Type != "error" || all[n-1].Type != "response.failed" || all[n-1].Number != n-1 {
			t.Fatalf("%s", out)
		}
		for _, part := range []string{`"status":"failed"`, `"error":{"code":"` + code + `","message":"gone"}`, `"status":"incomplete","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"He"}]`} {
			if !bytes.Contains(all[n-1].Response, []byte(part)) {
				t.Errorf("no %s in %s", part, all[n-1].Response)
			}
		}
		if !bytes.Contains(out, []byte("\n\n:\n\n")) {
			t.Errorf("no heartbeat in %q", out)
		}
		got := new(chat.Assembler)
		d := responses.Client{}.NewStreamDecoder()
		for _, block := range bytes.Split(out, []byte("\n\n")) {
			if _, data, ok := bytes.Cut(block, []byte("\ndata: ")); ok && got.Err() == nil {
				for _, ev := range d.Decode(nil, "", data) {
					got.Add(&ev)
				}
			}
		}
		if got.Err() == nil || got.Err().Message != "gone" {
			t.Errorf("the client half reads %v", got.Err())
		}
	}
	// A failure may come first.
	if all := events(t, server.NewStreamEncoder(served()).Error(nil, invalid)); len(all) != 2 || all[1].Number != 1 {
		t.Errorf("%+v", all)
	}
}

// TestIDs: ids derive from the request's id and have at most 64 characters.
func TestIDs(t *testing.T) {
	for _, id := range []string{"0192f3a4-7b1c-7def-8abc-0123456789ab", "a b", strings.Repeat("x", 128), ""} {
		s := served()
		s.RequestID = id
		first := new(responses.Server).EncodeResponse(fold(answers()["openai"]), s)
		if again := new(responses.Server).EncodeResponse(fold(answers()["openai"]), s); !bytes.Equal(first, again) {
			t.Errorf("%q: the same answer has other ids", id)
		}
		var r struct {
			ID     string
			Output []struct{ ID string }
		}
		if err := json.Unmarshal(first, &r); err != nil {
			t.Fatal(err)
		}
		if id != "" && len(id) < 40 && !strings.Contains(id, " ") && r.ID != "resp_llm_"+id {
			t.Errorf("%q became %q", id, r.ID)
		}
		seen := map[string]bool{}
		for _, it := range append(r.Output, struct{ ID string }{r.ID}) {
			if seen[it.ID] || len(it.ID) > 64 || strings.ContainsAny(it.ID, " \"") {
				t.Errorf("%q: %q", id, it.ID)
			}
			seen[it.ID] = true
		}
	}
}

// FuzzAnswer: for all strings in an answer, it is JSON, and its stream is in sequence.
func FuzzAnswer(f *testing.F) {
	f.Add("hi", "{}", "s", "id", uint8(0))
	f.Add("\xff\n\ndata: x", `{"a"`, "", "\"", uint8(9))
	f.Fuzz(func(t *testing.T, say, args, state, id string, order uint8) {
		parts := []chat.Event{
			{Kind: chat.EventText, Text: say, Phase: state},
			{Kind: chat.EventReason, Text: say, State: &chat.ReasoningState{ID: id, Encrypted: state}},
			{Kind: chat.EventCall, Call: 0, ToolCall: &chat.ToolCall{ID: id, Name: id, Signature: state}},
			{Kind: chat.EventCallArgs, Call: 0, Text: args},
			{Kind: chat.EventReason, State: &chat.ReasoningState{Signature: state, Format: id}},
			{Kind: chat.EventRefusal, Text: say},
			{Kind: chat.EventCitation, Citation: &chat.Citation{URL: say}},
		}
		all := []chat.Event{{Kind: chat.EventStart}}
		for i := range parts {
			all = append(all, parts[(i*3+int(order))%len(parts)])
		}
		all = append(all, chat.Event{Kind: chat.EventFinish, Finish: chat.FinishStop}, chat.Event{Kind: chat.EventEnd})
		s := dialect.Served{RequestID: id, Model: say}
		if body := new(responses.Server).EncodeResponse(fold(all), s); !json.Valid(body) {
			t.Fatalf("%s", body)
		}
		checkSequence(t, streamed(all, s))
	})
}

// A failure after events that passed through continues their numbers and their id.
func TestErrorAfterPassthrough(t *testing.T) {
	e := new(responses.Server).NewStreamEncoder(served())
	passed := []string{
		"event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"tools\":[]},\"sequence_number\":0}\n\n" +
			"event: response.in_progress\ndata: {\"sequence_number\": 1 ,\"type\":\"response.in_progress\",\"response\":{\"id\":\"resp_1\"}}\n\n",
		"event: x\ndata: {\"sequence_number\":41,\"delta\":\"\\\"sequence_number\\\":7\"}\n\n", "",
	}
	var out []byte
	for _, raw := range passed {
		out = e.(dialect.PassthroughEncoder).AppendPassthrough(out, []byte(raw), chat.EventText)
	}
	if string(out) != strings.Join(passed, "") {
		t.Errorf("%s", out)
	}
	all := events(t, e.Error(nil, &fault.Error{Code: fault.Provider, Message: "it broke"}))
	if len(all) != 2 || all[0].Number != 42 || all[1].Number != 43 || !strings.HasPrefix(string(all[1].Response), `{"id":"resp_1",`) {
		t.Errorf("%+v %s", all, all[1].Response)
	}
}

// A citation without a URL that is not of this dialect is no annotation, whole or streamed.
func TestAnnotations(t *testing.T) {
	for raw, want := range map[string]string{
		`{"type":"file_citation","file_id":"f","filename":"a.txt","index":3}`:                       `[{"type":"file_citation","file_id":"f","filename":"a.txt","index":3}]`,
		`{"type":"container_file_citation","container_id":"c"}`:                                     `[{"type":"container_file_citation","container_id":"c"}]`,
		`{"type":"file_path","file_id":"f","index":3}`:                                              `[{"type":"file_path","file_id":"f","index":3}]`,
		`{"type":"char_location","cited_text":"x","document_index":0}`:                              `[]`,
		`{"type":"page_location","cited_text":"x"}`:                                                 `[]`,
		`{"type":"content_block_location","cited_text":"x"}`:                                        `[]`,
		`{"type":"search_result_location","cited_text":"x","source":"kb-7"}`:                        `[]`,
		`{"type":"search_result_location","cited_text":"x","source":"https://e.com/a","title":"E"}`: `[{"type":"url_citation","url":"https://e.com/a","title":"E","start_index":0,"end_index":0}]`,
		`{"type":"web_search_result_location","cited_text":"x","url":"https://e.com","title":"E"}`:  `[{"type":"url_citation","url":"https://e.com","title":"E","start_index":0,"end_index":0}]`,
	} {
		var c chat.Citation
		if strings.Contains(raw, "_location") {
			resp, err := anthropic.Client{}.DecodeResponse([]byte(`{"content":[{"type":"text","text":"t","citations":[` + raw + `]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			c = resp.Choices[0].Message.Parts[0].Citations[0]
		} else {
			c.Raw = json.RawMessage(raw)
		}
		events := []chat.Event{{Kind: chat.EventStart}, {Kind: chat.EventText, Text: "t"}, {Kind: chat.EventCitation, Citation: &c},
			{Kind: chat.EventFinish, Finish: chat.FinishStop}, {Kind: chat.EventEnd}}
		last := checkSequence(t, streamed(events, served()))
		if !bytes.Contains(last, []byte(`"annotations":`+want)) {
			t.Errorf("%s: %s, want %s", raw, last, want)
		}
		if whole := new(responses.Server).EncodeResponse(fold(events), served()); !bytes.Equal(whole, last) {
			t.Errorf("%s: whole %s", raw, whole)
		}
	}
}

// An image is written as the item of the tool that makes images, and is read as an image; a note replaces other media.
func TestImages(t *testing.T) {
	image := chat.Part{Kind: chat.Image, Media: &chat.Media{MIMEType: "image/png", Data: "+/8="}}
	want := &chat.Response{ID: "x", Model: "y", Choices: []chat.Choice{{Finish: chat.FinishStop, Message: assistant(text("Here:"), image, image, text("Done."))}}}
	body := new(responses.Server).EncodeResponse(want, served())
	last := checkSequence(t, streamed(chat.Events(want), served()))
	if !bytes.Equal(body, last) || !bytes.Contains(body, []byte(`{"id":"ig_llm_0192f3a4-0001_1","type":"image_generation_call","status":"completed","result":"+/8="}`)) {
		t.Errorf("whole %s\nstream %s", body, last)
	}
	got, err := responses.Client{}.DecodeResponse(body)
	if err != nil || !bytes.Equal(dialecttest.Indented(t, got.Choices), dialecttest.Indented(t, want.Choices)) {
		t.Errorf("%v: %s", err, dialecttest.Indented(t, got))
	}
	all := readStream(t, sse.NewReader(bytes.NewReader(streamed(chat.Events(want), served())), 0))
	if !bytes.Equal(dialecttest.Indented(t, all.Response().Choices), dialecttest.Indented(t, want.Choices)) {
		t.Errorf("%s", dialecttest.Indented(t, all.Response()))
	}
	if _, _, err := new(responses.Server).DecodeRequest([]byte(`{"input":` + string(outputOf(t, body)) + `}`)); err != nil {
		t.Error(err) // the answer goes back as it came
	}
	sound := []chat.Event{{Kind: chat.EventStart}, {Kind: chat.EventMedia, Part: chat.Audio, Media: &chat.Media{MIMEType: "audio/wav", Data: "QQ=="}}, {Kind: chat.EventEnd}}
	if last := checkSequence(t, streamed(sound, served())); !bytes.Contains(last, []byte(`"text":"[audio/wav: left out`)) {
		t.Errorf("%s", last)
	}
}
