package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// userCommand is what follows "gateway user".
type userCommand struct {
	name, args, summary string
	run                 func(u *accounts, args []string) error
}

func userCommands() []userCommand {
	return []userCommand{
		{"list", "", "list all accounts", (*accounts).list},
		{"create", "[--admin] [--name NAME] [--password-stdin] EMAIL", "make an account, whether registration is open or not", (*accounts).create},
		{"password", "[--password-stdin] EMAIL", "set a new password, and end the account's sessions", (*accounts).password},
		{"enable", "EMAIL", "let the account in again", (*accounts).enable},
		{"disable", "EMAIL", "lock the account out: its sessions, its tokens", (*accounts).disable},
		{"promote", "EMAIL", "make the account an admin's", (*accounts).promote},
		{"demote", "EMAIL", "make it an ordinary one", (*accounts).demote},
	}
}

// user is for whoever cannot do these things in the dashboard, because nobody can log in.
func user(ctx context.Context, t *terminal, args []string) error {
	if len(args) == 0 || isHelp(args[0]) {
		t.printf("usage: gateway user COMMAND\n\n")
		for _, c := range userCommands() {
			t.printf("  %s\n      %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
		}
		t.printf("\nWithout --password-stdin, which reads it from the first line of standard input, a password is made and printed.\n")
		return nil
	}
	for _, c := range userCommands() {
		if c.name != args[0] {
			continue
		}
		return with(ctx, t, func(ctx context.Context, in *installation) error {
			return c.run(&accounts{in, ctx, t}, args[1:])
		})
	}
	return wrongUsage("there is no %q", args[0])
}

// accounts is an installation whose accounts somebody looks after.
type accounts struct {
	*installation
	ctx context.Context
	t   *terminal
}

func (a *accounts) list(args []string) error {
	if _, err := parse(noFlags("list"), args); err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.t.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tROLE\tENABLED\tSINCE\tNAME")
	page := store.Page{Limit: 100}
	for {
		users, err := store.Users(a.ctx, a.db, page)
		if err != nil {
			return err
		}
		for _, u := range users {
			since := time.UnixMilli(u.CreatedAt).UTC().Format(time.DateOnly)
			fmt.Fprintf(table, "%s\t%s\t%v\t%s\t%s\n", u.Email, u.Role, u.Enabled, since, u.Name)
			page.After = u.ID
		}
		if len(users) < page.Limit {
			return table.Flush()
		}
	}
}

func (a *accounts) create(args []string) error {
	flags := noFlags("create")
	admin := flags.Bool("admin", false, "")
	name := flags.String("name", "", "")
	fromStdin := flags.Bool("password-stdin", false, "")
	rest, err := parse(flags, args, "EMAIL")
	if err != nil {
		return err
	}
	email, err := emailOf(rest[0])
	if err != nil {
		return err
	}
	password, hash, err := a.newPassword(*fromStdin)
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	u := store.User{ID: store.NewID(now), Email: email, Name: *name, Role: store.RoleUser, PasswordHash: hash, Enabled: true, CreatedAt: now}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(email, "@")
	}
	if *admin {
		u.Role = store.RoleAdmin
	}
	if err := store.AddUser(a.ctx, a.db, u); err != nil {
		return err
	}
	a.t.printf("%s can log in now (%s)\n%s", email, u.Role, password)
	return nil
}

func (a *accounts) password(args []string) error {
	flags := noFlags("password")
	fromStdin := flags.Bool("password-stdin", false, "")
	rest, err := parse(flags, args, "EMAIL")
	if err != nil {
		return err
	}
	u, err := a.find(rest[0])
	if err != nil {
		return err
	}
	password, hash, err := a.newPassword(*fromStdin)
	if err != nil {
		return err
	}
	if err := store.SetPassword(a.ctx, a.db, u.ID, hash, store.ID{}, time.Now().UnixMilli()); err != nil {
		return err
	}
	a.t.printf("%s has a new password; all its sessions have ended\n%s", u.Email, password)
	return nil
}

func (a *accounts) enable(args []string) error {
	return a.change(args, store.UserChange{Enabled: store.To(true)}, "is enabled")
}

func (a *accounts) disable(args []string) error {
	return a.change(args, store.UserChange{Enabled: store.To(false)}, "is disabled")
}

func (a *accounts) promote(args []string) error {
	return a.change(args, store.UserChange{Role: store.To(store.RoleAdmin)}, "is an admin's account")
}

func (a *accounts) demote(args []string) error {
	return a.change(args, store.UserChange{Role: store.To(store.RoleUser)}, "is an ordinary account")
}

func (a *accounts) change(args []string, c store.UserChange, done string) error {
	rest, err := parse(noFlags("change"), args, "EMAIL")
	if err != nil {
		return err
	}
	u, err := a.find(rest[0])
	if err != nil {
		return err
	}
	if _, err := store.UpdateUser(a.ctx, a.db, u.ID, c, time.Now().UnixMilli()); err != nil {
		return err
	}
	a.t.printf("%s %s\n", u.Email, done)
	return nil
}

func emailOf(arg string) (string, error) {
	email, err := auth.NormalizeEmail(arg)
	if err != nil {
		return "", wrongUsage("EMAIL %s", err)
	}
	return email, nil
}

func (a *accounts) find(arg string) (store.User, error) {
	email, err := emailOf(arg)
	if err != nil {
		return store.User{}, err
	}
	u, _, err := store.UserByEmail(a.ctx, a.db, email)
	if errors.Is(err, store.ErrNotFound) {
		return u, fmt.Errorf("there is no account with the address %s; \"gateway user list\" shows those that there are", email)
	}
	return u, err
}

// newPassword reads a password or makes one. shown is what to print about it.
func (a *accounts) newPassword(fromStdin bool) (shown, hash string, err error) {
	password := rand.Text()
	if fromStdin {
		line, err := bufio.NewReader(a.t.in).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", "", err
		}
		password = strings.TrimRight(line, "\r\n")
	} else {
		shown = "its password, shown only here: " + password + "\n"
	}
	if err := auth.CheckPassword(password); err != nil {
		return "", "", fmt.Errorf("the password %w", err)
	}
	hash, err = auth.NewHasher(1).Hash(a.ctx, password)
	return shown, hash, err
}
