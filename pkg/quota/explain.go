package quota

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Status says why a request got no reservation.
type Status struct {
	// Access is false if the token or session was revoked, disabled or has expired, or its user is disabled.
	Access   bool
	Revision int64 // the user's, now
	Keys     map[store.ID]KeyStatus
}

// KeyStatus is the status of a key at the time of the refresh.
type KeyStatus struct {
	Disabled      bool // disabled by its owner or by the admin
	CooldownUntil int64
	CooldownClass string
	Limit         *int64
	Used          int64
}

// Spent says whether the day's quota is used up.
func (k KeyStatus) Spent() bool { return k.Limit != nil && k.Used >= *k.Limit }

// CoolingDown says whether the cooldown of the key goes on.
func (k KeyStatus) CoolingDown(now int64) bool { return k.CooldownUntil > now }

// Ready says whether a request may use the key.
func (k KeyStatus) Ready(now int64) bool { return !k.Disabled && !k.Spent() && !k.CoolingDown(now) }

const (
	explainToken = `select t.enabled and not t.blocked and (t.expires_at is null or t.expires_at > $2) and u.enabled,
` + explainRest + `from tokens t join users u on u.id = t.user_id` + explainJoin
	explainSession = `select t.expires_at > $2 and u.enabled,
` + explainRest + `from sessions t join users u on u.id = t.user_id` + explainJoin

	explainRest = ` u.revision, k.id, k.enabled and not k.blocked, k.rest_until, k.rest_class, k.daily_limit, coalesce(d.used, 0)
`
	explainJoin = `
 left join provider_keys k on k.user_id = u.id
 left join key_days d on d.key_id = k.id and d.day = $3
where t.id = $1`
)

// Refresh looks at the principal and all keys of its user, as they are now, in one select.
func (q *Quota) Refresh(ctx context.Context, c store.Principal, now int64) (Status, error) {
	who, sql := c.Token, explainToken
	if who.IsZero() {
		who, sql = c.Session, explainSession
	}
	v := Status{Keys: map[store.ID]KeyStatus{}}
	err := q.db.Run(ctx, store.Stmt{SQL: sql, Args: []any{who, now, store.DayOf(now)}, Each: func(r store.Row) error {
		var (
			id        store.ID
			k         KeyStatus
			on        *bool
			restUntil *int64
			restClass *string
		)
		if err := r.Scan(&v.Access, &v.Revision, &id, &on, &restUntil, &restClass, &k.Limit, &k.Used); err != nil || id.IsZero() {
			return err
		}
		k.Disabled, k.CooldownUntil, k.CooldownClass = !*on, *restUntil, *restClass
		v.Keys[id] = k
		return nil
	}})
	return v, err
}
