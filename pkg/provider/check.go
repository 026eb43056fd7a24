package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// check is the request by which a key is checked without a charge.
type check struct {
	path string
	// list is the path of the whole list of models; empty: path.
	list string
	// at is the path on the host, if it is not below the base URL.
	at string
	// read returns why a key is useless although the answer has status 200. Nil: the status decides.
	read func(body []byte) *chat.Error
	// proves tells people what a success means.
	proves string
}

// listed is what most checks prove: providers list their models for any valid key, even if its
// account has no money left.
const listed = "the provider knows the key; whether it may generate shows when it is used"

// CheckResult is the outcome of trying a key.
type CheckResult struct {
	OK      bool
	Class   chat.Class // empty if OK
	Message string     // for people, redacted
	Status  int        // the provider's; 0 if it did not answer
	Latency time.Duration
	// Err is the failure as AfterFailure wants it; nil if OK.
	Err *chat.Error
}

// checkLimit bounds how much of a check's answer is kept: lists of models are large.
const checkLimit = 8 << 20

// Check asks the provider whether it accepts the key. It costs nothing, and counts against no quota
// of the gateway. The context should have a deadline of some seconds.
func (c *Client) Check(ctx context.Context, p *Provider, secret string) CheckResult {
	start := c.now()
	status, err := c.tryKey(ctx, p, secret)
	res := CheckResult{OK: err == nil, Status: status, Latency: c.now().Sub(start), Message: p.check.proves}
	if err != nil {
		res.Class, res.Message, res.Err = err.Class, err.Message, err
	}
	return res
}

func (c *Client) tryKey(ctx context.Context, p *Provider, secret string) (int, *chat.Error) {
	at, path := p.listAt(p.check.path)
	resp, err := c.send(ctx, at, secret, http.MethodGet, dialect.Encoded{Path: path}, Options{limit: checkLimit})
	if err != nil {
		failure := asFailure(err)
		withoutModel(failure)
		return failure.Status, failure
	}
	text, err := resp.ReadAll()
	if err != nil {
		return resp.Status, asFailure(err)
	}
	if !json.Valid(text) {
		return resp.Status, &chat.Error{Class: chat.Transport, Status: resp.Status,
			Message: "what answered is not " + p.Name + ": its answer is no JSON; look at the base URL"}
	}
	if p.check.read != nil {
		if failure := p.check.read(text); failure != nil {
			return resp.Status, failure
		}
	}
	return resp.Status, nil
}

// withoutModel makes a failure of a check, which names no model, one of the key if it is refused, and one of
// this request if it is limited or its address is not known.
func withoutModel(failure *chat.Error) {
	switch scope := failure.ScopeOf(); {
	case scope == chat.ScopeModel && failure.Class == chat.Forbidden:
		failure.Scope = chat.ScopeKey
	case scope == chat.ScopeModel:
		failure.Scope = chat.ScopeAttempt
	case scope == chat.ScopeHostModel:
		failure.Scope = chat.ScopeHost
	}
}

// openRouterKey reads GET /key: a limit that is used up means status 402 ahead
// (openrouter.ai/docs/api-reference/limits).
func openRouterKey(text []byte) *chat.Error {
	var answer struct {
		Data struct {
			LimitRemaining *float64 `json:"limit_remaining"`
		} `json:"data"`
	}
	if json.Unmarshal(text, &answer) == nil && answer.Data.LimitRemaining != nil && *answer.Data.LimitRemaining <= 0 {
		return &chat.Error{Class: chat.OutOfMoney, Message: "the key's credit limit is used up (" +
			strconv.FormatFloat(*answer.Data.LimitRemaining, 'f', -1, 64) + " left)"}
	}
	return nil
}

// deepSeekBalance reads GET /user/balance: is_available says whether the balance
// suffices for calls (api-docs.deepseek.com/api/get-user-balance).
func deepSeekBalance(text []byte) *chat.Error {
	var answer struct {
		Available *bool `json:"is_available"`
	}
	if json.Unmarshal(text, &answer) == nil && answer.Available != nil && !*answer.Available {
		return &chat.Error{Class: chat.OutOfMoney, Message: "the account's balance does not suffice for calls"}
	}
	return nil
}
