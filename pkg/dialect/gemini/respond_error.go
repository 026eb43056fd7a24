package gemini

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// EncodeError writes the body of a failed answer as Google does: the object {"error":{"code","message",
// "status","details"}}, and in an array where the answer would have been one.
func (s Server) EncodeError(err *fault.Error, requestID string) []byte {
	if s.form == Array {
		return append(appendError([]byte("["), err, requestID), ']')
	}
	return appendError(nil, err, requestID)
}

// statusName returns the google.rpc.Code that corresponds to the gateway's code
// (https://cloud.google.com/apis/design/errors#handling_errors).
func statusName(code fault.Code) string {
	switch code {
	case fault.Validation, fault.TooLarge, fault.UnsupportedMedia, fault.HeadersTooLarge:
		return "INVALID_ARGUMENT"
	case fault.NoEligibleKey, fault.LoopDetected:
		return "FAILED_PRECONDITION"
	case fault.Unauthorized:
		return "UNAUTHENTICATED"
	case fault.Forbidden:
		return "PERMISSION_DENIED"
	case fault.NotFound:
		return "NOT_FOUND"
	case fault.MethodNotAllowed:
		return "UNIMPLEMENTED"
	case fault.Conflict:
		return "ABORTED"
	case fault.RateLimit:
		return "RESOURCE_EXHAUSTED"
	case fault.RequestTimeout, fault.ProviderTimeout:
		return "DEADLINE_EXCEEDED"
	case fault.Provider, fault.Unavailable:
		return "UNAVAILABLE"
	case fault.Cancelled:
		return "CANCELLED"
	}
	return "INTERNAL"
}

// appendError writes the error with Google's details: ErrorInfo, whose reason is the gateway's code,
// RequestInfo, BadRequest for the issues of a body, RetryInfo.
func appendError(out []byte, err *fault.Error, requestID string) []byte {
	out = append(out, `{"error":{"code":`...)
	out = jsonx.AppendInt(out, int64(err.Code.Status()))
	out = body.AppendMember(out, `,"message":`, errorMessage(err))
	out = append(out, `,"status":"`...)
	out = append(out, statusName(err.Code)...)
	out = append(out, `","details":[`...)
	out = appendDetail(out, "ErrorInfo", "reason", string(err.Code))
	out = append(out, `,"domain":"llm-gateway"`...)
	issues, metadata := errorDetails(err.Details)
	if len(metadata) > 0 {
		out = append(out, `,"metadata":{`...)
		for _, m := range metadata {
			out = jsonx.AppendString(jsonx.AppendKey(out, m[0]), m[1])
		}
		out = append(out, '}')
	}
	out = append(out, '}')
	if len(issues) > 0 {
		out = append(out, `,{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[`...)
		for _, issue := range issues {
			out = append(jsonx.AppendComma(out), `{"field":`...)
			out = jsonx.AppendString(out, issue.Path)
			out = append(out, `,"description":`...)
			out = append(jsonx.AppendString(out, issue.Message), '}')
		}
		out = append(out, `]}`...)
	}
	if err.RetryAfter > 0 {
		delay := strconv.FormatFloat(err.RetryAfter.Round(time.Millisecond).Seconds(), 'f', -1, 64) + "s"
		out = append(appendDetail(append(out, ','), "RetryInfo", "retryDelay", delay), '}')
	}
	if requestID != "" {
		out = append(appendDetail(append(out, ','), "RequestInfo", "requestId", requestID), '}')
	}
	return append(out, `]}}`...)
}

// errorMessage returns the error's message. That a request is too long is told in Google's words if the numbers are known.
func errorMessage(err *fault.Error) string {
	if body.ClassOf(err) == chat.ContextLength && !strings.Contains(err.Message, "input token count") {
		if requested, limit, known := body.ContextSize(err); known {
			return fmt.Sprintf("The input token count (%d) exceeds the maximum number of tokens allowed (%d).", requested, limit)
		}
	}
	return err.Message
}

// appendDetail writes a detail with one member, and leaves it open.
func appendDetail(out []byte, kind, member, value string) []byte {
	out = append(out, `{"@type":"type.googleapis.com/google.rpc.`+kind+`","`+member+`":`...)
	return jsonx.AppendString(out, value)
}

// errorDetails splits a fault's details into the issues of a body and the other members. Those are sorted by name
// and written as strings, as metadata requires; a value that is not a string becomes JSON.
func errorDetails(details any) (issues []fault.Issue, metadata [][2]string) {
	members, _ := details.(map[string]any)
	for name, v := range members {
		if list, ok := v.([]fault.Issue); ok {
			issues = list
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			continue // an error without a detail is better than none
		}
		var s string
		if json.Unmarshal(text, &s) != nil {
			s = string(text)
		}
		metadata = append(metadata, [2]string{name, s})
	}
	slices.SortFunc(metadata, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return issues, metadata
}
