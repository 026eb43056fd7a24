package gemini_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// recordings returns the recorded chats.
func recordings(t *testing.T) map[string]dialecttest.Exchange {
	t.Helper()
	all := dialecttest.Exchanges(t, "gemini")
	maps.DeleteFunc(all, func(_ string, x dialecttest.Exchange) bool { return !strings.Contains(x.Request.URL, "enerateContent") })
	if len(all) < 20 {
		t.Fatalf("only %d recordings", len(all))
	}
	return all
}

// said is the content of an answer, as a naive reader finds it.
type said struct {
	ID, Model, Text, Thoughts, Finish string
	Calls, Signatures                 []string
	Input, Output, Cached, Thought    float64
}

type object = map[string]any

func str(v any) string { s, _ := v.(string); return s }

func obj(v any) object { o, _ := v.(object); return o }

func list(v any) []any { l, _ := v.([]any); return l }

func num(v any) float64 { n, _ := v.(float64); return n }

// naive walks the chunks of an answer of one candidate.
func naive(t *testing.T, chunks [][]byte) said {
	t.Helper()
	var s said
	for _, data := range chunks {
		var c object
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		s.ID, s.Model = str(c["responseId"]), str(c["modelVersion"])
		for _, v := range list(c["candidates"]) {
			candidate := obj(v)
			for _, v := range list(obj(candidate["content"])["parts"]) {
				p := obj(v)
				if p["thought"] == true {
					s.Thoughts += str(p["text"])
				} else {
					s.Text += str(p["text"])
				}
				if call := obj(p["functionCall"]); call != nil {
					args, _ := json.Marshal(obj(call["args"]))
					s.Calls = append(s.Calls, str(call["id"])+"|"+str(call["name"])+"|"+string(args))
				}
				if sig := str(p["thoughtSignature"]); sig != "" {
					s.Signatures = append(s.Signatures, sig)
				}
			}
			if f := str(candidate["finishReason"]); f != "" {
				s.Finish = map[string]string{"STOP": "stop", "MAX_TOKENS": "length"}[f]
			}
		}
		if u := obj(c["usageMetadata"]); u != nil {
			s.Input, s.Cached, s.Thought = num(u["promptTokenCount"]), num(u["cachedContentTokenCount"]), num(u["thoughtsTokenCount"])
			s.Output = num(u["candidatesTokenCount"]) + s.Thought
			if total := num(u["totalTokenCount"]); total != s.Input+s.Output {
				t.Errorf("a total of %v, not %v + %v", total, s.Input, s.Output)
			}
		}
	}
	if s.Finish == "stop" && len(s.Calls) > 0 {
		s.Finish = "tool_calls"
	}
	return s
}

// spoken returns the same of a canonical answer. Made-up ids are left out.
func spoken(r *chat.Response) said {
	s := said{ID: r.ID, Model: r.Model}
	for _, c := range r.Choices {
		s.Finish = string(c.Finish)
		for _, p := range c.Message.Parts {
			switch p.Kind {
			case chat.Text:
				s.Text += p.Text
			case chat.Reason:
				s.Thoughts += p.Text
				if p.State != nil && p.State.Signature != "" {
					s.Signatures = append(s.Signatures, p.State.Signature)
				}
			case chat.Call:
				var args object
				_ = json.Unmarshal([]byte(p.ToolCall.Arguments), &args)
				sorted, _ := json.Marshal(args)
				id := p.ToolCall.ID
				if strings.HasPrefix(id, "call_") && len(id) == len("call_")+24 {
					id = ""
				}
				s.Calls = append(s.Calls, id+"|"+p.ToolCall.Name+"|"+string(sorted))
				if p.ToolCall.Signature != "" {
					s.Signatures = append(s.Signatures, p.ToolCall.Signature)
				}
			}
		}
	}
	if u := r.Usage; u != nil {
		s.Input, s.Output, s.Cached, s.Thought = float64(u.Input), float64(u.Output), float64(u.Cached), float64(u.Reasoning)
	}
	return s
}

func compare(t *testing.T, name string, got, want said) {
	t.Helper()
	if a, b := dialecttest.Indented(t, got), dialecttest.Indented(t, want); !bytes.Equal(a, b) {
		t.Errorf("%s:\n got %s\nwant %s", name, a, b)
	}
}

// chunksOf are the payloads of a stream.
func chunksOf(stream []byte) [][]byte {
	var chunks [][]byte
	for line := range bytes.SplitSeq(stream, []byte("\n")) {
		if data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: ")); ok {
			chunks = append(chunks, data)
		}
	}
	return chunks
}

func TestRecordings(t *testing.T) {
	counts := map[string]int{}
	for name, x := range recordings(t) {
		answer := []byte(x.Response.Body)
		switch {
		case x.Response.Status >= 400:
			counts["errors"]++
			e := gemini.Client{}.DecodeError(answer)
			if e.Type != "RESOURCE_EXHAUSTED" || e.Status != x.Response.Status || !strings.Contains(e.Message, "quota") || !strings.Contains(e.Code, "PerMinute") {
				t.Errorf("%s: %+v", name, e)
			}
		case strings.Contains(name, ".sse."):
			counts["streams"]++
			resp, complete, failed := collect(t, bytes.NewReader(answer))
			if !complete || failed != nil {
				t.Errorf("%s: complete %v, error %v", name, complete, failed)
				continue
			}
			compare(t, name, spoken(resp), naive(t, chunksOf(answer)))
		default:
			counts["whole"]++
			resp, err := gemini.Client{}.DecodeResponse(answer)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			compare(t, name, spoken(resp), naive(t, [][]byte{answer}))
		}
	}
	if counts["errors"] < 1 || counts["streams"] < 9 || counts["whole"] < 15 {
		t.Errorf("too few recordings: %v", counts)
	}
}

// TestRecordedRequests: requests of real programs are read, and sent on with the same turns.
func TestRecordedRequests(t *testing.T) {
	for name, x := range recordings(t) {
		sent := x.Request.Body
		req, _, err := gemini.NewServer("m", gemini.Whole).DecodeRequest(sent)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		enc, err := gemini.Client{Rules: &gemini.Rules{SchemaSubset: true}}.EncodeRequest(req)
		if err != nil || len(enc.Warnings) > 0 {
			t.Errorf("%s: %v %q", name, err, enc.Warnings)
			continue
		}
		before, after := turns(t, sent), turns(t, enc.Body)
		if before != after {
			t.Errorf("%s:\nbefore %s\nafter  %s", name, before, after)
		}
	}
}

// turns returns the content of a request in one form, optional members left out.
func turns(t *testing.T, request []byte) string {
	t.Helper()
	var o object
	if err := json.Unmarshal(request, &o); err != nil {
		t.Fatal(err)
	}
	for _, c := range append(list(o["contents"]), o["systemInstruction"]) {
		if o["systemInstruction"] != nil || c != nil {
			delete(obj(c), "role")
		}
		for _, p := range list(obj(c)["parts"]) {
			delete(obj(obj(p)["functionCall"]), "id") // made up where there was none
			delete(obj(obj(p)["functionResponse"]), "id")
		}
	}
	config := obj(o["generationConfig"])
	if len(config) == 0 {
		delete(o, "generationConfig")
	}
	delete(config, "thinkingConfig") // without the rules of models a level or a budget may be either
	for _, tool := range list(o["tools"]) {
		for _, f := range list(obj(tool)["functionDeclarations"]) {
			if p := obj(obj(f)["parameters"]); len(obj(p["properties"])) == 0 {
				delete(obj(f), "parameters") // takes nothing
			}
		}
	}
	// responseJsonSchema becomes responseSchema in the subset.
	delete(config, "responseJsonSchema")
	delete(config, "responseSchema")
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestRecordedChunks reads vercel-ai/google/*: whole answers, and streams as one chunk a line.
func TestRecordedChunks(t *testing.T) {
	root := dialecttest.Recordings(t)
	names, err := filepath.Glob(filepath.Join(root, "vercel-ai", "google", "*"))
	if err != nil || len(names) < 5 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	pieces := 0
	defer func() {
		if pieces == 0 {
			t.Error("no recording of a call in pieces")
		}
	}()
	for _, name := range names {
		data := dialecttest.Read(t, name)
		if strings.HasSuffix(name, ".json") {
			resp, err := gemini.Client{}.DecodeResponse(data)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			compare(t, name, spoken(resp), naive(t, [][]byte{data}))
			continue
		}
		lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
		stream := "data: " + string(bytes.Join(lines, []byte("\n\ndata: ")))
		resp, complete, failed := collect(t, strings.NewReader(stream))
		if !complete {
			t.Errorf("%s: %v", name, failed)
			continue
		}
		if bytes.Contains(data, []byte("partialArgs")) {
			pieces++
			args, want := pieced(t, lines)
			if parts := resp.Choices[0].Message.Parts; len(parts) != 1 || parts[0].ToolCall.Name != "writeItems" || parts[0].ToolCall.Signature == "" ||
				parts[0].ToolCall.Arguments != args || resp.Choices[0].Finish != chat.FinishToolCalls || want == 0 {
				t.Errorf("%s: %s, want the arguments %s", name, dialecttest.Indented(t, resp), args)
			}
			continue
		}
		compare(t, name, spoken(resp), naive(t, lines))
	}
}

// pieced assembles the values of a call in pieces, all of which are members of elements of one array, in order, and
// returns their number.
func pieced(t *testing.T, lines [][]byte) (args string, n int) {
	t.Helper()
	path := regexp.MustCompile(`^\$\.(\w+)\[(\d+)\]\.(\w+)$`)
	element, last := "", ""
	for _, line := range lines {
		var c object
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		part := obj(list(obj(obj(list(c["candidates"])[0])["content"])["parts"])[0])
		for _, v := range list(obj(part["functionCall"])["partialArgs"]) {
			p := obj(v)
			m := path.FindStringSubmatch(str(p["jsonPath"]))
			if s, is := p["stringValue"].(string); is && m[0] == last {
				args = strings.TrimSuffix(args, `"`) + s + `"`
				continue
			}
			last = m[0]
			switch {
			case n == 0:
				args += `{"` + m[1] + `":[{`
			case m[2] != element:
				args += `},{`
			default:
				args += `,`
			}
			element = m[2]
			n++
			said, is := p["stringValue"]
			if !is {
				said = p["numberValue"]
			}
			text, _ := json.Marshal(said)
			args += `"` + m[3] + `":` + string(text)
		}
	}
	return args + `}]}`, n
}
