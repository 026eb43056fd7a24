package anthropic

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeError reads a failed answer in any of these shapes:
//
//	{"type":"error","error":{"type","message","details":{"error_code"}},"request_id"}
//	{"error":".."}, {"error":{"message","code"}}, {"message":".."}, {"detail":".."}   proxies
//
// A code from 400 to 599 is also the Status.
func (Client) DecodeError(data []byte) *chat.Error {
	return decodeError(body.ReadError(data))
}

// errorIn returns the error in an answer of status 200; nil if there is none.
func errorIn(root jsonx.Value) *chat.Error {
	if body.HasError(root.Get("error")) || root.Get("type").Is("error") {
		return decodeError(root)
	}
	return nil
}

func decodeError(root jsonx.Value) *chat.Error {
	v := root.Get("error")
	if v.Kind() != jsonx.Object {
		text := v.Str()
		for _, name := range [...]string{"message", "detail"} {
			if text == "" {
				text = root.Get(name).Str()
			}
		}
		return &chat.Error{Message: body.Clip(text)}
	}
	e := &chat.Error{Type: body.Word(v.Get("type")), Param: body.Word(v.Get("param")), Message: body.Clip(v.Get("message").Str())}
	for _, code := range [...]jsonx.Value{v.Get("details").Get("error_code"), v.Get("code")} {
		if e.Code == "" {
			e.Code = body.Word(code)
		}
	}
	if n, err := strconv.Atoi(e.Code); err == nil && n >= 400 && n <= 599 {
		e.Status = n
	}
	return e
}

// errorType returns the dialect's type of an error
// (https://platform.claude.com/docs/en/api/errors).
func errorType(err *fault.Error) string {
	switch err.Code {
	case fault.Unauthorized:
		return "authentication_error"
	case fault.Forbidden:
		return "permission_error"
	case fault.NotFound:
		return "not_found_error"
	case fault.TooLarge:
		return "request_too_large"
	case fault.RateLimit:
		return "rate_limit_error"
	case fault.ProviderTimeout:
		return "timeout_error"
	case fault.Unavailable:
		// A key that cools down is no overload: agents wait for the end of those, whatever Retry-After says.
		if class := body.ClassOf(err); class != "" && class != chat.Overloaded {
			return "api_error"
		}
		return "overloaded_error"
	case fault.Provider:
		var failed *chat.Error
		if errors.As(err, &failed) && (failed.Class == chat.Overloaded || failed.Class == chat.RateLimited) {
			return "overloaded_error"
		}
		return "api_error"
	case fault.Internal, fault.Cancelled:
		return "api_error"
	}
	return "invalid_request_error"
}

// statusOverloaded is Anthropic's status of overloaded_error.
const statusOverloaded = 529

// Status returns the status of an error: that of its code, or 529 for an overload.
func (s *Server) Status(err *fault.Error) int {
	if errorType(err) == "overloaded_error" {
		return statusOverloaded
	}
	return err.Code.Status()
}

// EncodeError encodes an error. Details, such as the issues of a request, are in error.details.
func (s *Server) EncodeError(err *fault.Error, requestID string) []byte {
	return appendError(nil, err, requestID)
}

func appendError(out []byte, err *fault.Error, requestID string) []byte {
	out = body.AppendMember(out, `{"type":"error","error":{"type":`, errorType(err))
	out = body.AppendMember(out, `,"message":`, errorMessage(err))
	out = body.AppendDetails(out, err)
	out = body.AppendMember(out, `},"request_id":`, requestID)
	return append(out, '}')
}

// errorMessage returns the error's message. That a request is too long is told in Anthropic's words, by which Claude Code
// and others know that they have to shorten the conversation.
func errorMessage(err *fault.Error) string {
	if body.ClassOf(err) != chat.ContextLength || tellsOverflow(err.Message) {
		return err.Message
	}
	if requested, limit, known := body.ContextSize(err); known {
		return fmt.Sprintf("prompt is too long: %d tokens > %d maximum", requested, limit)
	}
	return "prompt is too long: " + err.Message
}

// tellsOverflow reports whether a message has one of the two forms that Anthropic's API uses.
func tellsOverflow(message string) bool {
	return promptTooLong.MatchString(message) || exceedsLimit.MatchString(message)
}

var (
	promptTooLong = regexp.MustCompile(`prompt is too long: \d+ tokens > \d+ maximum`)
	exceedsLimit  = regexp.MustCompile("input length and `?max_tokens`? exceed context limit: \\d+ \\+ \\d+ > \\d+")
)
