package server

import (
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// form is how callers of a route ask. Its names are stored with jobs.
type form string

// The forms.
const (
	formChat          form = "chat"
	formCompletions   form = "completions"
	formResponses     form = "responses"
	formEmbeddings    form = "embeddings"
	formMessages      form = "messages"
	formGenerate      form = "generate"
	formGenerateSSE   form = "generate-sse"
	formGenerateArray form = "generate-array"
)

// speech is the wire format of a form.
type speech struct {
	dialect.Server
	// dialect is the server's name as that of a provider's, if providers speak it, too.
	dialect dialect.Name
	// contentType of a streamed answer.
	contentType string
}

const eventStream = "text/event-stream; charset=utf-8"

// speechOf is the form's wire format; model is what the path says. A form that this version does not know speaks the gateway's own.
func (a *App) speechOf(f form, model string) speech {
	switch f {
	case formCompletions, formEmbeddings:
		return speech{a.openai, openai.Name, eventStream}
	case formResponses:
		return speech{a.responses, responses.Name, eventStream}
	case formMessages:
		return speech{a.dialects.anthropic, anthropic.Name, eventStream}
	case formGenerate:
		return speech{gemini.NewServer(model, gemini.Whole), gemini.Name, ""}
	case formGenerateSSE:
		return speech{gemini.NewServer(model, gemini.SSE), gemini.Name, eventStream}
	case formGenerateArray:
		return speech{gemini.NewServer(model, gemini.Array), gemini.Name, jsonType[0]}
	}
	return speech{a.native, "", eventStream}
}

// question is a request that was read: what to ask the gateway, and how to say the answer.
type question struct {
	form   form
	model  string // that of the path
	speech speech
	body   []byte // as it came
	ask    gateway.Request
	async  bool
}

// question reads a request. The error is the caller's: Validation.
func (a *App) question(f form, model string, header http.Header, body []byte) (*question, error) {
	q := &question{form: f, model: model, speech: a.speechOf(f, model), body: body}
	q.ask = gateway.Request{Header: header, Dialect: q.speech.dialect, Body: body}
	var err error
	if f == formEmbeddings {
		err = q.embedding()
	} else {
		q.ask.Chat, q.ask.Route, err = q.speech.DecodeRequest(body)
	}
	if err != nil {
		return nil, err
	}
	q.async = q.ask.Route.Async
	return q, a.routeByHeader(header, &q.ask.Route)
}

func (q *question) embedding() error {
	req, err := openai.DecodeEmbeddingRequest(q.body)
	if err != nil {
		return err
	}
	if req.Model == "" {
		var issues fault.Issues
		issues.Add("model", "required")
		return issues.Err()
	}
	q.ask.Chat, q.ask.Embedding = &chat.Request{Model: req.Model}, req
	q.ask.Dialect, q.ask.Body = "", nil
	return nil
}

func (q *question) served(call *gateway.Call, name string, begun time.Time) dialect.Served {
	return dialect.Served{RequestID: name, Provider: call.Provider(), Model: call.Model(), Created: begun.Unix(), Request: q.ask.Chat}
}

// encode says a whole answer. The error is Provider.
func (q *question) encode(call *gateway.Call, name string, begun time.Time) ([]byte, error) {
	if q.ask.Embedding != nil {
		answer, err := openai.EncodeEmbeddingResponse(call.Vectors(), q.ask.Embedding)
		if err != nil {
			return nil, fault.Wrap(err, fault.Provider, "the provider answered with vectors that are no numbers")
		}
		return answer, nil
	}
	if raw := call.RawResponse(); raw != nil {
		return raw, nil
	}
	return q.speech.EncodeResponse(call.Response(), q.served(call, name, begun)), nil
}
