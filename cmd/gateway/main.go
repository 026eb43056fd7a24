// Command gateway is LLM Gateway as one binary: the same routes as on Vercel, the dashboard, and the commands of an
// operator. "gateway help" lists the commands; without one it serves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alicetears/llm-gateway/internal/memory"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endingSignals()...)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	memory.Limit()
	memory.Floor()
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv}
	code := run(ctx, t, os.Args[1:])
	stop()
	os.Exit(code)
}

// endingSignals are those that end the process gracefully. A terminal that closes sends SIGHUP; nohup has it ignored.
func endingSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// terminal holds the streams and the environment of a command, which tests replace.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
}

func (t *terminal) printf(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }

// open opens the file that a command reads; "-" is the standard input.
func (t *terminal) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(t.in), nil
	}
	return os.Open(name)
}

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2 // the command line is wrong
)

// command is one of the binary's commands.
type command struct {
	name    string
	args    string // shown after the name in the help
	summary string
	// run returns a *usageError for a wrong command line, and any other error for a failure.
	run func(ctx context.Context, t *terminal, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "[--worker]", "serve the gateway (the default command); --worker also runs asynchronous requests", serve},
		{"worker", "", "run asynchronous requests, in addition to processes that serve", worker},
		{"demo", "[--once]", "run a temporary gateway with emulated providers, and send it a chat", demo},
		{"migrate", "", "migrate the database to the current schema", migrate},
		{"user", "list | create | password | enable | disable | promote | demote", "manage accounts from the shell", user},
		{"rekey", "", "encrypt every provider key under the current ENCRYPTION_KEY", rekey},
		{"backup", "FILE", "copy the SQLite database into a file; the gateway may serve meanwhile", backup},
		{"restore", "[--replace] FILE", "replace the SQLite database by a backup", restore},
		{"copy", "--from URL --to URL", "copy a whole database into an empty one, also between SQLite and PostgreSQL", copyAll},
		{"import-rows", "FILE", "write the usage that a log holds because the database was away; - is the standard input", importRows},
		{"explain", "[--endpoint PATH] [--url URL] FILE", "show which keys the running gateway would try for a request; - is the standard input", explain},
		{"doctor", "", "check the configuration, the database, Redis, the clock and the connection to each provider", doctor},
		{"healthcheck", "[--ready | --database]", "check the health of the gateway that runs with the same settings; for containers", healthcheck},
		{"init-secrets", "[--postgres HOST] [--redis HOST] [--services DIR] DIR", "generate the secrets of a new installation, one file each; existing files stay", initSecrets},
		{"version", "", "print the version", printVersion},
	}
}

// usageError describes an error in a command line.
type usageError struct {
	message string
	of      *command // the subcommand that it is about, if any
}

func (e *usageError) Error() string { return e.message }

func wrongUsage(format string, args ...any) error {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

func run(ctx context.Context, t *terminal, args []string) int {
	name := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	} else if len(args) > 0 && isHelp(args[0]) {
		name = "help"
	} else if len(args) > 0 && args[0] == "--version" {
		name, args = "version", nil
	}
	if name == "help" {
		help(t)
		return exitOK
	}
	for _, c := range commands() {
		if c.name == name {
			return report(t, c, c.run(ctx, t, args))
		}
	}
	fmt.Fprintf(t.err, "gateway: there is no command %q; \"gateway help\" lists them\n", name)
	return exitUsage
}

func report(t *terminal, c command, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		t.printf("%s\n%s.\n", c.usage(), c.summary)
		return exitOK
	case errors.As(err, &usage):
		if usage.of != nil {
			c = *usage.of
		}
		fmt.Fprintf(t.err, "gateway %s: %s\n%s", c.name, usage.message, c.usage())
		return exitUsage
	}
	fmt.Fprintf(t.err, "gateway %s: %s\n", c.name, err)
	return exitError
}

func (c *command) usage() string {
	return fmt.Sprintf("usage: gateway %s\n", strings.TrimSpace(c.name+" "+c.args))
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

func help(t *terminal) {
	t.printf("LLM Gateway: one endpoint for your keys of LLM providers.\n\nusage: gateway [command]\n\n")
	for _, c := range commands() {
		t.printf("  %-13s %s\n", c.name, c.summary)
	}
	t.printf("\nEnvironment variables configure it, also from a file .env; docs/configuration.md lists them.\n")
}

// parse parses a command's flags and returns its operands, which must be as many as names.
func parse(flags *flag.FlagSet, args []string, names ...string) ([]string, error) {
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, wrongUsage("%s", err)
	}
	operands := flags.Args()
	switch {
	case len(operands) < len(names):
		return nil, wrongUsage("%s is missing", names[len(operands)])
	case len(operands) > len(names):
		return nil, wrongUsage("%q is one argument too many", operands[len(names)])
	}
	return operands, nil
}

func noFlags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }
