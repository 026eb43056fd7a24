package emulator

// Faults of a key's account, and of what stands before the provider. Providers that have no such failure
// answer with status 500.
const (
	ModelQuota Fault = "modelday" // the day of this model is used up; others are served
	NoAccess   Fault = "access"   // the account may not use the model
	KeyLimit   Fault = "keylimit" // this request is larger than the account may send
	Disabled   Fault = "disabled" // the organisation
	Wall       Fault = "wall"     // 403 and HTML from a firewall
	JSONWall   Fault = "jsonwall" // 401 and JSON from a gateway of another vendor
)

// wall answers in place of the provider.
func (x *exchange) wall(f Fault) bool {
	switch f {
	case Wall:
		x.whole(403, "text/html", []byte("<html><head><title>Access denied</title></head><body>The request was blocked.</body></html>"))
	case JSONWall:
		x.whole(401, "application/json", []byte(`{"statusCode":401,"message":"Missing subscription key"}`))
	default:
		return false
	}
	return true
}

// accountFault returns the provider's words for a fault of the account. It is false for other faults, and where the
// provider has no such failure.
func (x *exchange) accountFault(f Fault) (failure, bool) {
	switch x.p.wire.(type) {
	case messagesWire:
		return x.messagesAccountFault(f)
	case generateWire:
		return x.generateAccountFault(f)
	}
	return x.chatAccountFault(f)
}

func (x *exchange) messagesAccountFault(f Fault) (failure, bool) {
	switch f {
	case NoAccess:
		return failure{403, x.messagesError("permission_error", "Your organization may not use the model "+x.model+".")}, true
	case Disabled:
		return failure{400, x.messagesError("invalid_request_error", "This organization has been disabled.")}, true
	}
	return failure{}, false
}

func (x *exchange) generateAccountFault(f Fault) (failure, bool) {
	switch f {
	case ModelQuota:
		return x.p.wire.fault(x, DailyQuota), true // its quotas are those of a model
	case NoAccess: // with a delay that means nothing
		details := append(x.quotaFailure("generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", 0),
			ordered{{"@type", "type.googleapis.com/google.rpc.RetryInfo"}, {"retryDelay", "34s"}})
		return failure{429, googleError(429, "RESOURCE_EXHAUSTED", googleQuota+
			"\n* Quota exceeded for metric: generate_content_free_tier_requests, limit: 0\nPlease retry in 34.1s.", details...)}, true
	}
	return failure{}, false
}

func (x *exchange) chatAccountFault(f Fault) (failure, bool) {
	switch f {
	case ModelQuota:
		if x.p.id == "openrouter" {
			at := x.e.now().Add(HintSeconds * 1e9).UnixMilli()
			return failure{429, object{"error": object{"message": "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more.", "code": 429,
				"metadata": object{"headers": object{"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": itoa(at)}}}}}, true
		}
		return x.p.faults(x.model)[DailyQuota], true
	case NoAccess:
		return x.chatNoAccess(), true
	case KeyLimit:
		text := "Request too large for model `" + x.model + "` on tokens per minute (TPM): Limit 8000, Requested 9300, please reduce your message size."
		switch x.p.id {
		case "openai":
			return failure{429, x.p.errorBody(text, "tokens", "rate_limit_exceeded", "")}, true
		case "groq":
			return failure{413, x.p.errorBody(text, "tokens", "rate_limit_exceeded", "")}, true
		case "openrouter":
			return failure{402, object{"error": object{"code": 402,
				"message": "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 1480."}}}, true
		}
	case Disabled:
		switch x.p.id {
		case "openai":
			return failure{400, x.p.errorBody("This organization has been disabled.", "invalid_request_error", "", "")}, true
		case "groq":
			return failure{400, x.p.errorBody("Organization has been restricted.", "invalid_request_error", "organization_restricted", "")}, true
		case "fireworks":
			return failure{412, x.p.errorBody("Account emulated is suspended", "precondition_failed", "", "")}, true
		}
	}
	return failure{}, false
}

func (x *exchange) chatNoAccess() failure {
	switch x.p.id {
	case "openai":
		return failure{403, x.p.errorBody("Project `proj_emulated` does not have access to model `"+x.model+"`", "invalid_request_error", "model_not_found", "")}
	case "groq":
		return failure{400, x.p.errorBody("The model `"+x.model+"` requires terms acceptance.", "invalid_request_error", "model_terms_required", "")}
	}
	return failure{403, x.p.errorBody("Your account may not use the model "+x.model+".", "permission_error", "forbidden", "")}
}
