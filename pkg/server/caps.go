package server

import (
	"context"
	"errors"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// createWithin creates one more of what the user owns. What names it, and setting the limit. Errors: Conflict (the user
// has as many as allowed), and those of create.
func (a *App) createWithin(ctx context.Context, user store.ID, kind store.Owned, limit int, what, setting string,
	create func(store.Runner) error) error {
	err := store.Within(ctx, a.DB, user, kind, limit, create)
	if errors.Is(err, store.ErrTooMany) {
		return fault.New(fault.Conflict, "you have %d %s, as many as a user may have (%s): delete some that you do not need",
			limit, what, setting)
	}
	return err
}

// checkPatternCap refuses more patterns than a key of the user may have. The admin, who sets that number, may have as
// many as a key can hold.
func (a *App) checkPatternCap(user store.User, patterns []string) error {
	most := a.Config.Caps.Patterns
	if user.Role == store.RoleAdmin || len(patterns) <= most {
		return nil
	}
	return fault.New(fault.Conflict, "allowedModels has %d entries, and a key may have %d (KEY_PATTERN_LIMIT): "+
		"use patterns such as gpt-*", len(patterns), most)
}
