package responses

import (
	"slices"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The bounds of a page of items (API reference, list input items).
const (
	defaultItems = 20
	maxItems     = 100
)

// Inputs implements [dialect.StateServer]: the items of the whole conversation up to the answer, which it does not
// include. The newest come first unless the query asks otherwise.
func (s *Server) Inputs(answerID string, conversation []dialect.Remembered, query dialect.Query) ([]byte, error) {
	limit := int(query.Integer("limit", 1, maxItems, defaultItems))
	order, after := query.Text("order"), query.Text("after")
	if err := query.Err(); err != nil {
		return nil, err
	}
	if order != "" && order != "asc" && order != "desc" {
		var issues fault.Issues
		issues.Add("order", "must be asc or desc")
		return nil, issues.Err()
	}
	root, _ := s.RequestID(answerID)
	items := listed(root, conversation)
	if order != "asc" {
		slices.Reverse(items)
	}
	if after != "" {
		at := slices.IndexFunc(items, func(it listedItem) bool { return it.id == after })
		if at < 0 {
			var issues fault.Issues
			issues.Add("after", "there is no such item in the list")
			return nil, issues.Err()
		}
		items = items[at+1:]
	}
	page := items[:min(limit, len(items))]
	out := []byte(`{"object":"list","data":[`)
	first, last := "", ""
	for i, it := range page {
		out = append(jsonx.AppendComma(out), it.text...)
		if last = it.id; i == 0 {
			first = it.id
		}
	}
	out = append(append(out, `],"first_id":`...), nullable(first)...)
	out = append(append(out, `,"last_id":`...), nullable(last)...)
	out = jsonx.AppendBool(append(out, `,"has_more":`...), len(page) < len(items))
	return append(out, '}'), nil
}

type listedItem struct {
	id   string
	text []byte
}

// listed returns the items of a conversation but the last output, each with an id and a type.
func listed(root string, conversation []dialect.Remembered) (items []listedItem) {
	add := func(list [][]byte) {
		for _, text := range list {
			items = append(items, withID(text, root, len(items)))
		}
	}
	for i := range conversation {
		add(conversation[i].Input)
		if i < len(conversation)-1 {
			add(conversation[i].Output)
		}
	}
	return items
}

// withID returns the nth item of a list, with an id if it had none.
func withID(text []byte, root string, n int) listedItem {
	v, err := jsonx.Parse(text, jsonx.Lenient)
	if err != nil {
		return listedItem{text: text}
	}
	id := v.Get("id").Str()
	if id != "" {
		return listedItem{id, text}
	}
	edit := jsonx.NewEdit(v)
	kind := v.Get("type").Str()
	if kind == "" {
		kind = "message"
		edit.Set("type", []byte(`"message"`))
	}
	id = prefixOf(kind) + "_" + madePrefix + root + "_in" + strconv.Itoa(n)
	edit.Set("id", jsonx.AppendString(nil, id))
	if kind == "message" {
		if content := v.Get("content"); content.Kind() == jsonx.String {
			part := append([]byte(`[{"type":"`+textType(v)+`","text":`), content.Raw()...)
			edit.Set("content", append(part, "}]"...))
		}
		if !v.Get("status").Given() {
			edit.Set("status", []byte(`"completed"`))
		}
	}
	return listedItem{id, edit.Append(nil)}
}

// textType is the type of a text in the message.
func textType(message jsonx.Value) string {
	if message.Get("role").Is(string(chat.Assistant)) {
		return "output_text"
	}
	return "input_text"
}

// prefixOf returns the prefix of the ids of items of the type.
func prefixOf(kind string) string {
	switch kind {
	case "message":
		return "msg"
	case "function_call":
		return "fc"
	case "function_call_output":
		return "fco"
	case "custom_tool_call":
		return "ctc"
	case "custom_tool_call_output":
		return "ctco"
	case "reasoning":
		return "rs"
	}
	return "item"
}

// Unknown implements [dialect.StateServer].
func (s *Server) Unknown(answerID string) *fault.Error {
	return &fault.Error{Code: fault.NotFound, Message: "Response with id '" + shown(answerID) + "' not found.",
		Details: map[string]any{"class": body.AnswerUnknown}}
}

// UnknownReference implements [dialect.StateServer]. OpenAI answers 400 for an answer and 404 for an item.
func (s *Server) UnknownReference(state *dialect.State, why string) *fault.Error {
	if state.Previous != "" {
		return &fault.Error{Code: fault.Validation,
			Message: "Previous response with id '" + shown(state.Previous) + "' not found: " + why,
			Details: map[string]any{"class": body.AnswerUnknown, "param": previousMember}}
	}
	id := ""
	if len(state.Items) > 0 {
		id = state.Items[0]
	}
	return &fault.Error{Code: fault.NotFound, Message: "Item with id '" + shown(id) + "' not found: " + why,
		Details: map[string]any{"class": body.AnswerUnknown, "param": "input"}}
}

// Off implements [dialect.StateServer].
func (s *Server) Off(state *dialect.State) *fault.Error {
	const instead = "this gateway stores no responses (RESPONSE_STORE=off): "
	var issues fault.Issues
	switch {
	case state.Previous != "":
		issues.Add(previousMember, instead+"send the whole conversation in input, with the items of earlier answers as they came")
	case len(state.Items) > 0:
		issues.Add("input", instead+"send the items themselves instead of references to them")
	default:
		issues.Add("store", instead+"leave it out, or set it to false")
	}
	return fault.From(issues.Err())
}

// maxShownID bounds an id of the caller's in an error, in bytes.
const maxShownID = 80

func shown(id string) string { return id[:min(len(id), maxShownID)] }
