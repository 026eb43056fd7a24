package server

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// storedAnswer is a stored answer that a request names in its path.
type storedAnswer struct {
	server dialect.StateServer
	owner  store.ResponseOwner
	name   string // as the caller writes it
	id     store.ID
}

// stateEndpoint is the endpoint whose answers are stored.
const stateEndpoint = "responses"

// namedAnswer reads the id in the path, and proves the credential. Errors: NotFound, Unauthorized.
func (a *App) namedAnswer(c *call) (s storedAnswer, err error) {
	s.server = a.dialects.endpoint(stateEndpoint).State
	ctx, who := c.r.Context(), c.who.gateway()
	if s.owner, err = a.responseOwner(ctx, who); err != nil {
		return s, err
	}
	if c.who.digests != nil { // a session was looked up already
		if err := a.Gateway.Verify(ctx, who); err != nil {
			return s, err
		}
	}
	if s.name, err = url.PathUnescape(c.path); err != nil {
		return s, fault.New(fault.NotFound, "there is no such response")
	}
	if s.id, err = parseAnswerID(s.server, s.name); err != nil {
		return s, s.server.Unknown(s.name)
	}
	return s, nil
}

// told returns what the caller is told of an error of the store.
func (s *storedAnswer) told(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return s.server.Unknown(s.name)
	}
	return err
}

// getAnswer answers GET /v1/responses/{id}.
func (a *App) getAnswer(c *call) error {
	if c.r.URL.Query().Get("stream") == "true" {
		var issues fault.Issues
		issues.Add("stream", "only a response that was made in the background can be streamed again: leave it out")
		return issues.Err()
	}
	s, err := a.namedAnswer(c)
	if err != nil {
		return err
	}
	stored, err := store.ResponseByID(c.r.Context(), a.DB, s.owner, s.id, c.now())
	if err != nil {
		return s.told(err)
	}
	items, err := a.rememberedOf(s.server, &stored)
	if err != nil {
		return undecryptable(err)
	}
	rest, _, err := a.Secrets.Decrypt(stored.Answer, stored.EncryptionKeyID, responseBinding(answerOf, s.id, s.owner.User))
	if err != nil {
		return undecryptable(err)
	}
	return c.replyRaw(http.StatusOK, s.server.Whole(rest, items))
}

func undecryptable(err error) error {
	return fault.Wrap(err, fault.Gone, "the response "+undecrypts)
}

// deleteAnswer answers DELETE /v1/responses/{id}.
func (a *App) deleteAnswer(c *call) error {
	s, err := a.namedAnswer(c)
	if err != nil {
		return err
	}
	if err := store.DeleteResponse(c.r.Context(), a.DB, s.owner, s.id, c.now()); err != nil {
		return s.told(err)
	}
	return c.replyRaw(http.StatusOK, s.server.Deleted(s.name))
}

// answerInputs answers GET /v1/responses/{id}/input_items.
func (a *App) answerInputs(c *call) error {
	s, err := a.namedAnswer(c)
	if err != nil {
		return err
	}
	conversation, _, why, err := a.conversationOf(c.r.Context(), s.server, s.owner, s.id, nil)
	switch {
	case err != nil:
		return err
	case why == notStored:
		return s.server.Unknown(s.name)
	case why != "":
		return fault.New(fault.Gone, "the items of the response cannot be listed: %s", why)
	}
	page := &query{values: c.r.URL.Query()}
	list, err := s.server.Inputs(s.name, conversation, page)
	if err != nil {
		return err
	}
	return c.replyRaw(http.StatusOK, list)
}

// cancelAnswer answers POST /v1/responses/{id}/cancel: no response is made in the background.
func (a *App) cancelAnswer(c *call) error {
	s, err := a.namedAnswer(c)
	if err != nil {
		return err
	}
	if _, err := store.ResponseByID(c.r.Context(), a.DB, s.owner, s.id, c.now()); err != nil {
		return s.told(err)
	}
	return &fault.Error{Code: fault.Validation, Message: "Cannot cancel a synchronous response."}
}
