package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// target is a model that may serve a request, and what narrows the keys for it.
type target struct {
	store.AliasTarget
	alias string // that it belongs to; empty: the request names the model itself
}

// maxTargets bounds the targets of a request.
const maxTargets = 32

// MaxTargets bounds the targets of an alias.
const MaxTargets = 16

// candidateID identifies a candidate among those of a request.
type candidateID struct {
	key   store.ID
	model string
}

func (k candidate) identity() candidateID { return candidateID{k.id, k.model} }

// alias returns the alias of the name; nil if there is none. The user's own comes before one that is shared.
func (t *table) alias(name string) *store.Alias {
	var found *store.Alias
	for i := range t.aliases {
		if a := &t.aliases[i]; a.Name == name && (found == nil || found.User.IsZero()) {
			found = a
		}
	}
	return found
}

// targetsOf returns what the name stands for: the targets of an alias, or itself.
func (t *table) targetsOf(name string) []target {
	a := t.alias(name)
	if a == nil {
		return []target{{AliasTarget: store.AliasTarget{Model: name}}}
	}
	all := make([]target, len(a.Targets))
	for i := range a.Targets {
		all[i] = target{a.Targets[i], a.Name}
	}
	return all
}

// resolve returns the targets of the request, in the order of trying.
func (c *Call) resolve() []target {
	all := c.entry.table.targetsOf(c.req.Chat.Model)
	if len(c.chain) == 0 {
		return all
	}
	seen := []string{c.req.Chat.Model}
	if c.req.Chat.Model == "" {
		all = nil
	}
	for _, name := range c.chain {
		if !slices.Contains(seen, name) {
			seen = append(seen, name)
			all = append(all, c.entry.table.targetsOf(name)...)
		}
	}
	return all[:min(len(all), maxTargets)]
}

// choose finds the candidates of all targets, in the order of trying.
func (c *Call) choose() {
	c.takeChain()
	c.targets = c.resolve()
	c.candidates, c.skipped, c.ranks, c.names = nil, nil, nil, 0
	for from := 0; from < len(c.targets); {
		to := from + 1
		for to < len(c.targets) && c.targets[from].alias != "" && c.targets[to].alias == c.targets[from].alias {
			to++
		}
		c.chooseOf(c.targets[from:to])
		from = to
	}
}

// chooseOf adds the candidates of the targets that one name stands for.
func (c *Call) chooseOf(targets []target) {
	var all []candidate
	several, strategy := len(c.targets) > 1, c.strategyOf(&targets[0])
	for i := range targets {
		t := &targets[i]
		fit, skipped := c.entry.candidates(t, c.req.Route, c.req.service())
		for _, k := range fit {
			k.strategy = strategy
			same := func(o candidate) bool { return o.identity() == k.identity() }
			var reason string
			switch {
			case !several:
			case slices.ContainsFunc(c.candidates, same), slices.ContainsFunc(all, same):
				reason = "it is a candidate for the same model already"
			default:
				reason = c.cannotServe(k)
			}
			if reason == "" {
				all = append(all, k)
			} else {
				skipped = append(skipped, skippedKey{key: k.key, reason: reason})
			}
		}
		for _, s := range skipped {
			if several {
				s.model = t.Model
			}
			c.skipped = append(c.skipped, s)
		}
	}
	c.rank(all, strategy)
	c.candidates = append(c.candidates, all...)
}

// takeChain takes over the models that the request names beside its model, unless they are for its provider.
func (c *Call) takeChain() {
	if len(c.req.Route.Models) == 0 || c.chain != nil || c.ownFallbacks() {
		return
	}
	c.chain = c.req.Route.Models
	request := *c.req.Chat
	request.Foreign = slices.DeleteFunc(slices.Clone(request.Foreign), func(f chat.Foreign) bool { return f.Name == modelsField })
	c.req.Chat = &request
	if root, err := jsonx.Parse(c.req.Body, jsonx.Lenient); err == nil {
		edit := jsonx.NewEdit(root)
		edit.Drop(modelsField)
		c.req.Body = edit.Append(nil)
	}
}

// modelsField is the request's field that names other models.
const modelsField = "models"

// ownFallbacks reports whether the request is for one provider that takes a list of models itself, in the caller's dialect.
func (c *Call) ownFallbacks() bool {
	for _, p := range c.g.Providers.All() {
		if !p.OwnFallbacks || !c.pinnedTo(p) {
			continue
		}
		if ok, _ := p.Callable(); ok && p.Protocol(c.req.Chat.Model, c.req.Chat, c.req.Dialect).Dialect() == c.req.Dialect {
			return true
		}
	}
	return false
}

// pinnedTo reports whether the request names the provider as the only one.
func (c *Call) pinnedTo(p *provider.Provider) bool {
	r := &c.req.Route
	return r.Provider == p.ID || len(r.Providers) == 1 && r.Providers[0] == p.ID || strings.HasPrefix(c.req.Chat.Model, p.ID+"/")
}

// cannotServe returns why the candidate's model cannot do what the request needs, as far as the catalogue tells; "" if it
// can, or if nothing is known of the model.
func (c *Call) cannotServe(k candidate) string {
	m, ok := catalog.Related(k.providerID, k.model)
	if !ok {
		return ""
	}
	if m.Ended(c.g.Now().UTC().Format(time.DateOnly)) {
		return "its provider has retired the model"
	}
	if c.req.Embedding != nil {
		return ""
	}
	if missing := c.needs() &^ m.Caps; missing != 0 {
		return "the model does not have " + strings.Join(missing.Names(), ", ")
	}
	if input := c.inputEstimate(); m.Context > 0 && input > m.Context {
		return fmt.Sprintf("the model's context of %d tokens is too short for an estimated %d", m.Context, input)
	}
	return ""
}

// needs returns the capabilities that the request needs.
func (c *Call) needs() (need catalog.Caps) {
	req := c.req.Chat
	if len(req.Tools) > 0 && (req.ToolChoice == nil || req.ToolChoice.Mode != chat.ToolNone) {
		need |= catalog.Tools
	}
	if f := req.ResponseFormat; f != nil && f.Kind == chat.FormatSchema {
		need |= catalog.JSONSchema
	}
	for i := range req.Messages {
		need |= needsOf(req.Messages[i].Parts)
	}
	return need
}

func needsOf(parts []chat.Part) (need catalog.Caps) {
	for i := range parts {
		p := &parts[i]
		switch p.Kind {
		case chat.Image:
			need |= catalog.ImageIn
		case chat.Audio:
			need |= catalog.AudioIn
		case chat.File:
			if p.Media != nil && !strings.HasPrefix(p.Media.MIMEType, "text/") {
				need |= catalog.FileIn
			}
		case chat.Result:
			if p.ToolResult != nil {
				need |= needsOf(p.ToolResult.Parts)
			}
		}
	}
	return need
}

// narrows returns why the target leaves the key out; "" if it does not.
func (t *target) narrows(k *key) string {
	switch {
	case t.Provider != "" && t.Provider != k.providerID:
		return "the alias names another provider"
	case len(t.KeyIDs) > 0 && !slices.Contains(t.KeyIDs, k.id):
		return "it is not among the keys of the alias"
	}
	return ""
}

// exclude takes candidates out of the request because of an error that does not concern the others. It reports whether there
// are others.
func (c *Call) exclude(keys []candidate, err error) bool {
	others := slices.DeleteFunc(slices.Clone(c.candidates), func(k candidate) bool {
		return slices.ContainsFunc(keys, func(o candidate) bool { return o.identity() == k.identity() })
	})
	if len(c.targets) < 2 || len(others) == 0 {
		return false
	}
	for _, k := range keys {
		c.skipped = append(c.skipped, skippedKey{key: k.key, model: k.model, reason: clip(err.Error(), maxMessage)})
	}
	c.candidates = others
	return true
}

// withParameters returns the request with what the candidate's target sets.
func (k candidate) withParameters(req *chat.Request) *chat.Request {
	p := k.parameters()
	if p == nil {
		return req
	}
	set := *req
	if p.Temperature != nil {
		set.Temperature = p.Temperature
	}
	if p.TopP != nil {
		set.TopP = p.TopP
	}
	if p.MaxTokens != nil {
		set.MaxTokens = p.MaxTokens
	}
	if p.ReasoningEffort != "" {
		reasoning := chat.Reasoning{}
		if req.Reasoning != nil {
			reasoning = *req.Reasoning
		}
		reasoning.Effort, reasoning.Budget = p.ReasoningEffort, nil
		set.Reasoning = &reasoning
	}
	return &set
}

func (k candidate) parameters() *store.AliasParameters {
	if k.of == nil {
		return nil
	}
	return k.of.Parameters
}

// maxTokens returns the maximum of output tokens that the candidate is asked for; nil: none.
func (c *Call) maxTokens(k candidate) *int64 {
	if p := k.parameters(); p != nil && p.MaxTokens != nil {
		return p.MaxTokens
	}
	return c.req.Chat.MaxTokens
}

// Alias returns the alias by which the answering model was chosen; "" if there is none.
func (c *Call) Alias() string {
	if t := c.current.key.of; t != nil {
		return t.alias
	}
	return ""
}

// Attempts returns how many times providers were called.
func (c *Call) Attempts() int { return c.attempts - c.inexpressible }

// askedFor returns the model that was asked for if an alias, a chain or a limit made another serve; else "".
func (c *Call) askedFor(served candidate) string {
	t := served.of
	if c.steered == nil && (t == nil || t.alias == "" && len(c.chain) == 0) || c.asked == served.model {
		return ""
	}
	if c.steered == nil && t.alias == "" && t.Model == c.asked {
		return "" // what was asked for serves, under the name that its provider has for it
	}
	return clip(c.asked, maxModel)
}

// before returns why no target before that of the candidate serves: which keys were skipped, or not tried.
func (c *Call) before(k candidate) (all []skippedKey) {
	at := slices.IndexFunc(c.targets, func(t target) bool { return k.of != nil && t.alias == k.of.alias && t.Model == k.of.Model })
	if at < 1 {
		return nil
	}
	earlier := c.targets[:at]
	for _, s := range c.skipped {
		if slices.ContainsFunc(earlier, func(t target) bool { return t.Model == s.model }) {
			all = append(all, s)
		}
	}
	now := c.nowMs()
	for _, o := range c.candidates {
		if o.rank < k.rank && c.failedAttempt(o) == nil && slices.ContainsFunc(earlier, func(t target) bool { return t.Model == o.of.Model }) {
			all = append(all, c.notServed(o, now))
		}
	}
	return all
}

// notServed returns why the candidate, which was not tried, did not serve, as far as is known.
func (c *Call) notServed(k candidate, now int64) skippedKey {
	s := skippedKey{key: k.key, model: k.model}
	if len(c.quotaStatus.Keys) > 0 {
		s.reason = c.blockedBy(k, now).reason
	}
	if r := c.g.hints.readiness(c.entry.table, k, now); s.reason == "" && !r.now(now) {
		s.reason = "not ready until " + time.UnixMilli(r.until).UTC().Format(time.RFC3339)
	}
	if s.reason == "" {
		s.reason = "it failed a moment ago, or others reserved first"
	}
	return s
}

// requestOf returns the request as the candidate's provider gets it.
func (c *Call) requestOf(k candidate) Request {
	request := c.req
	request.Chat, request.changedMessages = c.requestFor(k)
	if p := k.parameters(); p != nil && p.ReasoningEffort != "" {
		request.Dialect = "" // each dialect has fields of its own for it, which its bytes must not keep
	}
	return request
}
