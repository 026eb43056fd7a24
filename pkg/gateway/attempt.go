package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/sse"
)

// attempt is one call of a provider with one key.
type attempt struct {
	key         candidate
	reservation quota.Reservation
	started     time.Time
	stream      bool

	clock clock // that abandons it

	spare    int // calls that the request may make beyond the first of this attempt
	repeated int // calls beyond the first

	probes          bool // under the lease of a half-open cooldown
	passesTransient bool // although the key cools down after a transient failure

	client      dialect.Client      // of the protocol in which the request is sent
	traits      dialect.Traits      // of that client and the model
	same        bool                // the client's dialect is the caller's
	passthrough dialect.Passthrough // not nil: the answer's bytes are passed through
	forms       *body.ToolForms     // not nil: the provider knows tools in other forms
	callIDs     *turns.IDs          // of the conversation; the answer's calls get others

	lowered       string // not empty: warns that the answer is shorter than the caller wanted
	warnings      []string
	requestID     string // the provider's
	firstByte     time.Time
	sent          bool // the provider may have got the request
	refused       bool // the provider answered with an error before any byte of an answer
	answerBegun   bool // a part of the answer has come
	cancelled     bool // the client left, or the deadline passed, before the provider was done
	inexpressible bool // the request cannot be expressed in the provider's dialect; nothing was sent

	failure  *chat.Error    // nil: it answers
	response *chat.Response // of a request that does not stream
	vectors  *chat.EmbeddingResponse
	raw      []byte       // the response as the provider sent it, if it is passed through
	source   *source      // of a request that streams
	early    []chat.Event // that came before the attempt was committed
}

// keepsReservation reports whether the attempt counts in the quota: any byte of an answer came, or we abandoned the
// provider, or the client left, or the deadline passed, after the request was sent.
func (a *attempt) keepsReservation() bool {
	if a.failure == nil || a.answerBegun {
		return true
	}
	return a.isAbandoned() || a.cancelled && a.sent && !a.refused
}

// encode writes the request for the attempt's provider and model.
func (a *attempt) encode(request Request) (dialect.Encoded, bool) {
	req := *request.Chat
	req.Model = a.key.model
	a.callIDs = turns.NewIDs(&req)
	if request.Compact {
		return a.encodeCompaction(request.Body, &req)
	}
	a.client = a.key.provider.Protocol(a.key.model, &req, request.Dialect)
	a.same = request.Dialect != "" && request.Dialect == a.client.Dialect()
	a.traits = a.client.Traits(a.key.model)
	target := body.Target{Provider: a.key.provider.ID, Traits: a.traits, Same: a.same}
	var warnings []string
	if !a.same || !body.ToolsFit(req.Tools, target) {
		a.forms, warnings = body.FitTools(&req, target)
	}
	if a.same && a.forms == nil {
		if passthrough, able := a.client.(dialect.Passthrough); able {
			if enc, ok := passthrough.PassthroughRequest(request.Body, &req, request.changedMessages); ok {
				a.warnings = append(developerWarning(a.key, &req), enc.Warnings...)
				if !a.traits.RewritesAnswers {
					a.passthrough = passthrough
				}
				return enc, true
			}
		}
	}
	enc, err := a.client.EncodeRequest(&req)
	if err != nil {
		a.inexpressible = true
		a.fail(err)
		return enc, false
	}
	a.warnings = append(append(warnings, developerWarning(a.key, &req)...), enc.Warnings...)
	return enc, true
}

func (a *attempt) encodeCompaction(data []byte, req *chat.Request) (dialect.Encoded, bool) {
	compactor := a.key.provider.Compactor(a.key.model)
	a.client, a.passthrough, a.same = compactor, compactor, true
	a.traits = compactor.Traits(a.key.model)
	enc, ok := compactor.CompactRequest(data, req)
	if !ok {
		a.inexpressible = true
		a.fail(&chat.Error{Class: chat.BadRequest, Message: "the conversation has items that its provider did not make"})
	}
	a.warnings = enc.Warnings
	return enc, ok
}

// splitter returns what takes reasoning out of the answer's text; nil if it cannot stand there, or the bytes are passed
// through.
func (a *attempt) splitter() *body.ThinkSplitter {
	if a.passthrough == nil && a.traits.ThinkTags {
		return new(body.ThinkSplitter)
	}
	return nil
}

// fail records an error of the call.
func (a *attempt) fail(err error) {
	var call *provider.CallError
	if errors.As(err, &call) {
		a.sent, a.refused, a.requestID = call.Sent, call.Answered, call.RequestID
	}
	var known *chat.Error
	if !errors.As(err, &known) {
		known = &chat.Error{Class: chat.Transport, Message: "the provider's answer broke off", Cause: err}
	}
	a.failure = known
}

// setFailure records an error that the provider reported inside an answer of status 200, or an answer that cannot be
// read.
func (g *Gateway) setFailure(a *attempt, failure *chat.Error) {
	if failure.Class == "" {
		a.refused = true
		a.key.provider.Classify(failure, provider.Answer{}, g.Now().UnixMilli())
	}
	a.key.provider.Redact(failure, a.key.secret)
	a.failure = failure
}

// askWhole sends an encoded request and reads the whole answer. If ok is false, the attempt has failed.
func (g *Gateway) askWhole(ctx context.Context, a *attempt, enc dialect.Encoded, request Request) (data []byte, ok bool) {
	resp, err := g.do(ctx, a, enc,
		provider.Options{IdleTimeout: g.settings.IdleTimeout, Header: request.Header})
	if err != nil {
		a.fail(err)
		return nil, false
	}
	a.sent, a.requestID, a.firstByte = true, resp.RequestID, g.Now()
	resp.Body = &lifeReader{resp.Body, &a.clock}
	data, err = resp.ReadAll()
	if err != nil {
		a.answerBegun = a.answerBegun || len(data) > 0
		a.fail(err)
		return nil, false
	}
	return data, true
}

// callWhole asks for a whole answer.
func (g *Gateway) callWhole(ctx context.Context, a *attempt, request Request) {
	defer g.contain(a)
	if request.Embedding != nil {
		g.embed(ctx, a, request)
		return
	}
	enc, ok := a.encode(request)
	if !ok {
		return
	}
	data, ok := g.askWhole(ctx, a, enc, request)
	if !ok {
		return
	}
	renamed := g.readWhole(a, data)
	if a.passthrough == nil || a.response == nil {
		return
	}
	a.raw = data
	if renamed {
		if p, able := a.passthrough.(dialect.CallIDsPassthrough); able {
			a.raw = p.DistinctCallIDs(data, request.Chat)
		}
	}
	if p, able := a.passthrough.(dialect.CompletingPassthrough); able {
		a.raw = p.CompleteAnswer(a.raw)
	}
}

// readWhole decodes a whole answer, and reports whether the ids of its calls were taken.
func (g *Gateway) readWhole(a *attempt, data []byte) (renamed bool) {
	answer, err := a.client.DecodeResponse(data)
	a.forms.RestoreAnswer(answer)
	renamed = answer != nil && a.callIDs.FitAnswer(answer)
	if splitter := a.splitter(); splitter != nil && err == nil {
		answer = splitter.SplitAnswer(answer)
	}
	a.response = answer
	g.finishAttempt(a, err)
	return renamed
}

// finishAttempt records the result of decoding a whole answer.
func (g *Gateway) finishAttempt(a *attempt, err error) {
	if err == nil {
		a.answerBegun = true
		return
	}
	var failure *chat.Error
	if !errors.As(err, &failure) {
		failure = &chat.Error{Class: chat.Transport, Cause: err}
	}
	a.answerBegun = a.answerBegun || failure.Class != "" // an unreadable answer, not an error from the provider
	g.setFailure(a, failure)
}

// callStream asks for a stream and reads it up to its first substantive event.
func (g *Gateway) callStream(ctx context.Context, a *attempt, request Request) {
	defer g.contain(a)
	enc, ok := a.encode(request)
	if !ok {
		return
	}
	resp, err := g.do(ctx, a, enc,
		provider.Options{Streamed: true, IdleTimeout: g.settings.IdleTimeout, Header: request.Header})
	if err != nil {
		a.fail(err)
		return
	}
	a.sent, a.requestID = true, resp.RequestID
	stream := bufio.NewReader(resp.Body)
	if isJSON(stream) {
		a.clock.alive()
		g.readUnstreamed(a, stream, resp)
		return
	}
	a.source = &source{body: resp.Body, events: sse.NewReader(stream, 0), decoder: a.client.NewStreamDecoder(), clock: &a.clock,
		forms: a.forms, callIDs: a.callIDs, thinkSplitter: a.splitter()}
	if a.passthrough != nil {
		a.source.passthrough = a.passthrough.NewStreamPassthrough(request.Chat)
		a.source.eventNames.secret = a.key.secret
	}
	g.readFirst(a)
}

// isJSON reports whether a stream's answer is one JSON document: an error of status 200, or a provider that does not
// stream. The content type is not reliable.
func isJSON(r *bufio.Reader) bool {
	for {
		b, err := r.ReadByte()
		switch {
		case err != nil:
			return false
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
			continue
		}
		r.UnreadByte()
		return b == '{'
	}
}

func (g *Gateway) readUnstreamed(a *attempt, r io.Reader, resp *provider.Response) {
	defer resp.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		a.answerBegun = len(data) > 0
		a.fail(err)
		return
	}
	g.readWhole(a, data)
	if a.response != nil {
		a.early, a.firstByte = chat.Events(a.response), g.Now()
		a.response = nil
		a.source = &source{body: resp.Body, ended: true}
	}
}

func (g *Gateway) readFirst(a *attempt) {
	for {
		n := len(a.early)
		a.early = a.source.next(a.early)
		for i := n; i < len(a.early); i++ {
			ev := &a.early[i]
			if ev.Kind == chat.EventError {
				g.failEarly(a, ev.Err)
				return
			}
			if ev.Substantive() && ev.Kind != chat.EventUsage {
				a.answerBegun, a.firstByte = true, g.Now()
				return
			}
		}
	}
}

// failEarly records the failure of a stream before its first substantive event.
func (g *Gateway) failEarly(a *attempt, failure *chat.Error) {
	a.source.close()
	g.setFailure(a, failure)
}
