package quota

import (
	"context"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// Verdict is why a caller got no place.
type Verdict struct {
	// Access is false if the token or session was revoked, disabled or has expired, or its user is disabled.
	Access   bool
	Revision int64 // the user's, now
	Keys     map[store.ID]KeyState
}

// KeyState is how a key stands at the time asked for.
type KeyState struct {
	Off       bool // disabled by its owner or by the admin
	RestUntil int64
	RestClass string
	Limit     *int64
	Used      int64
}

// Spent says whether the day's quota is used up.
func (k KeyState) Spent() bool { return k.Limit != nil && k.Used >= *k.Limit }

// Resting says whether the key is not to be used yet.
func (k KeyState) Resting(now int64) bool { return k.RestUntil > now }

// Ready says whether a request may use the key.
func (k KeyState) Ready(now int64) bool { return !k.Off && !k.Spent() && !k.Resting(now) }

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

// Explain looks at the caller and all keys of its user, as they are now, in one select.
func (q *Quota) Explain(ctx context.Context, c Caller, now int64) (Verdict, error) {
	who, sql := c.Token, explainToken
	if who.IsZero() {
		who, sql = c.Session, explainSession
	}
	v := Verdict{Keys: map[store.ID]KeyState{}}
	err := q.db.Run(ctx, store.Stmt{SQL: sql, Args: []any{who, now, store.DayOf(now)}, Each: func(r store.Row) error {
		var (
			id        store.ID
			k         KeyState
			on        *bool
			restUntil *int64
			restClass *string
		)
		if err := r.Scan(&v.Access, &v.Revision, &id, &on, &restUntil, &restClass, &k.Limit, &k.Used); err != nil || id.IsZero() {
			return err
		}
		k.Off, k.RestUntil, k.RestClass = !*on, *restUntil, *restClass
		v.Keys[id] = k
		return nil
	}})
	return v, err
}
