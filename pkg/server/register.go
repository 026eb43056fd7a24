package server

import (
	"errors"
	"net/http"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/quota"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// authStatus says what a person without an account can do.
func (a *App) authStatus(c *call) error {
	i, err := store.InstanceStatus(c.r.Context(), a.DB)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, struct {
		SetupRequired       bool `json:"setupRequired"`
		SetupTokenRequired  bool `json:"setupTokenRequired"`
		RegistrationEnabled bool `json:"registrationEnabled"`
		// Session reports that the request has a session's cookie, which may have ended: whoever has none need not ask who they are.
		Session bool `json:"session"`
	}{!i.SetUp, !i.SetUp, i.RegistrationEnabled, c.sessionCookie() != ""})
}

// register creates an account. The first one is the admin's, needs the set-up token, and ends the set-up.
func (a *App) register(c *call) error {
	if err := c.refuseCrossSite(); err != nil {
		return err
	}
	var in struct {
		Email      string      `json:"email" jsonx:"required"`
		Password   auth.Secret `json:"password" jsonx:"required"`
		Name       *string     `json:"name"`
		SetupToken *string     `json:"setupToken"`
	}
	if err := c.decode(&in); err != nil {
		return err
	}
	u := store.User{ID: store.NewID(c.now()), CreatedAt: c.now(), UpdatedAt: c.now(), Enabled: true}
	var issues fault.Issues
	var err error
	if u.Email, err = auth.NormalizeEmail(in.Email); err != nil {
		issues.Add("email", "%s", err)
	}
	if err := auth.CheckPassword(in.Password.Reveal(), u.Email); err != nil {
		issues.Add("password", "%s", err)
	}
	if in.Name != nil {
		u.Name = checkName(&issues, "name", *in.Name)
	}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.Email, "@")
	}
	if err := issues.Err(); err != nil {
		return err
	}
	i, err := store.InstanceStatus(c.r.Context(), a.DB)
	if err != nil {
		return err
	}
	// Refusals come before the password is hashed, which is slow on purpose.
	switch {
	case !i.SetUp:
		err = a.checkSetup(c, in.SetupToken)
	case !i.RegistrationEnabled:
		err = errClosed()
	default:
		err = a.try(c, quota.Bucket("register-address", network(c.client)), newAccounts)
	}
	if err != nil {
		return err
	}
	return a.createUser(c, u, in.Password, i.SetUp)
}

func errClosed() error {
	return fault.New(fault.Forbidden, "registration is closed; the admin can open it")
}

func (a *App) createUser(c *call, u store.User, password auth.Secret, setUp bool) error {
	var err error
	ctx := c.r.Context()
	if u.PasswordHash, err = a.hasher.Hash(ctx, password.Reveal()); err != nil {
		return err
	}
	if setUp {
		u.Role, err = store.RoleUser, store.CreateUser(ctx, a.DB, u)
	} else {
		u.Role, err = store.RoleAdmin, store.CreateFirstUser(ctx, a.DB, u)
	}
	switch {
	case errors.Is(err, store.ErrSetUp), errors.Is(err, store.ErrRegistrationClosed):
		return errClosed() // another registration was first, or the admin closed registration
	case errors.Is(err, store.ErrEmailTaken):
		return fault.New(fault.Conflict, "email: there is an account with this address")
	case err != nil:
		return err
	}
	if !setUp && a.OnFirstAccount != nil {
		a.OnFirstAccount()
	}
	a.know(c, u.Email)
	return a.openSession(c, u, http.StatusCreated)
}

// checkSetup refuses the first registration without the set-up token. Nothing else proves who may be the admin: behind
// a proxy on the same machine, addresses and headers make every visitor look local.
func (a *App) checkSetup(c *call, given *string) error {
	configured := a.Config.Secrets.Setup
	if configured == "" && a.Config.Platform == config.PlatformFunctions {
		return fault.New(fault.Forbidden, "the first account needs a set-up token, and none is configured: "+
			"set the environment variable SETUP_TOKEN, deploy again, and register with it")
	}
	token := ""
	if given != nil {
		token = strings.TrimSpace(*given)
	}
	if token == "" {
		where := "open the link that the gateway prints at its start, or read the file setup-token in DATA_DIR"
		if configured != "" {
			where = "send the value of the environment variable SETUP_TOKEN"
		}
		return fault.New(fault.Forbidden, "setupToken: the first account needs the set-up token: %s", where)
	}
	net := quota.Bucket("setup-address", network(c.client))
	if err := a.try(c, net, perAccount); err != nil {
		return err
	}
	if err := a.try(c, quota.Bucket("setup"), setUpGlobal); err != nil {
		return err
	}
	valid := auth.EqualSecret(token, configured)
	if configured == "" {
		valid = a.Secrets.CheckSetupToken(token)
	}
	if !valid {
		return fault.New(fault.Forbidden, "setupToken: this is not the set-up token")
	}
	if err := a.Throttle.Clear(c.r.Context(), c.now(), net); err != nil {
		return err
	}
	return a.Throttle.TakeBack(c.r.Context(), c.now(), quota.Bucket("setup"))
}
