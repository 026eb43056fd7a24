package openai

import (
	"fmt"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// EncodeError writes an error as AppendFault does. The request's id is in a header, as in OpenAI's answers.
func (s *Server) EncodeError(err *fault.Error, _ string) []byte { return AppendFault(nil, err) }

// AppendFault appends {"error":{"message","type","param","code"}} with OpenAI's types and codes
// (https://platform.openai.com/docs/guides/error-codes), and the error's details if it has any.
func AppendFault(out []byte, err *fault.Error) []byte {
	kind, code, param := Words(err)
	out = body.AppendMember(out, `{"error":{"message":`, Message(err))
	out = body.AppendMember(out, `,"type":`, kind)
	out = append(out, `,"param":`...)
	out = AppendOrNull(out, param)
	out = append(out, `,"code":`...)
	out = AppendOrNull(out, code)
	out = body.AppendDetails(out, err)
	return append(out, "}}"...)
}

// Message returns the error's message. That a request is too long is told in OpenAI's words if the numbers are known.
func Message(err *fault.Error) string {
	if body.ClassOf(err) != chat.ContextLength || strings.Contains(err.Message, "maximum context length") {
		return err.Message
	}
	requested, limit, known := body.ContextSize(err)
	if !known {
		return err.Message
	}
	return fmt.Sprintf("This model's maximum context length is %d tokens. However, your messages resulted in %d tokens. "+
		"Please reduce the length of the messages.", limit, requested)
}

// AppendOrNull appends a string; null if it is empty.
func AppendOrNull(out []byte, s string) []byte {
	if s == "" {
		return append(out, "null"...)
	}
	return jsonx.AppendString(out, s)
}

// OpenAI's types of errors.
const (
	typeInvalid     = "invalid_request_error"
	typeRate        = "rate_limit_error"
	typeServer      = "server_error"
	typeUnavailable = "service_unavailable_error"
)

// Words returns OpenAI's type and code of the error, and the path of the wrong field, if there is one.
func Words(err *fault.Error) (kind, code, param string) {
	param = paramOf(err)
	switch err.Code {
	case fault.Validation:
		return typeInvalid, invalidCode(err), param
	case fault.Provider:
		kind, code = providerWords(body.ClassOf(err))
		return kind, code, param
	case fault.NotFound:
		switch body.ClassOf(err) {
		case chat.ModelUnknown:
			return typeInvalid, "model_not_found", "model"
		case body.AnswerUnknown:
			return typeInvalid, "", param
		}
	}
	w, ok := words[err.Code]
	if !ok {
		return typeServer, "internal_error", param
	}
	return w.kind, w.code, param
}

// words are OpenAI's types and codes of the errors that have one of each.
var words = map[fault.Code]struct{ kind, code string }{
	fault.NoEligibleKey:    {typeInvalid, "no_eligible_key"},
	fault.LoopDetected:     {typeInvalid, "loop_detected"},
	fault.Unauthorized:     {typeInvalid, "invalid_api_key"},
	fault.Forbidden:        {typeInvalid, "insufficient_permissions"},
	fault.NotFound:         {typeInvalid, "unknown_url"},
	fault.MethodNotAllowed: {typeInvalid, "method_not_supported"},
	fault.Conflict:         {typeInvalid, "conflict"},
	fault.TooLarge:         {typeInvalid, "request_too_large"},
	fault.UnsupportedMedia: {typeInvalid, "unsupported_content_type"},
	fault.HeadersTooLarge:  {typeInvalid, "headers_too_large"},
	fault.RequestTimeout:   {typeInvalid, "request_timeout"},
	fault.RateLimit:        {typeRate, "rate_limit_exceeded"},
	fault.Unavailable:      {typeUnavailable, "service_unavailable"},
	fault.ProviderTimeout:  {typeServer, "timeout"},
	fault.Cancelled:        {typeServer, "request_cancelled"},
}

// invalidCode returns OpenAI's code of an invalid request; empty if it has none.
func invalidCode(err *fault.Error) string {
	switch body.ClassOf(err) {
	case body.AnswerUnknown:
		return "previous_response_not_found"
	case chat.ContextLength:
		return "context_length_exceeded"
	case chat.ContentPolicy:
		return "content_policy_violation"
	case chat.TooLarge:
		return "request_too_large"
	case "":
		return "invalid_value"
	}
	return ""
}

// providerWords returns the type and the code of a provider's failure.
func providerWords(class chat.Class) (kind, code string) {
	switch class {
	case chat.Overloaded:
		return typeUnavailable, "server_is_overloaded"
	case chat.RateLimited, chat.DailyQuota:
		return typeRate, "rate_limit_exceeded"
	case chat.OutOfMoney:
		return typeServer, "insufficient_quota"
	case chat.ModelUnknown:
		return typeServer, "model_not_found"
	case chat.Timeout:
		return typeServer, "timeout"
	}
	return typeServer, "provider_error"
}

// paramOf returns the path of the wrong field.
func paramOf(err *fault.Error) string {
	if issues, ok := body.Detail(err, "issues").([]fault.Issue); ok && len(issues) > 0 {
		return issues[0].Path
	}
	param, _ := body.Detail(err, "param").(string)
	return param
}
