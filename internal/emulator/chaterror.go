package emulator

// errorBody returns an error in the provider's own shape.
func (p *profile) errorBody(message, kind, code, param string) any {
	if p.errorShape != nil {
		return p.errorShape(message, kind, code, param)
	}
	switch p.id {
	case "openrouter":
		status := map[string]int{"invalid_api_key": 401, "rate_limit_exceeded": 429, "insufficient_quota": 402,
			"model_not_found":          404,
			"content_policy_violation": 403, "forbidden": 403, "server_error": 500, "overloaded": 503,
			"timeout": 524}[code]
		if status == 0 {
			status = 400
		}
		e := object{"message": message, "code": status}
		if code == "rate_limit_exceeded" {
			e["message"], e["metadata"] = "Provider returned error", object{"provider_name": "Emulated", "raw": message}
		}
		return object{"error": e, "user_id": "user_emulated"}
	case "mistral":
		return object{"object": "error", "message": message, "type": kind, "param": null(param), "code": null(code)}
	case "groq":
		e := object{"message": message, "type": kind}
		if code != "" {
			e["code"] = code
		}
		return object{"error": e}
	case "together":
		return object{"id": "emulated", "error": object{"message": message, "type": kind, "param": null(param),
			"code": null(code)}}
	case "fireworks":
		return object{"error": object{"object": "error", "type": kind, "code": null(code), "message": message}}
	}
	return object{"error": object{"message": message, "type": kind, "param": null(param), "code": null(code)}}
}

// badKey is the answer to an unknown key.
func (p *profile) badKey() failure {
	if p.words != nil {
		f := map[Fault]failure{}
		if p.words(p, f); f[BadKey].body != nil {
			return f[BadKey]
		}
	}
	switch p.id {
	case "openai":
		return failure{401,
			p.errorBody("Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
				"invalid_request_error", "invalid_api_key", "")}
	case "mistral":
		return failure{401, object{"detail": "Invalid API Key"}}
	case "deepseek":
		return failure{401, p.errorBody("Authentication Fails, Your api key is invalid", "authentication_error",
			"invalid_request_error", "")}
	case "openrouter":
		return failure{401, object{"error": object{"message": "User not found.", "code": 401}}}
	}
	return failure{401, p.errorBody("Invalid API Key", "invalid_request_error", "invalid_api_key", "")}
}

// faults returns the provider's answer for each fault.
func (p *profile) faults(model string) map[Fault]failure {
	f := map[Fault]failure{
		NoCredit: {402, p.errorBody("Payment required: the balance is used up.", "billing_error",
			"insufficient_quota", "")},
		BadKey:    p.badKey(),
		Forbidden: {403, p.errorBody("You are not allowed to do this.", "permission_error", "forbidden", "")},
		NoModel:   p.noModel(model),
		TooLong: {400,
			p.errorBody("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", "invalid_request_error", "context_length_exceeded", "messages")},
		Policy: {400, p.errorBody("The request was rejected as a result of the safety system.",
			"invalid_request_error", "content_policy_violation", "")},
		TooLarge: {413, p.errorBody("Request Entity Too Large", "invalid_request_error", "request_too_large", "")},
		ServerError: {500, p.errorBody("The server had an error while processing your request.", "server_error",
			"server_error", "")},
		Overloaded: {503, p.errorBody("The server is overloaded; try again later.", "service_unavailable_error",
			"overloaded", "")},
		Timeout: {504, p.errorBody("The request timed out.", "server_error", "timeout", "")},
		DailyQuota: {429, p.errorBody("Rate limit reached on requests per day (RPD): Limit 200, Used 200.", "requests",
			"rate_limit_exceeded", "")},
	}
	f[SpendLimit] = f[NoCredit]
	switch p.id {
	case "openai":
		f[NoCredit] = failure{429,
			p.errorBody("You exceeded your current quota, please check your plan and billing details.",
				"insufficient_quota", "insufficient_quota", "")}
		f[SpendLimit] = failure{429, p.errorBody("You have reached the spend limit of this project.",
			"insufficient_quota", "project_spend_limit_exceeded", "")}
		f[Overloaded] = failure{503, p.errorBody("The server is overloaded.", "service_unavailable_error",
			"server_is_overloaded", "")}
	case "groq":
		f[BadToolCall] = failure{400,
			object{"error": object{"message": "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
				"type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": `{"name": "nothing"`}}}
	case "deepseek":
		f[NoCredit] = failure{402, p.errorBody("Insufficient Balance", "unknown_error", "invalid_request_error", "")}
		f[TooLong] = failure{400,
			p.errorBody("This model's maximum context length is 1048576 tokens. However, you requested 2000000 tokens.",
				"invalid_request_error", "invalid_request_error", "")}
	case "together":
		f[TooLong] = failure{403, f[TooLong].body} // with this status: documented
	case "openrouter":
		f[Timeout] = failure{524, f[Timeout].body}
		f[Policy] = failure{403, object{"error": object{"message": "Your chosen model requires moderation.",
			"code": 403, "metadata": object{"reasons": []string{"violence"},
				"error_type": "content_policy_violation"}}}}
	}
	if p.words != nil {
		p.words(p, f)
	}
	return f
}

func (p *profile) noModel(model string) failure {
	message := "The model `" + model + "` does not exist or you do not have access to it."
	switch p.id {
	case "together":
		return failure{400, p.errorBody("Unable to access model "+model, "invalid_request_error", "model_not_available",
			"")}
	case "mistral":
		return failure{400, p.errorBody("Invalid model: "+model, "invalid_model", "1500", "")}
	case "deepseek":
		return failure{400, p.errorBody("Model Not Exist", "invalid_request_error", "invalid_request_error", "")}
	case "openrouter":
		return failure{404, object{"error": object{"message": "No endpoints found for " + model + ".", "code": 404}}}
	}
	return failure{404, p.errorBody(message, "invalid_request_error", "model_not_found", "")}
}

// chatWire writes errors as providers of the OpenAI dialect do.
type chatWire struct{}

func (chatWire) fault(x *exchange, f Fault) failure {
	if have, ok := x.p.faults(x.model)[f]; ok {
		return have
	}
	return failure{500, x.p.errorBody("The server had an error while processing your request.", "server_error", "", "")}
}

func (chatWire) limited(x *exchange, text string) failure {
	body := x.p.errorBody(text, "requests", "rate_limit_exceeded", "")
	if x.p.id == "openrouter" && x.do.Hint == InBody {
		body.(object)["error"].(object)["availability"] = object{"code": "rate_limited", "retry_after": HintSeconds}
	}
	return failure{429, body}
}

func (chatWire) notFound(x *exchange) failure {
	return failure{404, x.p.errorBody("Not found", "invalid_request_error", "not_found", "")}
}

func (chatWire) in200(*exchange) any {
	return object{"error": object{"message": "Upstream is overloaded", "code": 503,
		"type": "service_unavailable_error"}}
}
