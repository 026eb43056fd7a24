package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// call is one request on its way through the App.
type call struct {
	w *response
	r *http.Request
	// id is made here for every request; it is the X-Request-ID of the answer.
	id    store.ID
	begun time.Time
	// path is the {id} of the route's pattern.
	path string
	// client is where the request comes from: the peer, or whom a trusted proxy names.
	client netip.Addr
	// dialect is that of the answer, and claimed says that its clients ask for such paths.
	dialect *dialect.Dialect
	claimed bool
	// proxied says that the peer may speak for the client in headers.
	proxied bool
	// who is set on routes that are not public.
	who principal

	endpoint *endpoint // nil: no such route

	budget *budget
	owner  store.ID // whose share of the budget the body takes; zero: nobody's who is known
	held   int64    // bytes of the budget
	// prove looks up credentials that have not been yet, before much of a body is held; nil: there is nothing to look up.
	prove       func() error
	read        bool          // the body was read to its end
	bodyTimeout time.Duration // for a body without progress
}

// now is the time at which the request began, in Unix milliseconds.
func (c *call) now() int64 { return c.begun.UnixMilli() }

// requestID is the text of the id.
func (c *call) requestID() string { return c.id.String() }

// reply answers with JSON.
func (c *call) reply(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.replyRaw(status, c.compressed(body))
}

// replyCached is reply for what changes seldom: the client keeps it, and asks the next time whether it has changed.
func (c *call) replyCached(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(body)
	tag := `W/"` + hex.EncodeToString(digest[:12]) + `"` // of the meaning: compressed or not
	h := c.w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Authorization, Cookie")
	for known := range strings.SplitSeq(c.r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(tag, "W/") {
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return c.replyRaw(http.StatusOK, c.compressed(body))
}

// replyRaw answers with JSON that is written already.
func (c *call) replyRaw(status int, body []byte) error {
	c.w.Header()["Content-Type"] = jsonType
	c.w.WriteHeader(status)
	_, err := c.w.Write(body)
	return err
}

// noContent answers 204.
func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// objectID is the id in the path. What is no id names no object: ErrNotFound.
func (c *call) objectID() (store.ID, error) {
	id, err := store.ParseID(c.path)
	if err != nil || id.IsZero() {
		return store.ID{}, store.ErrNotFound
	}
	return id, nil
}

// Header values that never change. net/http only reads them.
var (
	jsonType = []string{dialect.JSON}
	nosniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
	noFrames = []string{"default-src 'none'; frame-ancestors 'none'"}
	hsts     = []string{"max-age=31536000"}
)
