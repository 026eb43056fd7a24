package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	explainTimeout = 30 * time.Second
	// explainToken is the variable with the gateway token, which a command line would show to others.
	explainToken = "LLM_GATEWAY_TOKEN"
	maxExplained = 64 << 20 // bytes of a request, and of an answer
)

// explain asks a running gateway which keys it would try for a request, and why not others.
func explain(ctx context.Context, t *terminal, args []string) error {
	flags := noFlags("explain")
	endpoint := flags.String("endpoint", "/v1/chat/completions", "")
	base := flags.String("url", "", "")
	operands, err := parse(flags, args, "FILE")
	if err != nil {
		return err
	}
	token, _ := t.env(explainToken)
	if token = strings.TrimSpace(token); token == "" {
		return fmt.Errorf("%s is not set: it must be a gateway token", explainToken)
	}
	in, err := t.open(operands[0])
	if err != nil {
		return err
	}
	defer in.Close()
	request, err := io.ReadAll(io.LimitReader(in, maxExplained))
	if err != nil {
		return err
	}
	if !json.Valid(request) {
		return errors.New("the request is not JSON")
	}
	if *base == "" {
		cfg, err := configure(t)
		if err != nil {
			return err
		}
		if *base, err = ownURL(cfg); err != nil {
			return err
		}
	}
	body, err := json.Marshal(map[string]any{"endpoint": *endpoint, "body": json.RawMessage(request)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	return requestExplanation(ctx, t, strings.TrimRight(*base, "/")+"/api/route/explain", token, body)
}

// explained is what the gateway answers.
type explained struct {
	Chosen *struct {
		Provider, Model string
	}
	Candidates []struct {
		Name, Provider, Model, Reason string
		Usable                        bool
		Warnings                      []string
		EstimatedCostUSD              *json.Number `json:"estimatedCostUsd"`
	}
	EstimatedTokens int64
	Refusal         *struct{ Code, Message string }
	Error           *struct{ Message string }
}

func requestExplanation(ctx context.Context, t *terminal, url, token string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var out explained
	err = json.NewDecoder(io.LimitReader(resp.Body, maxExplained)).Decode(&out)
	switch {
	case err == nil && out.Error != nil:
		return errors.New(out.Error.Message)
	case err != nil || resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answers %d: is it a gateway?", url, resp.StatusCode)
	}
	out.print(t)
	return nil
}

func (e *explained) print(t *terminal) {
	switch {
	case e.Chosen != nil:
		t.printf("%s of %s would serve; about %d tokens of input\n", e.Chosen.Model, e.Chosen.Provider, e.EstimatedTokens)
	case e.Refusal != nil:
		t.printf("the request would be refused (%s): %s\n", e.Refusal.Code, e.Refusal.Message)
	}
	for i, c := range e.Candidates {
		what := "ready"
		if !c.Usable {
			what = c.Reason
		} else if c.EstimatedCostUSD != nil {
			what += ", up to about $" + c.EstimatedCostUSD.String()
		}
		t.printf("%3d  %s (%s) %s: %s\n", i+1, c.Name, c.Provider, c.Model, what)
		for _, w := range c.Warnings {
			t.printf("     warning: %s\n", w)
		}
	}
}
