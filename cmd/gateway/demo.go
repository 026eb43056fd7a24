package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/alicetears/llm-gateway/internal/emulator"
	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/config"
)

// demo starts a gateway in a temporary folder with emulated providers, and sends a first chat over HTTP. It serves until
// ctx ends, with --once only until the answer.
func demo(ctx context.Context, t *terminal, args []string) error {
	flags := noFlags("demo")
	once := flags.Bool("once", false, "")
	if _, err := parse(flags, args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "llm-gateway-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	origin, stop, err := emulator.Start(emulator.New())
	if err != nil {
		return err
	}
	defer stop()
	in, s, err := openDemo(t, folder, origin)
	if err != nil {
		return err
	}
	defer in.close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.run(ctx) }()
	c := &client{base: s.url}
	if err := c.tour(ctx, t, in.app.Secrets.SetupToken()); err != nil {
		return err
	}
	if *once {
		cancel()
	} else {
		t.printf("\nIt serves until you press Ctrl-C, and is then deleted.\n")
	}
	return <-stopped
}

// openDemo listens on PORT or, if that is not set and the default port is taken, on a free one.
func openDemo(t *terminal, folder, origin string) (*installation, *service, error) {
	settings := map[string]string{"DATA_DIR": folder, "LOG_LEVEL": "warn"}
	for _, id := range emulator.Providers() {
		settings[strings.ToUpper(id)+"_BASE_URL"] = emulator.BaseURL(origin, id)
	}
	port, chosen := t.env("PORT")
	settings["PORT"] = port
	env := func(name string) (string, bool) { v, ok := settings[name]; return v, ok }
	cfg, err := config.Load(env, config.PlatformBinary)
	if err != nil {
		return nil, nil, err
	}
	in, err := install(cfg)
	if err != nil {
		return nil, nil, err
	}
	s, err := in.listen()
	if err != nil && !chosen {
		cfg.Port = 0
		s, err = in.listen()
	}
	if err != nil {
		in.close()
		return nil, nil, err
	}
	return in, s, nil
}

// client uses a gateway over HTTP.
type client struct {
	base   string
	bearer string
}

const (
	demoEmail   = "admin@example.com"
	demoModel   = "gpt-5.4-mini"
	demoMessage = "Who answers?"
)

// tour creates an account, keys and a token, sends a chat, and prints what it did.
func (c *client) tour(ctx context.Context, t *terminal, setupToken string) error {
	password := rand.Text()
	var account struct{ Token string }
	first := map[string]any{"email": demoEmail, "password": password, "name": "Demo", "setupToken": setupToken}
	if err := c.post(ctx, "/api/auth/register", first, &account, nil); err != nil {
		return err
	}
	c.bearer = account.Token
	for i, id := range emulator.Providers() {
		key := map[string]any{"provider": id, "apiKey": fmt.Sprintf("sk-emulated-%04d", i+1), "dailyLimit": 1000}
		if _, ok := catalog.Lookup(id, demoModel); ok {
			key["defaultModel"] = demoModel
		}
		if err := c.post(ctx, "/api/keys", key, nil, nil); err != nil {
			return err
		}
	}
	var token struct{ Token string }
	if err := c.post(ctx, "/api/tokens", map[string]any{"name": "demo"}, &token, nil); err != nil {
		return err
	}
	c.bearer = token.Token

	message := map[string]any{"role": "user", "content": demoMessage}
	request := map[string]any{"model": demoModel, "messages": []any{message}}
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
		Usage   struct{ PromptTokens, CompletionTokens int64 }
	}
	header := http.Header{}
	if err := c.post(ctx, "/api/chat", request, &answer, header); err != nil {
		return err
	}
	if len(answer.Choices) == 0 {
		return errors.New("the chat was answered without a choice")
	}
	t.printf("A gateway to try out. Its providers are emulated; nothing leaves this machine.\n\n")
	t.printf("  address    %s\n  account    %s   password %s\n  providers  %s\n  token      %s\n\n",
		c.base, demoEmail, password, strings.Join(emulator.Providers(), ", "), token.Token)
	t.printf("You:  %s\n%s:  %s\n\n", demoMessage, demoModel, answer.Choices[0].Message.Content)
	t.printf("Key %s of %s answered in %s ms, %d + %d tokens. Send a chat yourself:\n\n%s\n",
		header.Get("X-LLM-Key-ID"), header.Get("X-LLM-Provider"), header.Get("X-LLM-Latency-Ms"), answer.Usage.PromptTokens, answer.Usage.CompletionTokens, c.curl(request))
	return nil
}

// curl returns the request as a command for a POSIX shell.
func (c *client) curl(body any) string {
	text, _ := json.Marshal(body) // a map of strings always encodes
	return fmt.Sprintf("  curl -sS %s/api/chat -H 'Authorization: Bearer %s' "+
		"-H 'Content-Type: application/json' \\\n    -d '%s'",
		c.base, c.bearer, strings.ReplaceAll(string(text), "'", `'\''`))
}

// post sends body as JSON. It decodes the answer into out and copies its header into header, unless they are nil.
func (c *client) post(ctx context.Context, path string, body, out any, header http.Header) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		var failure struct {
			Error struct{ Code, Message string }
		}
		err := json.NewDecoder(resp.Body).Decode(&failure)
		return errors.Join(fmt.Errorf("POST %s: status %d: %s", path, resp.StatusCode, failure.Error.Message), err)
	}
	for name, values := range resp.Header {
		if header != nil {
			header[name] = values
		}
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
