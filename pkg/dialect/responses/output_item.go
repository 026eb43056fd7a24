package responses

import (
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// prefix returns the prefix of the ids of such items.
func (k itemKind) prefix() string {
	switch k {
	case reasoningItem:
		return "rs"
	case functionItem:
		return "fc"
	case customItem:
		return "ctc"
	case imageItem:
		return "ig"
	case ownItem:
		return "tc"
	}
	return "msg"
}

func (it *outputItem) status() string {
	switch {
	case !it.closed:
		return inProgress
	case it.incomplete:
		return incomplete
	}
	return completed
}

// appendItem appends an item. An item that is not closed has no content yet.
func appendItem(out []byte, it *outputItem) []byte {
	out = body.AppendMember(out, `{"id":`, it.id)
	switch it.kind {
	case messageItem:
		out = append(out, `,"type":"message","status":"`...)
		out = append(out, it.status()...)
		out = append(out, `","role":"assistant","content":[`...)
		out = appendTexts(out, it, func(contentKind) bool { return true })
		out = body.AppendOptional(out, `,"phase":`, it.phase)
	case reasoningItem:
		out = append(out, `,"type":"reasoning","summary":[`...)
		out = appendTexts(out, it, func(k contentKind) bool { return k == summaryText })
		out = append(out, `,"content":[`...)
		out = appendTexts(out, it, func(k contentKind) bool { return k == reasoningText })
		if it.encryptedContent != "" && it.closed {
			out = body.AppendMember(out, `,"encrypted_content":`, it.encryptedContent)
		}
	case imageItem:
		out = append(out, `,"type":"image_generation_call","status":"`...)
		out = append(out, it.status()...)
		out = append(out, `","result":`...)
		if !it.closed {
			out = append(out, "null"...)
			break
		}
		out = jsonx.AppendString(out, it.image)
	case ownItem:
		out = body.AppendMember(out, `,"type":`, it.call.Type)
		out = body.AppendMember(out, `,"status":`, it.status())
		if t := ownToolBy(ofCall, it.call.Type); t != nil {
			out = appendOwnCall(out, t, &it.call, it.arguments)
		}
	default:
		out = appendCall(out, it)
	}
	return append(out, '}')
}

func appendCall(out []byte, it *outputItem) []byte {
	member := `,"arguments":"`
	if it.kind == customItem {
		out = append(out, `,"type":"custom_tool_call","status":"`...)
		member = `,"input":"`
	} else {
		out = append(out, `,"type":"function_call","status":"`...)
	}
	out = append(out, it.status()...)
	out = body.AppendMember(out, `","call_id":`, it.call.ID)
	out = body.AppendMember(out, `,"name":`, it.call.Name)
	out = body.AppendOptional(out, `,"namespace":`, it.call.Group)
	out = append(out, member...)
	if it.closed {
		out = jsonx.AppendEscaped(out, string(it.arguments))
	}
	return append(out, '"')
}

// appendTexts appends the item's texts of the wanted kinds, and the end of their array.
func appendTexts(out []byte, it *outputItem, wanted func(contentKind) bool) []byte {
	for i := range it.texts {
		if it.closed && it.texts[i].begun && wanted(it.texts[i].kind) {
			out = it.texts[i].append(jsonx.AppendComma(out))
		}
	}
	return append(out, ']')
}

// append appends a text as a part of its item.
func (t *outputText) append(out []byte) []byte {
	out = append(out, `{"type":"`...)
	out = append(out, t.kind.name()...)
	switch t.kind {
	case refusalText:
		out = append(out, `","refusal":`...)
	case answerText:
		out = append(out, `","annotations":[`...)
		for i := range t.citations {
			out = jsonx.AppendComma(out)
			out = appendCitation(out, &t.citations[i])
		}
		out = append(out, `],"logprobs":[`...)
		out = append(out, t.logprobs...)
		out = append(out, `],"text":`...)
	default:
		out = append(out, `","text":`...)
	}
	out = jsonx.AppendString(out, string(t.text))
	return append(out, '}')
}

// annotates says whether a citation has a form here: a URL, or an annotation of this dialect.
func annotates(c *chat.Citation) bool { return c.URL != "" || isAnnotation(c.Raw) }

// isAnnotation says whether the raw citation is an annotation of this dialect that has no URL.
func isAnnotation(raw json.RawMessage) bool {
	if len(raw) == 0 {
		return false
	}
	root, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return false
	}
	switch root.Get("type").Str() {
	case "file_citation", "container_file_citation", "file_path":
		return true
	}
	return false
}

// appendCitation appends an annotation. An annotation of this dialect without a URL is copied.
func appendCitation(out []byte, c *chat.Citation) []byte {
	if c.URL == "" {
		return jsonx.AppendCompact(out, c.Raw)
	}
	out = body.AppendMember(out, `{"type":"url_citation","url":`, c.URL)
	out = body.AppendMember(out, `,"title":`, c.Title)
	out = body.AppendCount(out, `,"start_index":`, int64(c.Start))
	out = body.AppendCount(out, `,"end_index":`, int64(c.End))
	return append(out, '}')
}
