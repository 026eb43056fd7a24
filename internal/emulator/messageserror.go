package emulator

// messagesWire writes errors as Anthropic does.
type messagesWire struct{}

func (x *exchange) messagesError(kind, message string) any {
	return ordered{{"type", "error"}, {"error", ordered{{"type", kind}, {"message", message}}},
		{"request_id", x.requestID()}}
}

func (messagesWire) fault(x *exchange, f Fault) failure {
	say := func(status int, kind, message string) failure { return failure{status, x.messagesError(kind, message)} }
	switch f {
	case NoCredit:
		return say(402, "billing_error", "Your credit balance is too low to access the Anthropic API.")
	case SpendLimit: // without retry-after: documented
		return failure{429, ordered{{"type", "error"},
			{"error", ordered{{"type", "rate_limit_error"}, {"message", "This workspace has reached its spend limit."},
				{"details", ordered{{"error_code", "enforced_spend_limit_reached"}}}}}, {"request_id", x.requestID()}}}
	case DailyQuota: // Anthropic has no daily limit; it reports the owner's monthly limit so
		return say(400, "invalid_request_error",
			"You have reached your specified API usage limits. You will regain access on 2027-01-01 at 00:00 UTC.")
	case BadKey:
		return say(401, "authentication_error", "invalid x-api-key")
	case Forbidden:
		return say(403, "permission_error", "Your API key does not have permission to use the specified resource.")
	case NoModel:
		return say(404, "not_found_error", "model: "+x.model)
	case TooLong:
		return say(400, "invalid_request_error", "prompt is too long: 3333404 tokens > 200000 maximum")
	case Policy:
		return say(400, "invalid_request_error", "Output blocked by content filtering policy")
	case TooLarge:
		return say(413, "request_too_large", "Request exceeds the maximum size")
	case Overloaded:
		return say(529, "overloaded_error", "Overloaded")
	case Timeout:
		return say(504, "timeout_error", "Request timed out")
	}
	return say(500, "api_error", "Internal server error")
}

func (messagesWire) limited(x *exchange, text string) failure {
	return failure{429, x.messagesError("rate_limit_error", text)}
}

func (messagesWire) notFound(x *exchange) failure {
	return failure{404, x.messagesError("not_found_error", "Not Found")}
}

func (messagesWire) in200(x *exchange) any { return x.messagesError("overloaded_error", "Overloaded") }

// messagesFailure is an error within a stream.
func (x *exchange) messagesFailure() []event {
	return []event{{"error", ordered{{"type", "error"},
		{"error", ordered{{"type", "overloaded_error"}, {"message", "Overloaded"}}}, {"request_id", x.requestID()}}}}
}
