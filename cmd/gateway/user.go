package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// userCommand is a subcommand of "gateway user".
type userCommand struct {
	name, args, summary string
	// parse parses the arguments before the database is opened.
	parse func(flags *flag.FlagSet, args []string) (action, error)
}

// action is what a subcommand does with the accounts.
type action func(a *accounts) error

func userCommands() []userCommand {
	return []userCommand{
		{"list", "", "list all accounts", parseList},
		{"create", "[--admin] [--name NAME] [--password-stdin] EMAIL",
			"create an account, whether registration is open or not", parseCreate},
		{"password", "[--password-stdin] EMAIL", "set a new password, and end the account's sessions", parsePassword},
		{"enable", "EMAIL", "enable a disabled account", change(store.UserChange{Enabled: store.To(true)}, "is enabled")},
		{"disable", "EMAIL", "disable the account with its sessions and tokens",
			change(store.UserChange{Enabled: store.To(false)}, "is disabled")},
		{"promote", "EMAIL", "make the account an admin",
			change(store.UserChange{Role: store.To(store.RoleAdmin)}, "is an admin now")},
		{"demote", "EMAIL", "make the account an ordinary user",
			change(store.UserChange{Role: store.To(store.RoleUser)}, "is an ordinary user now")},
	}
}

const passwordNote = "--password-stdin reads the password from the first line of standard input; " +
	"without it one is generated and printed.\n"

// user manages accounts from the shell, also when no admin can log in to the dashboard.
func user(ctx context.Context, t *terminal, args []string) error {
	if len(args) == 0 || isHelp(args[0]) {
		t.printf("usage: gateway user COMMAND\n\nmanage accounts from the shell.\n\n")
		for _, c := range userCommands() {
			t.printf("  %s\n      %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
		}
		t.printf("\n" + passwordNote)
		return nil
	}
	for _, c := range userCommands() {
		if c.name == args[0] {
			return c.run(ctx, t, args[1:])
		}
	}
	return wrongUsage("there is no command %q", args[0])
}

func (c *userCommand) run(ctx context.Context, t *terminal, args []string) error {
	full := &command{name: "user " + c.name, args: c.args}
	run, err := c.parse(noFlags(full.name), args)
	var usage *usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		t.printf("%s\n%s.\n", full.usage(), c.summary)
		if strings.Contains(c.args, "--password-stdin") {
			t.printf(passwordNote)
		}
		return nil
	case errors.As(err, &usage):
		usage.of = full
		return usage
	case err != nil:
		return err
	}
	return with(ctx, t, func(ctx context.Context, in *installation) error { return run(&accounts{in, ctx, t}) })
}

// parseEmail parses arguments that end with an e-mail address.
func parseEmail(flags *flag.FlagSet, args []string) (string, error) {
	operands, err := parse(flags, args, "EMAIL")
	if err != nil {
		return "", err
	}
	email, err := auth.NormalizeEmail(operands[0])
	if err != nil {
		return "", wrongUsage("EMAIL %s", err)
	}
	return email, nil
}

// accounts is what an action works with.
type accounts struct {
	*installation
	ctx context.Context
	t   *terminal
}

func parseList(flags *flag.FlagSet, args []string) (action, error) {
	_, err := parse(flags, args)
	return (*accounts).list, err
}

func (a *accounts) list() error {
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

func parseCreate(flags *flag.FlagSet, args []string) (action, error) {
	admin := flags.Bool("admin", false, "")
	name := flags.String("name", "", "")
	fromStdin := flags.Bool("password-stdin", false, "")
	email, err := parseEmail(flags, args)
	return func(a *accounts) error {
		role := store.RoleUser
		if *admin {
			role = store.RoleAdmin
		}
		return a.create(email, *name, role, *fromStdin)
	}, err
}

func (a *accounts) create(email, name string, role store.Role, fromStdin bool) error {
	password, hash, err := a.newPassword(email, fromStdin)
	if err != nil {
		return err
	}
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	now := time.Now().UnixMilli()
	u := store.User{
		ID: store.NewID(now), Email: email, Name: name, Role: role, PasswordHash: hash, Enabled: true, CreatedAt: now,
	}
	if err := store.AddUser(a.ctx, a.db, u); err != nil {
		return err
	}
	a.t.printf("%s can log in now (%s)\n%s", email, u.Role, password)
	return removeSetupToken(a.cfg)
}

func parsePassword(flags *flag.FlagSet, args []string) (action, error) {
	fromStdin := flags.Bool("password-stdin", false, "")
	email, err := parseEmail(flags, args)
	return func(a *accounts) error { return a.password(email, *fromStdin) }, err
}

func (a *accounts) password(email string, fromStdin bool) error {
	u, err := a.find(email)
	if err != nil {
		return err
	}
	password, hash, err := a.newPassword(email, fromStdin)
	if err != nil {
		return err
	}
	if err := store.SetPassword(a.ctx, a.db, u.ID, hash, store.ID{}, false, time.Now().UnixMilli()); err != nil {
		return err
	}
	a.t.printf("%s has a new password; all its sessions have ended\n%s", u.Email, password)
	return nil
}

// change parses a subcommand that changes an account. done completes the sentence that it prints.
func change(c store.UserChange, done string) func(*flag.FlagSet, []string) (action, error) {
	return func(flags *flag.FlagSet, args []string) (action, error) {
		email, err := parseEmail(flags, args)
		return func(a *accounts) error {
			u, err := a.find(email)
			if err != nil {
				return err
			}
			if _, err := store.UpdateUser(a.ctx, a.db, u.ID, c, time.Now().UnixMilli()); err != nil {
				return err
			}
			a.t.printf("%s %s\n", u.Email, done)
			return nil
		}, err
	}
}

func (a *accounts) find(email string) (store.User, error) {
	u, _, err := store.UserByEmail(a.ctx, a.db, email)
	if errors.Is(err, store.ErrNotFound) {
		return u, fmt.Errorf("there is no account with the address %s; \"gateway user list\" lists them", email)
	}
	return u, err
}

// newPassword reads or generates a password for the account with the e-mail address. shown is a line to print: the
// generated password.
func (a *accounts) newPassword(email string, fromStdin bool) (shown, hash string, err error) {
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
	if err := auth.CheckPassword(password, email); err != nil {
		return "", "", fmt.Errorf("the password %w", err)
	}
	hash, err = auth.NewHasher(1).Hash(a.ctx, password)
	return shown, hash, err
}
