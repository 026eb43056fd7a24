package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// aliasBody is the body by which an alias is made or changed.
type aliasBody struct {
	Name     jsonx.Optional[string]        `json:"name"`
	Targets  jsonx.Optional[[]aliasTarget] `json:"targets"`
	Strategy jsonx.Optional[string]        `json:"strategy"`
	Shared   jsonx.Optional[bool]          `json:"shared"`
}

type aliasTarget struct {
	Model      string                          `json:"model" jsonx:"required"`
	Provider   jsonx.Optional[string]          `json:"provider"`
	KeyIDs     jsonx.Optional[[]string]        `json:"keyIds"`
	Weight     jsonx.Optional[int64]           `json:"weight"`
	Parameters jsonx.Optional[aliasParameters] `json:"parameters"`
}

type aliasParameters struct {
	Temperature     jsonx.Optional[float64] `json:"temperature"`
	TopP            jsonx.Optional[float64] `json:"topP"`
	MaxTokens       jsonx.Optional[int64]   `json:"maxTokens"`
	ReasoningEffort jsonx.Optional[string]  `json:"reasoningEffort"`
}

// Bounds of an alias.
const (
	maxWeight     = 1000
	maxAliasKeys  = 100
	maxAliasLimit = 1 << 30 // tokens
)

// efforts are the levels of reasoning effort.
var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// require notes what a new alias lacks.
func (b *aliasBody) require(issues *fault.Issues) {
	if !b.Name.Set {
		issues.Add("name", "required")
	}
	if !b.Targets.Set {
		issues.Add("targets", "required")
	}
}

// applyAlias changes the alias as the body says. Errors: Validation, and the database's.
func (a *App) applyAlias(c *call, issues *fault.Issues, b *aliasBody, alias *store.Alias) error {
	if b.Name.Set {
		alias.Name = checkModel(issues, "name", b.Name)
		if alias.Name == "" {
			issues.Add("name", "must not be empty")
		}
	}
	if b.Shared.Set {
		if alias.User = c.who.user.ID; b.Shared.Value {
			alias.User = store.ID{}
		}
	}
	if b.Strategy.Set {
		alias.Strategy = ""
		if !b.Strategy.Null {
			alias.Strategy = b.Strategy.Value
			checkStrategy(issues, "strategy", alias.Strategy)
		}
	}
	if b.Targets.Set {
		if n := len(b.Targets.Value); n == 0 || n > gateway.MaxTargets {
			issues.Add("targets", "must hold 1 to %d targets", gateway.MaxTargets)
		} else {
			slugs, err := a.slugs(c.r.Context(), c.who.user.ID, c.now())
			if err != nil {
				return err
			}
			alias.Targets = make([]store.AliasTarget, n)
			for i := range b.Targets.Value {
				alias.Targets[i] = a.aliasTarget(issues, fmt.Sprintf("targets[%d]", i), &b.Targets.Value[i], slugs)
			}
		}
	}
	if err := a.checkAliasKeys(c, issues, alias); err != nil {
		return err
	}
	return issues.Err()
}

func (a *App) aliasTarget(issues *fault.Issues, path string, b *aliasTarget, slugs []string) store.AliasTarget {
	t := store.AliasTarget{Model: checkModel(issues, path+".model", jsonx.Optional[string]{Set: true, Value: b.Model})}
	if t.Model == "" {
		issues.Add(path+".model", "must not be empty")
	}
	if b.Provider.Set && !b.Provider.Null {
		if t.Provider = b.Provider.Value; a.Providers.ByID(t.Provider) == nil && !slices.Contains(slugs, t.Provider) {
			issues.Add(path+".provider", "%s", a.unknownProvider())
		}
	}
	if b.Weight.Set && !b.Weight.Null {
		if t.Weight = b.Weight.Value; t.Weight < 1 || t.Weight > maxWeight {
			issues.Add(path+".weight", "must be a whole number from 1 to %d", maxWeight)
		}
	}
	if len(b.KeyIDs.Value) > maxAliasKeys {
		issues.Add(path+".keyIds", "must hold at most %d ids", maxAliasKeys)
		return t
	}
	for i, text := range b.KeyIDs.Value {
		id, err := store.ParseID(text)
		if err != nil || id.IsZero() {
			issues.Add(fmt.Sprintf("%s.keyIds[%d]", path, i), "must be the id of one of your keys")
			continue
		}
		t.KeyIDs = append(t.KeyIDs, id)
	}
	if b.Parameters.Set && !b.Parameters.Null {
		t.Parameters = b.Parameters.Value.check(issues, path+".parameters")
	}
	return t
}

// check returns the parameters; nil if none is set.
func (b *aliasParameters) check(issues *fault.Issues, path string) *store.AliasParameters {
	var p store.AliasParameters
	if b.Temperature.Set && !b.Temperature.Null {
		if p.Temperature = &b.Temperature.Value; !(*p.Temperature >= 0 && *p.Temperature <= 2) {
			issues.Add(path+".temperature", "must be a number from 0 to 2")
		}
	}
	if b.TopP.Set && !b.TopP.Null {
		if p.TopP = &b.TopP.Value; !(*p.TopP >= 0 && *p.TopP <= 1) {
			issues.Add(path+".topP", "must be a number from 0 to 1")
		}
	}
	if b.MaxTokens.Set && !b.MaxTokens.Null {
		if p.MaxTokens = &b.MaxTokens.Value; *p.MaxTokens < 1 || *p.MaxTokens > maxAliasLimit {
			issues.Add(path+".maxTokens", "must be a whole number from 1 to %d", maxAliasLimit)
		}
	}
	if b.ReasoningEffort.Set && !b.ReasoningEffort.Null {
		if p.ReasoningEffort = b.ReasoningEffort.Value; !slices.Contains(efforts, p.ReasoningEffort) {
			issues.Add(path+".reasoningEffort", "must be one of %s", strings.Join(efforts, ", "))
		}
	}
	if p == (store.AliasParameters{}) {
		return nil
	}
	return &p
}

// checkAliasKeys checks that the keys that the targets name are the user's.
func (a *App) checkAliasKeys(c *call, issues *fault.Issues, alias *store.Alias) error {
	named := slices.ContainsFunc(alias.Targets, func(t store.AliasTarget) bool { return len(t.KeyIDs) > 0 })
	if !named {
		return nil
	}
	if alias.User.IsZero() {
		issues.Add("shared", "cannot be true together with keyIds: keys belong to one user")
		return nil
	}
	keys, err := store.Keys(c.r.Context(), a.DB, alias.User, store.KeyFilter{}, 0)
	if err != nil {
		return err
	}
	for i, t := range alias.Targets {
		for j, id := range t.KeyIDs {
			if !slices.ContainsFunc(keys, func(k store.KeyUse) bool { return k.ID == id }) {
				issues.Add(fmt.Sprintf("targets[%d].keyIds[%d]", i, j), "must be the id of one of your keys")
			}
		}
	}
	return nil
}
