package emulator

import (
	"fmt"
	"strconv"
	"strings"
)

// generateWire writes errors as Google does.
type generateWire struct{}

func googleError(code int, status, message string, details ...any) any {
	e := ordered{{"code", code}, {"message", message}, {"status", status}}
	if len(details) > 0 {
		e = append(e, member{"details", details})
	}
	return ordered{{"error", e}}
}

// badGoogle returns an INVALID_ARGUMENT error.
func (x *exchange) badGoogle(format string, args ...any) *failure {
	return &failure{400, googleError(400, "INVALID_ARGUMENT", fmt.Sprintf(format, args...))}
}

// misshapenGoogle lists all violations of the request's shape in one error.
func misshapenGoogle(found []violation) *failure {
	var messages []string
	var fields []any
	for _, v := range found {
		at, last := v.path.brackets(snake), ""
		if n := len(v.path) - 1; n >= 0 {
			last, _ = v.path[n].(string)
		}
		parent := v.path[:max(len(v.path)-1, 0)].brackets(snake)
		text := ""
		switch {
		case v.wrong == wrongUnknown && parent == "":
			text = fmt.Sprintf("Invalid JSON payload received. Unknown name %q: Cannot find field.", last)
		case v.wrong == wrongUnknown:
			text = fmt.Sprintf("Invalid JSON payload received. Unknown name %q at '%s': Cannot find field.", last,
				parent)
			at = parent
		case v.wrong == wrongMissing:
			text = fmt.Sprintf("* %s: is not specified", at)
		case v.wrong == wrongWord:
			text = fmt.Sprintf("Invalid value at '%s' (TYPE_ENUM), %q", at, fmt.Sprint(v.got))
		default:
			text = fmt.Sprintf("Invalid value at '%s' (TYPE_%s), %s", at, strings.ToUpper(v.want), encode(v.got))
		}
		messages = append(messages, text)
		fields = append(fields, ordered{{"field", at}, {"description", text}})
	}
	return &failure{400, googleError(400, "INVALID_ARGUMENT", strings.Join(messages, "\n"),
		ordered{{"@type", "type.googleapis.com/google.rpc.BadRequest"}, {"fieldViolations", fields}})}
}

func badGoogleKey() failure {
	message := "API key not valid. Please pass a valid API key."
	return failure{400, googleError(400, "INVALID_ARGUMENT", message,
		ordered{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"}, {"reason", "API_KEY_INVALID"},
			{"domain", "googleapis.com"},
			{"metadata", ordered{{"service", "generativelanguage.googleapis.com"}}}},
		ordered{{"@type", "type.googleapis.com/google.rpc.LocalizedMessage"}, {"locale", "en-US"},
			{"message", message}})}
}

const googleQuota = "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."

// quotaFailure returns the details of a spent quota.
func (x *exchange) quotaFailure(metric, id string, value int) []any {
	return []any{
		ordered{{"@type", "type.googleapis.com/google.rpc.Help"},
			{"links", []any{ordered{{"description", "Learn more about Gemini API quotas"},
				{"url", "https://ai.google.dev/gemini-api/docs/rate-limits"}}}}},
		ordered{{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
			{"violations", []any{ordered{{"quotaMetric", "generativelanguage.googleapis.com/" + metric},
				{"quotaId", id}, {"quotaDimensions", ordered{{"model", x.model}, {"location", "global"}}},
				{"quotaValue", strconv.Itoa(value)}}}}},
	}
}

func (generateWire) fault(x *exchange, f Fault) failure {
	say := func(code int, status, message string) failure {
		return failure{code, googleError(code, status, message)}
	}
	switch f {
	case NoCredit:
		return say(429, "RESOURCE_EXHAUSTED",
			"Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.")
	case SpendLimit:
		return say(402, "RESOURCE_EXHAUSTED", "Your project has exceeded its spending cap.")
	case DailyQuota:
		// It has a short RetryInfo nevertheless.
		details := append(x.quotaFailure("generate_content_free_tier_requests",
			"GenerateRequestsPerDayPerProjectPerModel-FreeTier", 250),
			ordered{{"@type", "type.googleapis.com/google.rpc.RetryInfo"}, {"retryDelay", "34s"}})
		return failure{429, googleError(429, "RESOURCE_EXHAUSTED", googleQuota+" Please retry in 34.074824224s.",
			details...)}
	case BadKey:
		return badGoogleKey()
	case Forbidden:
		return say(403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support.")
	case NoModel:
		return say(404, "NOT_FOUND", "models/"+x.model+
			" is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.")
	case TooLong:
		return say(400, "INVALID_ARGUMENT",
			"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")
	case TooLarge:
		return say(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
	case Overloaded:
		return say(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
	case Timeout:
		return say(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
	case Policy: // status 200: the answer to a blocked prompt has no candidates
		return failure{200, x.blocked(0)}
	case BadToolCall:
		return failure{200, ordered{{"candidates",
			[]any{ordered{{"content", object{}}, {"finishReason", "MALFORMED_FUNCTION_CALL"}, {"index", 0},
				{"finishMessage", "Malformed function call: call:nothing{"}}}}, {"usageMetadata", googleUsage(3, 0, 0)},
			{"modelVersion", x.model}, {"responseId", x.responseID()}}}
	}
	return say(500, "INTERNAL",
		"An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting")
}

func (generateWire) limited(x *exchange, text string) failure {
	details := x.quotaFailure("generate_content_paid_tier_input_token_count",
		"GenerateContentPaidTierInputTokensPerModelPerMinute", 1000000)
	if x.do.Hint == InBody {
		details = append(details, ordered{{"@type", "type.googleapis.com/google.rpc.RetryInfo"},
			{"retryDelay", strconv.Itoa(HintSeconds) + "s"}})
	}
	return failure{429, googleError(429, "RESOURCE_EXHAUSTED", googleQuota+" "+text, details...)}
}

func (generateWire) notFound(*exchange) failure {
	return failure{404, googleError(404, "NOT_FOUND", "Requested entity was not found.")}
}

func (generateWire) in200(*exchange) any {
	return googleError(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
}
