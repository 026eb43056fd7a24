package openai_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// callsOf reads a stream whose chunks have these tool_calls, and returns "id name arguments" of each call. The id is
// "made" if the gateway made it.
func callsOf(t *testing.T, chunks ...string) []string {
	t.Helper()
	var stream strings.Builder
	for _, c := range chunks {
		stream.WriteString(`data: {"id":"a","choices":[{"index":0,"delta":{"tool_calls":` + c + "}}]}\n\n")
	}
	resp, complete, failed := collect(t, strings.NewReader(stream.String()+"data: [DONE]\n\n"))
	if !complete {
		t.Fatal(failed)
	}
	return toolCalls(resp)
}

func toolCalls(resp *chat.Response) []string {
	var out []string
	for _, p := range resp.Choices[0].Message.Parts {
		id := p.ToolCall.ID
		if len(id) == len("call_")+24 {
			id = "made"
		}
		out = append(out, id+" "+p.ToolCall.Name+" "+p.ToolCall.Arguments)
	}
	return out
}

// Compatible servers cut calls into pieces in other ways than OpenAI.
func TestDecodeOddCalls(t *testing.T) {
	for name, c := range map[string]struct {
		chunks []string
		want   []string
	}{
		"name after the id": {[]string{`[{"index":0,"id":"a","type":"function"}]`, `[{"index":0,"function":{"name":"f"}}]`, `[{"index":0,"function":{"arguments":"{\"x\":1}"}}]`},
			[]string{`a f {"x":1}`}},
		"name after the arguments": {[]string{`[{"index":0,"id":"a","function":{"arguments":"{\"x\""}}]`, `[{"index":0,"function":{"arguments":":1}"}}]`, `[{"index":0,"function":{"name":"f"}}]`},
			[]string{`a f {"x":1}`}},
		"id after the name": {[]string{`[{"index":0,"function":{"name":"f"}}]`, `[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]`},
			[]string{`made f {}`}},
		"no name at all": {[]string{`[{"index":0,"id":"a"}]`, `[{"index":0,"function":{"arguments":"{}"}}]`},
			[]string{`a  {}`}},
		"two at index 0 in one chunk": {[]string{`[{"index":0,"function":{"name":"f","arguments":"{}"}},{"index":0,"function":{"name":"g","arguments":"{}"}}]`},
			[]string{`made f {}`, `made g {}`}},
		"the same twice at index 0": {[]string{`[{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}},{"index":0,"function":{"name":"f","arguments":"{\"x\":2}"}}]`},
			[]string{`made f {"x":1}`, `made f {"x":2}`}},
		"one after the other at index 0": {[]string{`[{"index":0,"function":{"name":"f","arguments":"{\"x\":"}}]`, `[{"index":0,"function":{"arguments":"[]}"}}]`,
			`[{"index":0,"function":{"name":"g","arguments":""}}]`, `[{"index":0,"function":{"arguments":"{}"}}]`},
			[]string{`made f {"x":[]}`, `made g {}`}},
		"without arguments at index 0": {[]string{`[{"index":0,"function":{"name":"f","arguments":""}},{"index":0,"function":{"name":"g"}}]`},
			[]string{`made f {}`, `made g {}`}},
		"at index 0 with ids": {[]string{`[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]`, `[{"index":0,"id":"b","function":{"name":"f","arguments":"{"}}]`,
			`[{"index":0,"id":"a","function":{"arguments":"}"}}]`, `[{"index":0,"id":"b","function":{"arguments":"}"}}]`},
			[]string{`a f {}`, `b f {}`}},
		"an id for each piece": {[]string{`[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]`, `[{"index":0,"id":"b","function":{"arguments":":1}"}}]`, `[{"index":0,"id":"c","function":{"arguments":""}}]`},
			[]string{`a f {"x":1}`}},
		"ids of null": {[]string{`[{"index":0,"id":"null","function":{"name":"f","arguments":"{}"}}]`, `[{"index":1,"id":"null","function":{"name":"g","arguments":"{}"}}]`},
			[]string{`made f {}`, `made g {}`}},
		"the name in each piece": {[]string{`[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]`, `[{"index":0,"function":{"name":"f","arguments":":\"}\""}}]`,
			`[{"index":0,"function":{"name":"f","arguments":"}"}}]`, `[{"index":0,"function":{"name":"f","arguments":""}}]`},
			[]string{`a f {"x":"}"}`}},
		"the name in each piece, no index": {[]string{`[{"function":{"name":"f","arguments":"{\"x\""}}]`, `[{"function":{"name":"f","arguments":":1}"}}]`,
			`[{"function":{"name":"g","arguments":"{}"}}]`},
			[]string{`made f {"x":1}`, `made g {}`}},
		"no index": {[]string{`[{"id":"a","function":{"name":"f"}}]`, `[{"function":{"arguments":"{}"}}]`, `[{"id":"b","function":{"name":"f"}}]`, `[{"id":"a","function":{"arguments":" "}}]`},
			[]string{`a f {} `, `b f {}`}},
		"free text": {[]string{`[{"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"{}"}}]`, `[{"index":0,"custom":{"name":"f","input":"{}"}}]`},
			[]string{`a f {}{}`}},
		"held back behind another": {[]string{`[{"index":0,"id":"a"},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]`, `[{"index":0,"function":{"name":"f","arguments":"{}"}}]`},
			[]string{`b g {}`, `a f {}`}},
	} {
		if got := callsOf(t, c.chunks...); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A stream gives the calls of the whole answer, however the server cuts them into pieces.
func TestCallsInAnyPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := 1 + r.IntN(3)
		withIndex, withID, zero, repeat := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
		var whole, pieces []string
		for i := range n {
			name, args := fmt.Sprintf("f%d", r.IntN(2)), []string{`{}`, `{"x":"}"}`, `{"a":[{"b":"\\\"]"}]}`}[r.IntN(3)]
			id := fmt.Sprintf(`"id":"c%d",`, i)
			if !withID {
				id = ""
			}
			whole = append(whole, fmt.Sprintf(`{%s"function":{"name":%q,"arguments":%q}}`, id, name, args))
			index := ""
			if withIndex {
				index = fmt.Sprintf(`"index":%d,`, i)
				if zero {
					index = `"index":0,`
				}
			}
			cut := r.IntN(len(args) + 1)
			if repeat && !withID {
				cut = max(cut, 1) // otherwise a new call looks like a repeated name
			}
			first, again := fmt.Sprintf(`"name":%q,`, name), ""
			if repeat {
				again = first
			}
			if withID && r.IntN(2) == 0 { // the name comes after the id
				pieces = append(pieces, fmt.Sprintf(`{%s%s"type":"function"}`, index, id))
			}
			pieces = append(pieces, fmt.Sprintf(`{%s%s"function":{%s"arguments":%q}}`, index, id, first, args[:cut]))
			if cut < len(args) {
				pieces = append(pieces, fmt.Sprintf(`{%s"function":{%s"arguments":%q}}`, index, again, args[cut:]))
			}
		}
		resp, err := openai.Client{}.DecodeResponse([]byte(`{"id":"a","choices":[{"index":0,"message":{"tool_calls":[` + strings.Join(whole, ",") + `]}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		var stream bytes.Buffer
		for len(pieces) > 0 {
			k := 1 + r.IntN(len(pieces)) // in one chunk
			stream.WriteString(`data: {"id":"a","choices":[{"index":0,"delta":{"tool_calls":[` + strings.Join(pieces[:k], ",") + `]}}]}` + "\n\n")
			pieces = pieces[k:]
		}
		text := stream.String()
		got, complete, failed := collect(t, strings.NewReader(text+"data: [DONE]\n\n"))
		if !complete {
			t.Fatal(failed)
		}
		if x, y := dialecttest.Indented(t, got), dialecttest.Indented(t, resp); !bytes.Equal(x, y) {
			t.Fatalf("%s\n got %q\nwant %q", text, toolCalls(got), toolCalls(resp))
		}
	}
}
