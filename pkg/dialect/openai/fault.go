package openai

import (
	"fmt"

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
	out = body.AppendMember(out, `{"error":{"message":`, err.Message)
	out = body.AppendMember(out, `,"type":`, kind)
	out = append(out, `,"param":`...)
	out = AppendOrNull(out, param)
	out = append(out, `,"code":`...)
	out = AppendOrNull(out, code)
	out = body.AppendDetails(out, err)
	return append(out, "}}"...)
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
	kind, code = words(err)
	return kind, code, paramOf(err)
}

func words(err *fault.Error) (kind, code string) {
	switch err.Code {
	case fault.Validation:
		return typeInvalid, invalidCode(err)
	case fault.NoEligibleKey:
		return typeInvalid, "no_eligible_key"
	case fault.Unauthorized:
		return typeInvalid, "invalid_api_key"
	case fault.Forbidden:
		return typeInvalid, "insufficient_permissions"
	case fault.NotFound:
		return typeInvalid, "unknown_url"
	case fault.MethodNotAllowed:
		return typeInvalid, "method_not_supported"
	case fault.Conflict:
		return typeInvalid, "conflict"
	case fault.TooLarge:
		return typeInvalid, "request_too_large"
	case fault.UnsupportedMedia:
		return typeInvalid, "unsupported_content_type"
	case fault.HeadersTooLarge:
		return typeInvalid, "headers_too_large"
	case fault.RequestTimeout:
		return typeInvalid, "request_timeout"
	case fault.RateLimit:
		return typeRate, "rate_limit_exceeded"
	case fault.Unavailable:
		return typeUnavailable, "service_unavailable"
	case fault.ProviderTimeout:
		return typeServer, "timeout"
	case fault.Cancelled:
		return typeServer, "request_cancelled"
	case fault.Provider:
		return providerWords(detail(err, "class"))
	}
	return typeServer, "internal_error"
}

// invalidCode returns OpenAI's code of an invalid request; empty if it has none.
func invalidCode(err *fault.Error) string {
	switch chat.Class(detail(err, "class")) {
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
func providerWords(class string) (kind, code string) {
	switch chat.Class(class) {
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
	if m, ok := err.Details.(map[string]any); ok {
		if issues, ok := m["issues"].([]fault.Issue); ok && len(issues) > 0 {
			return issues[0].Path
		}
	}
	return detail(err, "param")
}

// detail returns one of the error's details as a text.
func detail(err *fault.Error, name string) string {
	m, ok := err.Details.(map[string]any)
	if !ok || m[name] == nil {
		return ""
	}
	return fmt.Sprint(m[name])
}
