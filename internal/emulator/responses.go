package emulator

// openAIRoute returns the handler of a path of OpenAI's own.
func openAIRoute(x *exchange, path string) func() {
	switch x.r.Method + " " + path {
	case "POST /responses":
		return x.responses
	case "POST /responses/input_tokens":
		return x.responsesCount
	case "POST /responses/compact":
		return x.responsesCompact
	}
	return chatRoute(x, path)
}

// responses answers a request to the Responses API.
func (x *exchange) responses() {
	r := x.readResponses(responsesShape())
	if r == nil {
		return
	}
	a := x.answer(r.decode(x))
	b := &responsesBody{x: x, r: r, a: a}
	if r.Store == nil || *r.Store {
		x.keep(x.id("rs_", 0))
	}
	if !r.Stream {
		x.say(b.whole())
		return
	}
	x.stream(stream{
		events:  b.events(),
		failure: b.failure,
		unknown: event{"response.nobody_knows", ordered{{"type", "response.nobody_knows"}}},
	})
}

func (x *exchange) responsesCount() {
	if r := x.readResponses(countShape()); r != nil {
		x.say(ordered{{"object", "response.input_tokens"}, {"input_tokens", r.decode(x).tokens()}})
	}
}

// responsesCompact answers with the messages of the user and an encrypted summary (API reference, compact a response).
func (x *exchange) responsesCompact() {
	r := x.readResponses(compactShape())
	if r == nil {
		return
	}
	a := x.answer(r.decode(x))
	b := &responsesBody{x: x, r: r, a: a}
	x.say(ordered{{"id", x.id("resp_", 0)}, {"object", "response.compaction"}, {"created_at", x.began.Unix()},
		{"output", []any{ordered{{"id", x.id("cmp_", 0)}, {"type", "compaction"}, {"encrypted_content", b.encrypted(x.id("cmp_", 0), 0)}}}},
		{"usage", b.usage()}})
}

// readResponses returns the request, or nil if it was answered with an error.
func (x *exchange) readResponses(form *shape) *responsesRequest {
	x.wire = responsesWire{}
	r := &responsesRequest{}
	if f := r.read(x, form); f != nil {
		x.fail(*f)
		return nil
	}
	if x.misbehave(r.Model) {
		return nil
	}
	if f := r.refuse(x); f != nil {
		x.fail(*f)
		return nil
	}
	return r
}

// responsesWire writes errors as OpenAI does, with the exceptions of the Responses API.
type responsesWire struct{ chatWire }

func (w responsesWire) fault(x *exchange, f Fault) failure {
	switch f {
	case NoModel: // with 400 here: recorded
		return failure{400, x.p.errorBody("The requested model '"+x.model+"' does not exist.", "invalid_request_error",
			"model_not_found", "model")}
	case TooLong:
		return failure{400,
			x.p.errorBody("Your input exceeds the context window of this model. Please adjust your input and try again.", "invalid_request_error", "context_length_exceeded", "input")}
	}
	return w.chatWire.fault(x, f)
}

func (responsesWire) in200(x *exchange) any {
	return ordered{{"id", x.id("resp_", 0)}, {"object", "response"}, {"created_at", x.began.Unix()},
		{"status", "failed"},
		{"error", ordered{{"code", "server_error"}, {"message", "Upstream is overloaded"}}},
		{"incomplete_details", nil}, {"model", x.model},
		{"output", []any{}}, {"usage", nil}, {"metadata", object{}}}
}
