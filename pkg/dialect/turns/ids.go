package turns

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// IDs gives each call of a conversation an id of its own. The zero value is ready. The same calls in the same order
// get the same ids, whatever follows them, so that prompts stay in caches and a streamed answer has those of a whole one.
type IDs struct {
	req   *chat.Request // whose ids are taken, but not noted yet
	form  dialect.CallIDForm
	taken map[string]bool
	times map[string]int // how often an id came
}

// NewIDs returns the IDs of an answer to the request: they differ from those of its calls.
func NewIDs(req *chat.Request) *IDs { return &IDs{req: req} }

// note takes the ids of the request.
func (s *IDs) note() {
	messages := s.req.Messages
	s.req = nil
	for i := range messages {
		for j := range messages[i].Parts {
			if c := messages[i].Parts[j].ToolCall; c != nil {
				s.Next(c.ID)
			}
		}
	}
}

// Next returns the id of the next call, of which the provider or the caller has the id given. The first call keeps it,
// if the form allows it.
func (s *IDs) Next(id string) string {
	if s.taken == nil {
		s.taken, s.times = map[string]bool{}, map[string]int{}
	}
	if s.req != nil {
		s.note()
	}
	for {
		s.times[id]++
		out := id
		if n := s.times[id]; n > 1 {
			out += "_" + strconv.Itoa(n)
		}
		if out = fitID(out, s.form); !s.taken[out] {
			s.taken[out] = true
			return out
		}
	}
}

// fitID returns the id in the form: another one becomes a digest of itself, the same in each request.
func fitID(id string, form dialect.CallIDForm) string {
	switch form {
	case dialect.CallIDsNine:
		if len(id) != 9 || !body.MadeOf(id, 9, "") {
			return nineOf(id)
		}
	case dialect.CallIDsWord:
		if !body.MadeOf(id, 1<<16, "_-") {
			sum := sha256.Sum256([]byte(id))
			return "toolu_" + hex.EncodeToString(sum[:12])
		}
	case dialect.CallIDs40:
		return cutID(id, 40)
	case dialect.CallIDs64:
		return cutID(id, 64)
	}
	return id
}

func cutID(id string, limit int) string {
	if len(id) <= limit {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:16])
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func nineOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	var out [9]byte
	n := binary.BigEndian.Uint64(sum[:])
	for i := range out {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out[:])
}

// FitAnswer gives the calls of a whole answer ids of their own, and reports whether one changed.
func (s *IDs) FitAnswer(r *chat.Response) (changed bool) {
	for i := range r.Choices {
		parts := r.Choices[i].Message.Parts
		for j := range parts {
			if parts[j].ToolCall != nil {
				changed = s.fit(parts[j].ToolCall) || changed
			}
		}
	}
	return changed
}

// FitEvents gives the calls that begin in the events ids of their own.
func (s *IDs) FitEvents(events []chat.Event) {
	for i := range events {
		if events[i].Kind == chat.EventCall {
			s.fit(events[i].ToolCall)
		}
	}
}

func (s *IDs) fit(c *chat.ToolCall) bool {
	id := s.Next(c.ID)
	changed := id != c.ID
	c.ID = id
	return changed
}
