package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Answers of a dialect with a StateServer are stored, so that later requests of the same token can refer to them. The
// conversation of such a request is read before the gateway gets it, which then serves it like any other: providers keep
// nothing. What is stored is encrypted and commits together with the usage row, before the last byte goes out.

const (
	// maxAnswerBytes bounds what is stored of one answer, and maxStoredBytes that of all of a user.
	maxAnswerBytes = 1 << 20
	maxStoredBytes = 50 << 20
)

// recalled is a request whose references were replaced.
type recalled struct {
	state    dialect.State
	previous store.ID
	body     []byte
}

// recall reads what the body refers to. Errors: Validation and NotFound (it is not stored), Unauthorized.
func (a *App) recall(ctx context.Context, who gateway.Principal, e endpointOf, body []byte) (r recalled, err error) {
	r.body = body
	if e.State == nil {
		return r, nil
	}
	if r.state, err = e.State.ReadState(body); err != nil || r.state.None() {
		return r, err
	}
	if a.Config.AnswerStore.Mode == config.StoreOff {
		return r, e.State.Off(&r.state)
	}
	owner, err := a.responseOwner(ctx, who)
	if err != nil {
		return r, err
	}
	if id := r.state.Previous; id != "" {
		if r.previous, err = parseAnswerID(e.State, id); err != nil {
			return r, a.notRecalled(ctx, who, e, &r.state, notStored)
		}
	}
	earlier, items, why, err := a.conversationOf(ctx, e.State, owner, r.previous, r.state.Items)
	if err != nil {
		return r, err
	}
	if why != "" {
		return r, a.notRecalled(ctx, who, e, &r.state, why)
	}
	for _, id := range r.state.Items {
		if items[id] == nil {
			missing := dialect.State{Items: []string{id}}
			return r, a.notRecalled(ctx, who, e, &missing, notStored)
		}
	}
	r.body = e.State.Recall(body, earlier, items)
	if int64(len(r.body)) > a.Config.Limits.MaxBodyBytes {
		return r, tooLarge(a.Config.Limits.MaxBodyBytes)
	}
	return r, nil
}

// Why a conversation cannot go on.
const (
	notStored  = "it is not stored: its request had store set to false or another token, it was deleted, it had more than 1 MB, or it is older than RESPONSE_RETENTION"
	notWhole   = "an earlier response of its conversation is not stored any more; send the conversation in input"
	undecrypts = "it was encrypted under a key that is not configured any more; send the conversation in input"
	tooLong    = "its conversation has more responses than the gateway follows, or more bytes than a body may have; send what matters in input"
)

// notRecalled is the error for what is not stored, after a check that the credential is still valid: the reservation,
// which would tell, is not reached.
func (a *App) notRecalled(ctx context.Context, who gateway.Principal, e endpointOf, s *dialect.State, why string) error {
	if err := a.Gateway.Verify(ctx, who); err != nil {
		return err
	}
	return e.State.UnknownReference(s, why)
}

func (a *App) responseOwner(ctx context.Context, who gateway.Principal) (store.ResponseOwner, error) {
	if !who.User.IsZero() {
		return store.ResponseOwner{User: who.User}, nil
	}
	user, token, err := a.Gateway.Identify(ctx, who)
	return store.ResponseOwner{User: user, Token: token}, err
}

// parseAnswerID returns the id under which an answer is stored: store.ErrNotFound.
func parseAnswerID(s dialect.StateServer, answerID string) (store.ID, error) {
	text, ok := s.RequestID(answerID)
	id, err := store.ParseID(text)
	if !ok || err != nil || id.IsZero() || id.String() != text {
		return store.ID{}, store.ErrNotFound
	}
	return id, nil
}

// conversationOf returns the conversation that ends with the answer last, the oldest first, and the items with the ids.
// Why is not empty if it is not whole.
func (a *App) conversationOf(ctx context.Context, s dialect.StateServer, owner store.ResponseOwner, last store.ID, ids []string) (
	earlier []dialect.Remembered, items map[string][]byte, why string, err error) {
	now, most := a.Now().UnixMilli(), a.Config.Limits.MaxBodyBytes
	found, err := store.FindConversation(ctx, a.DB, owner, last, itemDigests(owner, ids), now, most)
	if err != nil {
		return nil, nil, "", err
	}
	items = map[string][]byte{}
	var references []string
	for i := range found.Chain {
		r, err := a.rememberedOf(s, &found.Chain[i])
		if err != nil {
			return nil, nil, undecrypts, nil
		}
		addItems(items, &r)
		references = append(references, r.References...)
		earlier = append(earlier, r)
	}
	if why = whyBroken(found.Chain, last, most); why != "" {
		return nil, nil, why, nil
	}
	if err := a.addFound(s, items, &found); err != nil {
		return nil, nil, undecrypts, nil
	}
	references = slices.DeleteFunc(references, func(id string) bool { return items[id] != nil })
	if len(references) > 0 { // stored requests refer to items themselves
		more, err := store.FindConversation(ctx, a.DB, owner, store.ID{}, itemDigests(owner, references), now, most)
		if err != nil {
			return nil, nil, "", err
		}
		if err := a.addFound(s, items, &more); err != nil {
			return nil, nil, undecrypts, nil
		}
		for _, id := range references {
			if items[id] == nil {
				return nil, nil, notWhole, nil
			}
		}
	}
	slices.Reverse(earlier)
	for i := range earlier {
		s.Resolve(&earlier[i], items)
	}
	return earlier, items, "", nil
}

func whyBroken(chain []store.StoredResponse, last store.ID, most int64) string {
	if last.IsZero() {
		return ""
	}
	if len(chain) == 0 {
		return notStored
	}
	if chain[len(chain)-1].Previous.IsZero() {
		return ""
	}
	size := int64(0)
	for i := range chain {
		size += int64(chain[i].Size())
	}
	if len(chain) >= store.MaxConversation || size > most {
		return tooLong
	}
	return notWhole
}

func (a *App) addFound(s dialect.StateServer, items map[string][]byte, found *store.Conversation) error {
	done := map[store.ID]bool{}
	for _, stored := range found.Items {
		if done[stored.ID] {
			continue
		}
		done[stored.ID] = true
		r, err := a.rememberedOf(s, stored)
		if err != nil {
			return err
		}
		addItems(items, &r)
	}
	return nil
}

func addItems(items map[string][]byte, r *dialect.Remembered) {
	for i, id := range r.OutputIDs {
		if id != "" {
			items[id] = r.Output[i]
		}
	}
}

// The contents of a response, as their encryption is bound to them.
const (
	itemsOf  = "responses.items"
	answerOf = "responses.answer"
)

func responseBinding(content string, id, user store.ID) auth.Binding {
	return auth.Binding{Table: content, ID: id[:], UserID: user[:]}
}

func (a *App) rememberedOf(s dialect.StateServer, stored *store.StoredResponse) (dialect.Remembered, error) {
	data, _, err := a.Secrets.Decrypt(stored.Items, stored.EncryptionKeyID, responseBinding(itemsOf, stored.ID, stored.UserID))
	if err != nil {
		return dialect.Remembered{}, err
	}
	return s.ReadRemembered(data)
}

// itemDigests are those under which items of the token are found: ids say who answered, and when.
func itemDigests(owner store.ResponseOwner, ids []string) []store.ID {
	digests := make([]store.ID, 0, len(ids))
	for _, id := range ids {
		if id != "" {
			sum := sha256.Sum256(slices.Concat([]byte("response item\x00"), owner.Token[:], []byte(id)))
			digests = append(digests, store.ID(sum[:16]))
		}
	}
	return digests
}

// storing is what becomes of the answer to a request that may be stored or goes on with a stored one.
type storing struct {
	app      *App
	server   dialect.StateServer
	mark     dialect.Mark
	previous store.ID
	input    []byte // the body as it came

	relay  *relayWriter // of an answer that streams
	answer []byte       // marked, of an answer that does not
}

// remember decides whether the answer to the request is stored. The error is Validation.
func (a *App) remember(d *decodedRequest, r recalled) error {
	s := d.endpoint.State
	if s == nil || d.endpoint.Compact {
		return nil
	}
	asked := d.req.Chat.Store
	keep := asked == nil || *asked
	switch a.Config.AnswerStore.Mode {
	case config.StoreAll:
		keep = true
	case config.StoreOff:
		if asked != nil && *asked {
			return s.Off(&dialect.State{})
		}
		keep = false
	}
	if !keep && r.state.Previous == "" {
		return nil
	}
	d.storing = &storing{app: a, server: s, previous: r.previous, input: d.body,
		mark: dialect.Mark{Previous: r.state.Previous, Stored: keep}}
	return nil
}

// begin names the answer and asks the gateway for its end.
func (st *storing) begin(d *decodedRequest, encode func(*gateway.Call) ([]byte, error)) {
	id := d.req.ID
	if st.mark.Stored {
		st.mark.ID = st.server.AnswerID(id.String())
	}
	d.req.AtEnd = func(c *gateway.Call, last []chat.Event, raw []byte, passthrough bool) []store.Stmt {
		if d.req.Chat.Stream {
			return st.endStream(c, id, last, raw, passthrough)
		}
		answer, err := encode(c)
		if err != nil {
			return nil // encode fails again where its error is told
		}
		stmts := st.store(c, id, answer)
		st.answer = st.server.Mark(answer, st.mark)
		return stmts
	}
}

// endStream encodes the last events before they are sent: the last of them holds the whole answer.
func (st *storing) endStream(c *gateway.Call, id store.ID, last []chat.Event, raw []byte, passthrough bool) []store.Stmt {
	var stmts []store.Stmt
	st.relay.prepare(last, raw, passthrough, func(events []byte) []byte {
		if answer := st.server.Final(events); answer != nil {
			stmts = st.store(c, id, answer)
		} else {
			st.mark.Stored = false
		}
		return st.server.MarkEvents(events, st.mark)
	})
	return stmts
}

// store returns the statements that store the answer. If it is not stored, the mark says so from now on.
func (st *storing) store(c *gateway.Call, id store.ID, answer []byte) []store.Stmt {
	if !st.mark.Stored {
		return nil
	}
	st.mark.Stored = false
	items, err := st.server.Remember(st.input, answer)
	if err != nil || items.Size() > maxAnswerBytes {
		return nil
	}
	marked := st.mark
	marked.Stored = true
	rest := st.server.Rest(st.server.Mark(answer, marked))
	user, token := c.Owner()
	s := store.StoredResponse{ID: id, UserID: user, TokenID: token, Previous: st.previous,
		ExpiresAt: st.app.Now().Add(st.app.Config.AnswerStore.Retention).UnixMilli()}
	s.Items, s.EncryptionKeyID = st.app.Secrets.Encrypt(items.Append(make([]byte, 0, items.Size())), responseBinding(itemsOf, id, user))
	s.Answer, _ = st.app.Secrets.Encrypt(rest, responseBinding(answerOf, id, user))
	if s.Size() > maxAnswerBytes {
		return nil
	}
	st.mark.Stored = true
	ids := itemDigests(store.ResponseOwner{User: user, Token: token}, items.OutputIDs)
	slices.SortFunc(ids, func(a, b store.ID) int { return bytes.Compare(a[:], b[:]) })
	return store.StoreResponse(s, slices.Compact(ids), maxStoredBytes)
}

// stateEncoder marks the events of a stream. It encodes the last ones as they are: their mark depends on them.
type stateEncoder struct {
	dialect.StreamEncoder
	storing *storing
	last    bool
}

func (e *stateEncoder) marked(out []byte, from int) []byte {
	if e.last {
		return out
	}
	return append(out[:from], e.storing.server.MarkEvents(out[from:], e.storing.mark)...)
}

// Encode implements [dialect.StreamEncoder].
func (e *stateEncoder) Encode(out []byte, ev *chat.Event) []byte {
	return e.marked(e.StreamEncoder.Encode(out, ev), len(out))
}

// AppendPassthrough implements [dialect.PassthroughEncoder].
func (e *stateEncoder) AppendPassthrough(out, raw []byte, last chat.EventKind) []byte {
	from := len(out)
	if encoder, ok := e.StreamEncoder.(dialect.PassthroughEncoder); ok {
		return e.marked(encoder.AppendPassthrough(out, raw, last), from)
	}
	return e.marked(append(out, raw...), from)
}

// Error implements [dialect.StreamEncoder]. An answer that failed is not stored.
func (e *stateEncoder) Error(out []byte, err *fault.Error) []byte {
	e.storing.mark.Stored = false
	return e.marked(e.StreamEncoder.Error(out, err), len(out))
}
