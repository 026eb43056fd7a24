package gateway

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Under rotation the requests of a conversation stay with one key: prompt caches and encrypted reasoning live per account.
// A conversation is known by the id that its client gives it, or else by what was said up to the first turn of the
// assistant. The key is written when the request is settled, and read by the statement that reserves.

// conversationFor is how long, in milliseconds, a conversation stays with its key after its last request.
const conversationFor = 24 * 60 * 60 * 1000

// sessionHeaders are the headers in which clients name a conversation, in canonical form: agents, Codex, Claude Code.
var sessionHeaders = []string{"X-Session-Id", "Session-Id", "Session_id", "Conversation_id", "X-Claude-Code-Session-Id"}

// maxSession bounds the name of a conversation, in bytes; what is longer is none.
const maxSession = 512

// namedConversation returns the client's name for the conversation, or "". The id of a user alone is none.
func (c *Call) namedConversation() string {
	name := c.req.Chat.CacheKey
	for _, header := range sessionHeaders {
		if name == "" {
			name = c.req.Header.Get(header)
		}
	}
	if name == "" {
		name = sessionOf(c.req.Chat.User)
	}
	if len(name) > maxSession {
		return ""
	}
	return name
}

// sessionOf returns the session in Claude Code's metadata.user_id: user_HASH_account_ACCOUNT_session_SESSION, or the same
// as JSON.
func sessionOf(user string) string {
	if strings.HasPrefix(user, "{") {
		var in struct {
			Session string `json:"session_id"`
		}
		if json.Unmarshal([]byte(user), &in) != nil {
			return ""
		}
		return in.Session
	}
	if _, session, ok := strings.Cut(user, "_session_"); ok && strings.HasPrefix(user, "user_") {
		return session
	}
	return ""
}

// keptConversation returns the id of the request's conversation; zero if it has none yet. It notes that the request may go
// to one of several keys.
func (c *Call) keptConversation() store.ID {
	if c.rotates || c.req.Embedding != nil {
		return c.conversationID
	}
	c.rotates = true
	if name := c.namedConversation(); name != "" {
		c.conversationID = c.turnKey("conversation", []byte(name))
		return c.conversationID
	}
	messages := c.req.Chat.Messages
	first := slices.IndexFunc(messages, func(m chat.Message) bool { return m.Role == chat.Assistant })
	if first < 0 {
		c.opens = true
		return store.ID{}
	}
	conv := newConversation(nil)
	for i := range messages {
		if i > first && messages[i].Role != chat.Assistant {
			break
		}
		conv.add(&messages[i])
	}
	c.conversationID = c.saidKey(conv)
	return c.conversationID
}

// saidKey is the id of a conversation by what was said up to the first turn of the assistant.
func (c *Call) saidKey(conv *conversation) store.ID {
	conv.end()
	if len(conv.said) == 0 {
		return store.ID{}
	}
	return c.turnKey("said", conv.said[0].turns[:])
}

// keepConversation is the statement that keeps the conversation with the key that has answered; false if there is nothing
// to keep.
func (c *Call) keepConversation() (store.Stmt, bool) {
	id := c.conversationID
	if c.opens {
		parts := c.answer.parts()
		if len(parts) == 0 {
			return store.Stmt{}, false
		}
		conv := newConversation(nil)
		for i := range c.req.Chat.Messages {
			conv.add(&c.req.Chat.Messages[i])
		}
		conv.addAssistant(parts)
		id = c.saidKey(conv)
	}
	if !c.rotates || id.IsZero() {
		return store.Stmt{}, false
	}
	now := c.nowMs()
	return store.SaveConversation(store.KeptConversation{
		User: c.entry.table.user, ID: id, Key: c.current.key.id, ExpiresAt: now + conversationFor, Opens: c.opens,
	}, now), true
}
