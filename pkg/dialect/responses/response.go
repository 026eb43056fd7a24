package responses

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// The statuses of an answer and of an item.
const (
	inProgress = "in_progress"
	completed  = "completed"
	incomplete = "incomplete"
	failed     = "failed"
)

// status returns the status of the answer when it has ended.
func (o *output) status() string {
	switch {
	case o.failed != nil:
		return failed
	case o.finish == chat.FinishLength || o.finish == chat.FinishContentFilter:
		return incomplete
	}
	return completed
}

// size estimates the size of the answer.
func (o *output) size() int {
	r := o.served.Request
	n := 2048
	for i := range r.Tools {
		n += 128 + len(r.Tools[i].Description) + len(r.Tools[i].Parameters) + len(r.Tools[i].Raw)
	}
	n += len(instructions(r))
	for i := range o.items {
		it := &o.items[i]
		n += 256 + len(it.arguments)*5/4 + len(it.encryptedContent) + len(it.image)
		for j := range it.texts {
			t := &it.texts[j]
			n += 128 + len(t.text)*9/8 + len(t.logprobs) + 256*len(t.citations)
			if t.state != nil {
				n += len(t.state.Encrypted) + 4*(len(t.state.Signature)+len(t.state.Redacted))/3
			}
		}
	}
	return n
}

// appendResponse appends the response object. It repeats the request, so that it has every member that OpenAI's
// SDKs require.
func (o *output) appendResponse(out []byte, status string) []byte {
	r := o.served.Request
	out = body.AppendMember(out, `{"id":`, cmp.Or(o.id, responseID(o.root)))
	out = body.AppendCount(out, `,"object":"response","created_at":`, o.served.Created)
	out = append(out, `,"status":"`...)
	out = append(out, status...)
	out = append(out, `","background":false,"error":`...)
	if o.failed != nil {
		out = body.AppendMember(out, `{"code":`, o.failed.code)
		out = body.AppendMember(out, `,"message":`, o.failed.message)
		out = append(out, '}')
	} else {
		out = append(out, "null"...)
	}
	out = append(out, `,"incomplete_details":`...)
	switch {
	case status != incomplete:
		out = append(out, "null"...)
	case o.finish == chat.FinishContentFilter:
		out = append(out, `{"reason":"content_filter"}`...)
	default:
		out = append(out, `{"reason":"max_output_tokens"}`...)
	}
	out = openai.AppendOrNull(append(out, `,"instructions":`...), instructions(r))
	out = appendInt(append(out, `,"max_output_tokens":`...), r.MaxTokens)
	out = body.AppendMember(out, `,"model":`, o.served.Model)
	out = append(out, `,"output":[`...)
	if status != inProgress {
		for i := range o.items {
			out = jsonx.AppendComma(out)
			out = appendItem(out, &o.items[i])
		}
	}
	out = append(out, ']')
	out = o.appendEcho(out)
	out = append(out, `,"usage":`...)
	if status == inProgress {
		out = append(out, "null"...)
	} else {
		out = appendUsage(out, o.usage)
	}
	return append(out, '}')
}

// appendEcho appends the members that repeat the request.
func (o *output) appendEcho(out []byte) []byte {
	r := o.served.Request
	out = jsonx.AppendBool(append(out, `,"parallel_tool_calls":`...), r.ParallelToolCalls == nil || *r.ParallelToolCalls)
	out = append(out, `,"previous_response_id":null,"prompt_cache_key":`...)
	out = openai.AppendOrNull(out, r.CacheKey)
	reasoning := r.Reasoning
	if reasoning == nil {
		reasoning = new(chat.Reasoning)
	}
	out = append(out, `,"reasoning":{"effort":`...)
	out = openai.AppendOrNull(out, reasoning.Effort)
	out = openai.AppendOrNull(append(out, `,"summary":`...), reasoning.Summary)
	out = append(out, `},"safety_identifier":`...)
	out = openai.AppendOrNull(out, r.User)
	out = append(out, `,"service_tier":`...)
	tier := o.tier
	if tier == "" {
		tier = r.ServiceTier
	}
	out = openai.AppendOrNull(out, tier)
	out = append(out, `,"store":false,"temperature":`...)
	out = appendFloat(out, r.Temperature)
	out = append(out, `,"text":{"format":`...)
	out = appendFormat(out, r.ResponseFormat)
	out = body.AppendOptional(out, `,"verbosity":`, r.Verbosity)
	out = append(out, `},"tool_choice":`...)
	out = appendChoice(out, r.ToolChoice, r.Tools)
	out = append(out, `,"tools":[`...)
	for i := range r.Tools {
		out = jsonx.AppendComma(out)
		out = appendTool(out, &r.Tools[i])
	}
	out = append(out, `],"top_logprobs":`...)
	if r.TopLogprobs != nil {
		out = jsonx.AppendInt(out, *r.TopLogprobs)
	} else {
		out = append(out, '0')
	}
	out = appendFloat(append(out, `,"top_p":`...), r.TopP)
	out = append(out, `,"truncation":"disabled","user":`...)
	out = openai.AppendOrNull(out, r.User)
	out = append(out, `,"metadata":{`...)
	for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
		out = jsonx.AppendComma(out)
		out = jsonx.AppendString(out, key)
		out = append(out, ':')
		out = jsonx.AppendString(out, r.Metadata[key])
	}
	return append(out, '}')
}

// instructions returns the text of the system message that the conversation begins with, where DecodeRequest puts
// it.
func instructions(r *chat.Request) string {
	if len(r.Messages) == 0 || r.Messages[0].Role != chat.System {
		return ""
	}
	text := ""
	for i := range r.Messages[0].Parts {
		text += r.Messages[0].Parts[i].Text
	}
	return text
}

func appendTool(out []byte, t *chat.Tool) []byte {
	switch body.TypeOf(t) {
	case "function":
		return appendFunction(out, t)
	case "custom":
		return body.AppendCustom(out, t.Raw, body.CustomFlat)
	}
	return jsonx.AppendCompact(out, t.Raw)
}

func appendInt(out []byte, n *int64) []byte {
	if n == nil {
		return append(out, "null"...)
	}
	return jsonx.AppendInt(out, *n)
}

func appendFloat(out []byte, f *float64) []byte {
	if f == nil {
		return append(out, "null"...)
	}
	return jsonx.AppendFloat(out, *f)
}

func appendUsage(out []byte, u *chat.Usage) []byte {
	if u == nil {
		return append(out, "null"...)
	}
	out = body.AppendCount(out, `{"input_tokens":`, u.Input)
	out = body.AppendCount(out, `,"input_tokens_details":{"cached_tokens":`, u.Cached)
	out = body.AppendCount(out, `,"cache_write_tokens":`, u.CacheWrite+u.CacheWrite1h)
	out = body.AppendCount(out, `},"output_tokens":`, u.Output)
	out = body.AppendCount(out, `,"output_tokens_details":{"reasoning_tokens":`, u.Reasoning)
	out = body.AppendCount(out, `},"total_tokens":`, u.Total())
	return append(out, '}')
}
