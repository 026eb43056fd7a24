package responses

import (
	"bytes"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

var _ dialect.StateServer = (*Server)(nil)

// The names of what refers to stored answers.
const (
	previousMember = "previous_response_id"
	referenceType  = "item_reference"
)

// maxReferences bounds the items that a request may refer to.
const maxReferences = 4096

// ReadState implements [dialect.StateServer]. A name that is written with escapes is not found here; DecodeRequest
// refuses it.
func (s *Server) ReadState(data []byte) (state dialect.State, err error) {
	if !bytes.Contains(data, []byte(previousMember)) && !bytes.Contains(data, []byte(referenceType)) {
		return state, nil
	}
	root, err := jsonx.Parse(data, jsonx.Strict)
	if err != nil {
		return state, jsonx.Syntax(err)
	}
	var issues jsonx.Report
	if previous := root.Get(previousMember); previous.Given() {
		if state.Previous = previous.Str(); previous.Kind() != jsonx.String || state.Previous == "" {
			issues.Expected(previous, "the id of a response")
		}
		if other := root.Get("conversation"); other.Given() {
			issues.Add(other, "does not go together with "+previousMember)
		}
	}
	seen := map[string]bool{}
	for v := root.Get("input").First(); v.Exists() && !issues.Full(); v = v.Next() {
		if !isReference(v) {
			continue
		}
		id := v.Get("id").Str()
		if id == "" {
			issues.AddMember(v, "id", "required")
		}
		if !seen[id] {
			seen[id] = true
			state.Items = append(state.Items, id)
		}
	}
	if len(state.Items) > maxReferences {
		issues.Add(root.Get("input"), "refers to more than %d items", maxReferences)
	}
	return state, issues.Err()
}

func isReference(v jsonx.Value) bool {
	return v.Kind() == jsonx.Object && v.Get("type").Is(referenceType)
}

// Recall implements [dialect.StateServer].
func (s *Server) Recall(data []byte, earlier []dialect.Remembered, items map[string][]byte) []byte {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object {
		return data
	}
	size := len(data)
	for _, r := range earlier {
		size += r.Size()
	}
	for _, item := range items {
		size += len(item)
	}
	input := append(make([]byte, 0, size), '[')
	for _, r := range earlier {
		input = appendList(input, r.Input)
		input = appendList(input, r.Output)
	}
	input = append(appendList(input, inputItems(root.Get("input"), items)), ']')
	edit := jsonx.NewEdit(root)
	edit.Drop(previousMember)
	edit.Set("input", input)
	return edit.Append(make([]byte, 0, size+64))
}

// inputItems returns the items of a request's input; those that are referred to by their ids.
func inputItems(input jsonx.Value, items map[string][]byte) (list [][]byte) {
	switch input.Kind() {
	case jsonx.String:
		text := append([]byte(`{"type":"message","role":"user","content":[{"type":"input_text","text":`), input.Raw()...)
		return [][]byte{append(text, "}]}"...)}
	case jsonx.Array:
		for v := input.First(); v.Exists(); v = v.Next() {
			if item := items[v.Get("id").Str()]; isReference(v) && item != nil {
				list = append(list, item)
				continue
			}
			list = append(list, v.Raw())
		}
	}
	return list
}

func appendList(out []byte, items [][]byte) []byte {
	for _, item := range items {
		out = append(jsonx.AppendComma(out), item...)
	}
	return out
}

// Remember implements [dialect.StateServer].
func (s *Server) Remember(data, answer []byte) (r dialect.Remembered, err error) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil {
		return r, err
	}
	whole, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil {
		return r, err
	}
	return remembered(root.Get("input"), whole.Get("output")), nil
}

func remembered(input, output jsonx.Value) (r dialect.Remembered) {
	r.Input, r.Output = inputItems(input, nil), inputItems(output, nil)
	for v := output.First(); v.Exists(); v = v.Next() {
		r.OutputIDs = append(r.OutputIDs, v.Get("id").Str())
	}
	if input.Kind() == jsonx.Array {
		for v := input.First(); v.Exists(); v = v.Next() {
			if isReference(v) {
				r.References = append(r.References, v.Get("id").Str())
			}
		}
	}
	return r
}

// Resolve implements [dialect.StateServer].
func (s *Server) Resolve(r *dialect.Remembered, items map[string][]byte) {
	if len(r.References) == 0 {
		return
	}
	for i, text := range r.Input {
		v, err := jsonx.Parse(text, jsonx.Lenient)
		if err != nil || !isReference(v) {
			continue
		}
		if item := items[v.Get("id").Str()]; item != nil {
			r.Input[i] = item
		}
	}
}

// ReadRemembered implements [dialect.StateServer].
func (s *Server) ReadRemembered(data []byte) (r dialect.Remembered, err error) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil {
		return r, err
	}
	return remembered(root.Get("input"), root.Get("output")), nil
}

// AnswerID implements [dialect.StateServer].
func (s *Server) AnswerID(requestID string) string { return responseID(requestID) }

// RequestID implements [dialect.StateServer].
func (s *Server) RequestID(answerID string) (id string, ok bool) {
	return strings.CutPrefix(answerID, responseID(""))
}

// Mark implements [dialect.StateServer].
func (s *Server) Mark(answer []byte, m dialect.Mark) []byte {
	root, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil || root.Kind() != jsonx.Object {
		return answer
	}
	return appendMarked(make([]byte, 0, len(answer)+128), root, m)
}

func appendMarked(out []byte, response jsonx.Value, m dialect.Mark) []byte {
	edit := jsonx.NewEdit(response)
	if m.ID != "" {
		edit.Set("id", jsonx.AppendString(nil, m.ID))
	}
	edit.Set(previousMember, nullable(m.Previous))
	edit.Set("store", jsonx.AppendBool(nil, m.Stored))
	return edit.Append(out)
}

func nullable(s string) []byte {
	if s == "" {
		return []byte("null")
	}
	return jsonx.AppendString(nil, s)
}

// responseMember is a member of the events that hold the whole response. Within a text its quotes would be escaped.
const responseMember = `"response":`

// MarkEvents implements [dialect.StateServer].
func (s *Server) MarkEvents(events []byte, m dialect.Mark) []byte {
	if !bytes.Contains(events, []byte(responseMember)) {
		return events
	}
	out := make([]byte, 0, len(events)+256)
	for line := range bytes.Lines(events) {
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok || !bytes.Contains(data, []byte(responseMember)) {
			out = append(out, line...)
			continue
		}
		root, err := jsonx.Parse(data, jsonx.Lenient)
		if err != nil || root.Get("response").Kind() != jsonx.Object {
			out = append(out, line...)
			continue
		}
		edit := jsonx.NewEdit(root)
		edit.Set("response", appendMarked(nil, root.Get("response"), m))
		out = edit.Append(append(out, "data: "...))
	}
	return out
}

// Final implements [dialect.StateServer].
func (s *Server) Final(events []byte) []byte {
	at := bytes.LastIndex(events, []byte(responseMember))
	if at < 0 {
		return nil
	}
	data := events[bytes.LastIndexByte(events[:at], '\n')+1:]
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		data = data[:end]
	}
	data, ok := bytes.CutPrefix(data, []byte("data: "))
	if !ok {
		return nil
	}
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || !slices.Contains([]string{"response.completed", "response.incomplete"}, root.Get("type").Str()) {
		return nil
	}
	return root.Get("response").Clone()
}

// Rest implements [dialect.StateServer].
func (s *Server) Rest(answer []byte) []byte {
	root, err := jsonx.Parse(answer, jsonx.Lenient)
	if err != nil {
		return nil
	}
	edit := jsonx.NewEdit(root)
	edit.Set("output", []byte("[]"))
	return edit.Append(nil)
}

// Whole implements [dialect.StateServer].
func (s *Server) Whole(rest []byte, items dialect.Remembered) []byte {
	root, err := jsonx.Parse(rest, jsonx.Lenient)
	if err != nil {
		return rest
	}
	edit := jsonx.NewEdit(root)
	edit.Set("output", append(appendList([]byte("["), items.Output), ']'))
	return edit.Append(make([]byte, 0, len(rest)+items.Size()+64))
}

// Deleted implements [dialect.StateServer].
func (s *Server) Deleted(answerID string) []byte {
	return append(jsonx.AppendString([]byte(`{"id":`), answerID), `,"object":"response","deleted":true}`...)
}
