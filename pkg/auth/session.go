package auth

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	sessionIssuer = "llm-gateway"
	// sessionMaxLength is the maximum length of a token that is parsed; a valid one has about 300 bytes.
	sessionMaxLength = 1024
	// sessionClockSkew is the maximum time by which the clock of another replica may be ahead.
	sessionClockSkew = time.Minute
)

var (
	// ErrInvalidSession is returned for everything that is not a session token of this gateway.
	ErrInvalidSession = errors.New("not a session of this gateway")
	// ErrSessionExpired is returned for an authentic session token that has expired.
	ErrSessionExpired = errors.New("the session has expired")
)

// Session holds the claims of a session token. They do not prove that the session is still valid: its row may be deleted
// and the user disabled, so both must be looked up.
type Session struct {
	ID        string // of the session row
	UserID    string
	IssuedAt  int64 // Unix ms; whole seconds once signed
	ExpiresAt int64 // Unix ms; whole seconds once signed
}

type sessionClaims struct {
	SessionID string           `json:"sid"`
	UserID    string           `json:"sub"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	ExpiresAt *jwt.NumericDate `json:"exp"`
	Issuer    string           `json:"iss"`
}

func (c *sessionClaims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt, nil }
func (c *sessionClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.IssuedAt, nil }
func (c *sessionClaims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c *sessionClaims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *sessionClaims) GetSubject() (string, error)                  { return c.UserID, nil }
func (c *sessionClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// SignSession returns the session token, a JWT under HS256 and the current secret. Times are truncated to seconds.
func (s *Secrets) SignSession(session Session) (string, error) {
	if session.ID == "" || session.UserID == "" || session.ExpiresAt <= session.IssuedAt {
		return "", errors.New("sign session: it needs an id, a user and a time to live")
	}
	current := s.generations[Current]
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, &sessionClaims{
		SessionID: session.ID,
		UserID:    session.UserID,
		IssuedAt:  jwt.NewNumericDate(time.UnixMilli(session.IssuedAt)),
		ExpiresAt: jwt.NewNumericDate(time.UnixMilli(session.ExpiresAt)),
		Issuer:    sessionIssuer,
	})
	token.Header["kid"] = current.kid
	signed, err := token.SignedString(current.sessionKey)
	if err != nil {
		return "", fmt.Errorf("sign session: %w", err)
	}
	return signed, nil
}

// ParseSession verifies a session token at the time now (Unix ms). If the generation is stale, the client should get a new
// token. Errors: ErrInvalidSession, ErrSessionExpired.
func (s *Secrets) ParseSession(token string, now int64) (Session, Generation, error) {
	if len(token) > sessionMaxLength {
		return Session{}, 0, ErrInvalidSession
	}
	var (
		claims sessionClaims
		signer Generation
	)
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithoutClaimsValidation(), // done below, against now
	)
	_, err := parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		for g := range s.generations {
			if kid != "" && s.generations[g].kid == kid {
				signer = Generation(g)
				return s.generations[g].sessionKey, nil
			}
		}
		return nil, ErrInvalidSession
	})
	if err != nil {
		return Session{}, 0, ErrInvalidSession
	}
	if claims.Issuer != sessionIssuer || claims.SessionID == "" || claims.UserID == "" ||
		claims.IssuedAt == nil || claims.ExpiresAt == nil {
		return Session{}, 0, ErrInvalidSession
	}
	session := Session{
		ID:        claims.SessionID,
		UserID:    claims.UserID,
		IssuedAt:  claims.IssuedAt.UnixMilli(),
		ExpiresAt: claims.ExpiresAt.UnixMilli(),
	}
	if session.IssuedAt > now+sessionClockSkew.Milliseconds() {
		return Session{}, 0, ErrInvalidSession
	}
	if now >= session.ExpiresAt {
		return Session{}, 0, ErrSessionExpired
	}
	return session, signer, nil
}
