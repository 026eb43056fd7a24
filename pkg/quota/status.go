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
}

// KeyStatus says whether a key may be used.
type KeyStatus struct {
	Disabled      bool // by its owner or by the admin
	CooldownUntil int64
	CooldownClass string
	Limit         *int64
	Used          int64
}

// Spent reports whether the day's quota is used up.
func (k KeyStatus) Spent() bool { return k.Limit != nil && k.Used >= *k.Limit }

// CoolingDown reports whether the key has a cooldown at now.
func (k KeyStatus) CoolingDown(now int64) bool { return k.CooldownUntil > now }

// Ready reports whether a request may use the key.
func (k KeyStatus) Ready(now int64) bool { return !k.Disabled && !k.Spent() && !k.CoolingDown(now) }

// Refresh reads the status of the principal and of all keys of its user, in one select.
func (q *Quota) Refresh(ctx context.Context, p store.Principal, now int64) (Status, error) {
	status := Status{Keys: map[store.ID]KeyStatus{}}
	stmt := store.QuotaStatus(p, now)
	stmt.Each = func(r store.Row) error {
		var (
			id    store.ID
			k     KeyStatus
			on    *bool
			until *int64
			class *string
		)
		err := r.Scan(&status.Access, &status.Revision, &id, &on, &until, &class, &k.Limit, &k.Used)
		if err != nil || id.IsZero() {
			return err
		}
		k.Disabled, k.CooldownUntil, k.CooldownClass = !*on, *until, *class
		status.Keys[id] = k
		return nil
	}
	err := q.db.Run(ctx, stmt)
	return status, err
}
