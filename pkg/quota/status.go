package quota

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Status says what a principal may use. It tells why a request got no reservation.
type Status struct {
	// Access is false if the token or session was revoked, disabled or has expired, or its user is disabled.
	Access   bool
	Revision int64 // the user's
	Keys     map[store.ID]KeyStatus
	// Cooldowns are all of the user's, also those that have ended.
	Cooldowns map[store.CooldownID]store.Cooldown
	// Limits are the windows of the limits of the user and of the gateway.
	Limits map[store.ID]store.LimitStatus
}

// KeyStatus says whether a key may be used, its cooldowns apart.
type KeyStatus struct {
	Disabled bool // by its owner or by the admin
	Limit    *int64
	Used     int64
}

// Spent reports whether the day's quota is used up.
func (k KeyStatus) Spent() bool { return k.Limit != nil && k.Used >= *k.Limit }

// CoolingDown returns the cooldowns that run at now for the target.
func (s Status) CoolingDown(t store.Target, now int64) (running []store.Cooldown) {
	for _, id := range t.Cooldowns() {
		if c, ok := s.Cooldowns[id]; ok && c.Until > now {
			running = append(running, c)
		}
	}
	return running
}

// Ready reports whether a request may use the target without a probe.
func (s Status) Ready(t store.Target, now int64) bool {
	for _, id := range t.Cooldowns() {
		if c, ok := s.Cooldowns[id]; ok && c.Blocks(now) {
			return false
		}
	}
	k, ok := s.Keys[t.Key]
	return ok && !k.Disabled && !k.Spent()
}

// Refresh reads the status of the principal and of all keys of its user, in one trip. party is the end user's, see
// [store.Demand].
func (q *Quota) Refresh(ctx context.Context, p store.Principal, party store.ID, now int64) (Status, error) {
	status := Status{Keys: map[store.ID]KeyStatus{}, Cooldowns: map[store.CooldownID]store.Cooldown{}, Limits: map[store.ID]store.LimitStatus{}}
	stmt := store.QuotaStatus(p, now)
	stmt.Each = func(r store.Row) error {
		var (
			id store.ID
			k  KeyStatus
			on *bool
		)
		err := r.Scan(&status.Access, &status.Revision, &id, &on, &k.Limit, &k.Used)
		if err != nil || id.IsZero() {
			return err
		}
		k.Disabled = !*on
		status.Keys[id] = k
		return nil
	}
	err := q.db.Run(ctx, stmt, store.Cooldowns(p.User, func(c store.Cooldown) { status.Cooldowns[c.CooldownID] = c }),
		store.LimitStatuses(p.User, party, now, func(s store.LimitStatus) { status.Limits[s.Limit] = s }))
	return status, err
}
