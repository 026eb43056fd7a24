package auth

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

const sessionNow = int64(1_800_000_000_000)

func testSession() Session {
	return Session{ID: "session-1", UserID: "user-1", IssuedAt: sessionNow, ExpiresAt: sessionNow + 3_600_000}
}

func sign(t *testing.T, s *Secrets, session Session) string {
	t.Helper()
	token, err := s.SignSession(session)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestSessionTimes(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	token := sign(t, s, testSession())
	for _, c := range []struct {
		name string
		now  int64
		want error
	}{
		{"at once", sessionNow, nil},
		{"last millisecond", sessionNow + 3_599_999, nil},
		{"at its end", sessionNow + 3_600_000, ErrSessionExpired},
		{"signer's clock is a minute ahead", sessionNow - 60_000, nil},
		{"signed in the future", sessionNow - 60_001, ErrInvalidSession},
	} {
		got, made, err := s.ParseSession(token, c.now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want == nil && (got != testSession() || made != Current) {
			t.Errorf("%s: %+v %v", c.name, got, made)
		}
		if c.want != nil && got != (Session{}) {
			t.Errorf("%s: a refused session is returned: %+v", c.name, got)
		}
	}
}

func TestSignSessionNeedsItsParts(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA})
	for _, session := range []Session{{}, {UserID: "u", ExpiresAt: 1}, {ID: "s", ExpiresAt: 1}, {ID: "s", UserID: "u"},
		{ID: "s", UserID: "u", IssuedAt: 2, ExpiresAt: 1}} {
		if _, err := s.SignSession(session); err == nil {
			t.Errorf("%+v was signed", session)
		}
	}
}

func TestSessionOfPreviousSecret(t *testing.T) {
	token := sign(t, mustSecrets(t, Material{JWTSecret: secretA}), testSession())
	now := mustSecrets(t, Material{JWTSecret: secretB, PreviousJWTSecrets: []string{"", secretA}})
	if got, made, err := now.ParseSession(token, sessionNow); err != nil || made != 2 || !made.Stale() || got != testSession() {
		t.Errorf("%+v %v %v", got, made, err)
	}
	unlisted := mustSecrets(t, Material{JWTSecret: secretB})
	if _, _, err := unlisted.ParseSession(token, sessionNow); !errors.Is(err, ErrInvalidSession) {
		t.Errorf("%v", err)
	}
}

func TestForgedSessionsAreRefused(t *testing.T) {
	s := mustSecrets(t, Material{JWTSecret: secretA, PreviousJWTSecrets: []string{""}})
	key, kid := s.generations[0].sessionKey, s.generations[0].kid
	good := jwt.MapClaims{"sid": "s", "sub": "u", "iat": sessionNow / 1000, "exp": sessionNow/1000 + 60, "iss": sessionIssuer}
	make := func(method jwt.SigningMethod, key any, kid any, change func(jwt.MapClaims)) string {
		claims := jwt.MapClaims{}
		for k, v := range good {
			claims[k] = v
		}
		if change != nil {
			change(claims)
		}
		token := jwt.NewWithClaims(method, claims)
		if kid != nil {
			token.Header["kid"] = kid
		}
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	control := make(jwt.SigningMethodHS256, key, kid, nil)
	if _, _, err := s.ParseSession(control, sessionNow); err != nil {
		t.Fatalf("the control is refused: %v", err)
	}
	parts := strings.Split(control, ".")
	without := func(claim string) string {
		return make(jwt.SigningMethodHS256, key, kid, func(c jwt.MapClaims) { delete(c, claim) })
	}
	for name, token := range map[string]string{
		"empty":          "",
		"not a JWT":      "a.b.c",
		"gateway token":  newToken(t, s),
		"huge":           control + strings.Repeat("A", sessionMaxLength),
		"alg none":       make(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid, nil),
		"HS512":          make(jwt.SigningMethodHS512, key, kid, nil),
		"no kid":         make(jwt.SigningMethodHS256, key, nil, nil),
		"empty kid":      make(jwt.SigningMethodHS256, []byte{}, "", nil),
		"kid no string":  make(jwt.SigningMethodHS256, key, 7, nil),
		"unknown kid":    make(jwt.SigningMethodHS256, key, "0123456789ab", nil),
		"another key":    make(jwt.SigningMethodHS256, []byte(secretA), kid, nil),
		"no signature":   parts[0] + "." + parts[1] + ".",
		"changed claims": parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sid":"s","sub":"admin","iat":1,"exp":9999999999,"iss":"llm-gateway"}`)) + "." + parts[2],
		"no sid":         without("sid"),
		"no sub":         without("sub"),
		"no iat":         without("iat"),
		"no exp":         without("exp"),
		"no iss":         without("iss"),
		"other iss":      make(jwt.SigningMethodHS256, key, kid, func(c jwt.MapClaims) { c["iss"] = "other" }),
		"exp no number":  make(jwt.SigningMethodHS256, key, kid, func(c jwt.MapClaims) { c["exp"] = "never" }),
	} {
		if got, _, err := s.ParseSession(token, sessionNow); !errors.Is(err, ErrInvalidSession) || got != (Session{}) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func FuzzParseSession(f *testing.F) {
	s := vectorSecrets(f)
	f.Add(vectorSession)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		_, _, err := s.ParseSession(token, sessionNow+1000)
		if err == nil && token != vectorSession {
			t.Fatalf("%q accepted", token)
		}
	})
}
