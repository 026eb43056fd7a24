package auth

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	sessionIssuer = "llm-gateway"
	// sessionMaxLength bounds what is parsed at all; a real one has about 300 bytes.
	sessionMaxLength = 1024
	// sessionClockSkew is how far in the future another replica's clock may have signed.
	sessionClockSkew = time.Minute
)

var (
	// ErrInvalidSession comes back for whatever is not a session token of this gateway.
	ErrInvalidSession = errors.New("not a session of this gateway")
	// ErrSessionExpired comes back for a genuine session token whose time is over.
	ErrSessionExpired = errors.New("the session has expired")
)

// Session is what a session token says. It is not proof that the session still counts: the row SessionID may have been
// revoked and the user disabled, so both must be looked up.
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

// SignSession makes the session token, a JWT under HS256 and the current secret. Times are cut to seconds.
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

// ParseSession verifies a session token at the time now (Unix ms). A stale generation asks for a fresh token at the next
// occasion. Errors: ErrInvalidSession, ErrSessionExpired.
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
