package server

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// principal is who asks.
type principal struct {
	// digests are those under which a gateway token may be stored, the likelier
	// first; nil for a session. Only the token's checksum was looked at.
	digests []auth.TokenDigest
	// session and user were looked up: the session stands and its user is enabled.
	session store.Session
	user    store.User
}

// gateway is the principal as the gateway knows it.
func (p principal) gateway() gateway.Principal {
	return gateway.Principal{Digests: p.digests, Session: p.session.ID, User: p.user.ID}
}

// authorize lets the request reach the route's handler, or says why not.
func (a *App) authorize(c *call, route *Route) (err error) {
	switch route.Access {
	case AccessPublic:
		return nil
	case AccessScheduler:
		return a.authorizeScheduler(c)
	}
	if c.who, err = a.identify(c); err != nil {
		return err
	}
	switch {
	case route.Access == AccessToken:
		return nil
	case c.who.digests != nil:
		return fault.New(fault.Forbidden, "a gateway token opens chat, models, embeddings and its own asynchronous requests only; "+
			"this route needs a session: log in, and send that token")
	case route.Access == AccessAdmin && c.who.user.Role != store.RoleAdmin:
		return fault.New(fault.Forbidden, "this is for the admin only")
	}
	return nil
}

// identify finds out who asks: by bearer or, where other dialects' clients call, by the header that these have for their
// keys, or by the cookie if there is none of them. A gateway token costs no query, a session costs one. Errors: Unauthorized, Forbidden (the cookie on a
// cross-site request that would change something), and the database's.
func (a *App) identify(c *call) (principal, error) {
	if values := c.r.Header.Values("Authorization"); len(values) > 0 {
		bearer, ok := bearerOf(values)
		if !ok {
			return principal{}, fault.New(fault.Unauthorized, "the Authorization header must be: Bearer, a space, and the token")
		}
		if strings.HasPrefix(bearer, auth.TokenPrefix) || c.shared() && strings.Count(bearer, ".") != sessionDots {
			return a.identifyToken(bearer)
		}
		return a.identifySession(c, bearer, false)
	}
	if key := a.apiKey(c); key != "" {
		return a.identifyToken(key)
	}
	cookie := c.sessionCookie()
	if cookie == "" {
		return principal{}, c.anonymous()
	}
	if !safe(c.r.Method) {
		if err := c.refuseCrossSite(); err != nil {
			return principal{}, err
		}
	}
	return a.identifySession(c, cookie, true)
}

// apiKey returns the gateway token from the headers in which SDKs send their keys. That of the dialect of
// the path goes first.
func (a *App) apiKey(c *call) string {
	if !c.shared() {
		return ""
	}
	for _, d := range append([]*dialect.Dialect{c.dialect}, a.dialects.list...) {
		if key := strings.TrimSpace(c.r.Header.Get(d.KeyHeader)); d.KeyHeader != "" && key != "" {
			return key
		}
	}
	return ""
}

// anonymous is the error for a request that says nothing about who sends it.
func (c *call) anonymous() error {
	switch {
	case c.shared() && c.r.URL.Query().Has("key"):
		return fault.New(fault.Unauthorized, "a token in the query string ends up in logs and is not read there: send it in the header x-goog-api-key")
	case c.dialect.KeyHeader != "":
		return fault.New(fault.Unauthorized, "send the gateway token in the header %s, or as Authorization: Bearer",
			strings.ToLower(c.dialect.KeyHeader))
	case c.dialect.SDKs != "":
		return fault.New(fault.Unauthorized, "send the gateway token as Authorization: Bearer, a space, and the token")
	}
	return fault.New(fault.Unauthorized, "log in, or send a token: Authorization: Bearer, a space, and the token")
}

func bearerOf(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(strings.TrimSpace(values[0]), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// sessionDots are those of every session (RFC 7519): without them a bearer is none.
const sessionDots = 2

func (a *App) identifyToken(token string) (principal, error) {
	if !strings.HasPrefix(token, auth.TokenPrefix) {
		return principal{}, fault.New(fault.Unauthorized, "this is no gateway token, which begins with %s: "+
			"provider keys are stored in the gateway, and applications send its token instead", auth.TokenPrefix)
	}
	made, err := a.Secrets.CheckToken(token)
	if err != nil {
		return principal{}, fault.New(fault.Unauthorized, "the gateway token is not one of this gateway: was it copied whole?")
	}
	return principal{digests: a.Secrets.LookupDigests(token, made)}, nil
}

func (a *App) identifySession(c *call, token string, byCookie bool) (principal, error) {
	now := c.now()
	claims, made, err := a.Secrets.ParseSession(token, now)
	if err != nil {
		return principal{}, fault.Wrap(err, fault.Unauthorized, "the session is not valid or has expired: log in again")
	}
	id, err1 := store.ParseID(claims.ID)
	user, err2 := store.ParseID(claims.UserID)
	if err1 != nil || err2 != nil {
		return principal{}, fault.New(fault.Unauthorized, "the session is not valid: log in again")
	}
	var p principal
	p.session, p.user, err = store.SessionByID(c.r.Context(), a.DB, id, now)
	if err == store.ErrNotFound || err == nil && p.user.ID != user {
		return principal{}, fault.New(fault.Unauthorized, "the session was ended or has expired: log in again")
	}
	if err != nil {
		return principal{}, err
	}
	a.keepSession(c, p.session, made, byCookie)
	return p, nil
}

// keepSession notes the session's use, and replaces a cookie that was signed under a previous secret.
func (a *App) keepSession(c *call, s store.Session, made auth.Generation, byCookie bool) {
	if s.Stale(c.now()) {
		if err := store.TouchSession(c.r.Context(), a.DB, s.ID, c.now()); err != nil {
			a.logFault(c, c.faultOf(err)) // what the caller came for does not depend on it
		}
	}
	if made.Stale() && byCookie {
		if token, err := a.signSession(s, c.begun); err == nil {
			c.setSessionCookie(token, s.ExpiresAt)
		}
	}
}

func (a *App) signSession(s store.Session, now time.Time) (string, error) {
	return a.Secrets.SignSession(auth.Session{
		ID: s.ID.String(), UserID: s.UserID.String(), IssuedAt: now.UnixMilli(), ExpiresAt: s.ExpiresAt,
	})
}

// The session cookie's names. Browsers take one that begins with __Host- only by TLS, for the whole
// host and from nobody else, so that no neighbouring domain can plant one.
const (
	secureCookie = "__Host-llm_gateway_session"
	plainCookie  = "llm_gateway_session"
)

// secureBrowser reports whether the browser came by TLS, as far as the request tells: it may have met a proxy that is not
// listed in TRUSTED_PROXIES. Then the origin of its page, or a cookie that it keeps for TLS alone, says so.
func (c *call) secureBrowser() bool {
	if c.tls() {
		return true
	}
	if _, err := c.r.Cookie(secureCookie); err == nil {
		return true
	}
	origin, err := url.Parse(c.r.Header.Get("Origin"))
	return err == nil && origin.Scheme == "https" && !c.crossSite()
}

func (c *call) cookieName() string {
	if c.secureBrowser() {
		return secureCookie
	}
	return plainCookie
}

// sessionCookie is the cookie's value. Of the routes that other sites may call it counts on /api/chat alone, and
// there only for the gateway's own pages. By TLS, a plain cookie does not count: a neighbouring domain may have planted it.
func (c *call) sessionCookie() string {
	cookie, err := c.r.Cookie(secureCookie)
	if err != nil && !c.tls() {
		cookie, err = c.r.Cookie(plainCookie)
	}
	if err != nil || c.shared() && (c.dialect.SDKs != "" || c.crossSite()) {
		return ""
	}
	return cookie.Value
}

func (c *call) setSessionCookie(token string, expiresAt int64) {
	http.SetCookie(c.w, &http.Cookie{
		Name: c.cookieName(), Value: token, Path: "/", MaxAge: int(max(1, (expiresAt-c.now())/1000)),
		HttpOnly: true, Secure: c.secureBrowser(), SameSite: http.SameSiteStrictMode,
	})
}

// clearSessionCookies removes the cookie under either name: a gateway may have moved behind TLS.
func (c *call) clearSessionCookies() {
	for _, name := range [...]string{secureCookie, plainCookie} {
		if _, err := c.r.Cookie(name); err != nil && name != c.cookieName() {
			continue
		}
		http.SetCookie(c.w, &http.Cookie{
			Name: name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: name == secureCookie, SameSite: http.SameSiteStrictMode,
		})
	}
}
