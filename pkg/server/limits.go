package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/store"
)

type limitList struct {
	Limits []gateway.LimitView `json:"limits"`
}

// viewLimit is a limit as its owner and the admin see it. Others learn of the gateway's limits that they exist.
func (c *call) viewLimit(l *store.Limit, s store.LimitStatus) gateway.LimitView {
	known := l.Subject != store.LimitGateway || c.who.user.Role == store.RoleAdmin
	v := gateway.ViewLimit(l, s, c.now(), known)
	v.ID = &l.ID
	if !known {
		return v
	}
	created := timestamp(l.CreatedAt).String()
	v.Models, v.Strict, v.CreatedAt = l.Models, &l.Strict, &created
	if l.Fallback != "" {
		v.OnReached = &gateway.LimitFallback{Model: l.Fallback}
	}
	return v
}

// limits reads the limits that are wanted, oldest first.
func (a *App) limits(c *call, f store.LimitFilter, party store.ID, want func(*store.Limit) bool) ([]gateway.LimitView, error) {
	ctx := c.r.Context()
	list, err := store.Limits(ctx, a.DB, f, store.Page{Limit: store.LimitsPerUser})
	if err != nil {
		return nil, err
	}
	statuses := map[store.ID]store.LimitStatus{}
	err = a.DB.Run(ctx, store.LimitStatuses(f.User, party, c.now(), func(s store.LimitStatus) { statuses[s.Limit] = s }))
	if err != nil {
		return nil, err
	}
	views := []gateway.LimitView{}
	for i := range list {
		if want(&list[i]) {
			views = append(views, c.viewLimit(&list[i], statuses[list[i].ID]))
		}
	}
	return views, nil
}

// listLimits lists the user's limits, those that the admin has set for the user, and those of the gateway. The admin may
// ask for another user's.
func (a *App) listLimits(c *call) error {
	q := c.query()
	subject := q.text("type")
	kind, ok := gateway.ParseLimitSubject(subject)
	if subject != "" && !ok {
		q.issues.Add("type", "must be %s", subjectTypes)
	}
	var id store.ID
	var endUser string
	if kind == store.LimitEndUser {
		id = q.id("token")
		name, problem := a.Gateway.EndUserName(q.values.Get("id"))
		if endUser = name; problem != "" {
			q.issues.Add("id", "%s", problem)
		}
	} else if id = q.id("id"); q.values.Has("token") {
		q.issues.Add("token", "is for the type endUser only")
	}
	user, err := c.whose(q)
	if err != nil {
		return err
	}
	if !user.IsZero() && (q.values.Has("limit") || q.values.Has("cursor")) {
		q.issues.Add("limit", "and cursor are for scope=%s only: other lists are whole", scopeAll)
	}
	page := q.page()
	if err := q.err(); err != nil {
		return err
	}
	want := func(l *store.Limit) bool {
		return (subject == "" || l.Subject == kind) && (id.IsZero() || l.SubjectID == id) &&
			(endUser == "" || l.EndUser == nil || *l.EndUser == endUser)
	}
	if user.IsZero() {
		return a.listAllLimits(c, page, want)
	}
	all := limitList{Limits: []gateway.LimitView{}}
	var party store.ID // of the end user who is asked for: limits for each show that window
	if endUser != "" {
		label := store.Label{Kind: store.EndUserLabel, Owner: id, Name: endUser}
		party = label.Party()
	}
	for _, f := range []store.LimitFilter{{User: user}, {}} {
		views, err := a.limits(c, f, party, want)
		if err != nil {
			return err
		}
		all.Limits = append(all.Limits, views...)
	}
	return c.reply(http.StatusOK, all)
}

// scopeAll asks for what belongs to all users.
const scopeAll = "all"

// listAllLimits lists a page of the limits of all users and of the gateway, for the admin. Those of a page that are not
// wanted are left out.
func (a *App) listAllLimits(c *call, p page, want func(*store.Limit) bool) error {
	limits, err := store.Limits(c.r.Context(), a.DB, store.LimitFilter{Everybody: true}, p.more())
	if err != nil {
		return err
	}
	limits, next := cut(limits, p, func(l store.Limit) store.ID { return l.ID })
	statuses := map[store.ID]store.LimitStatus{}
	stmts := make([]store.Stmt, len(limits))
	for i, l := range limits {
		stmts[i] = store.LimitStatusOf(l.ID, c.now(), func(s store.LimitStatus) { statuses[s.Limit] = s })
	}
	if err := a.DB.Run(c.r.Context(), stmts...); err != nil {
		return err
	}
	views := []gateway.LimitView{}
	for i := range limits {
		if want(&limits[i]) {
			views = append(views, c.viewLimit(&limits[i], statuses[limits[i].ID]))
		}
	}
	return c.reply(http.StatusOK, struct {
		limitList
		NextCursor *store.ID `json:"nextCursor"`
	}{limitList{views}, next})
}

// ownLimits lists the limits that bind a gateway token, as far as it may know them.
func (a *App) ownLimits(c *call) error {
	views, err := a.Gateway.Limits(c.r.Context(), c.who.gateway())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, limitList{views})
}

// createLimit sets a limit: of their tokens and keys by owners, of users and of the gateway by the admin.
func (a *App) createLimit(c *call) error {
	var in limitBody
	if err := c.decode(&in); err != nil {
		return err
	}
	var issues fault.Issues
	l := in.limit(&issues, a, c)
	if err := issues.Err(); err != nil {
		return err
	}
	if err := c.mayChange(&l); err != nil {
		return err
	}
	err := store.CreateLimit(c.r.Context(), a.DB, l)
	switch {
	case errors.Is(err, store.ErrTooManyLimits):
		return fault.New(fault.Conflict, "there may be %d limits of a subject and %d of a user: delete one first", store.LimitsPerSubject, store.LimitsPerUser)
	case errors.Is(err, store.ErrNotFound):
		issues.Add("subject.id", "there is no such %s", gateway.LimitSubjectName(l.Subject))
		return issues.Err()
	case err != nil:
		return err
	}
	a.logLimit(c, "limit set", &l)
	return c.reply(http.StatusCreated, c.viewLimit(&l, store.LimitStatus{}))
}

// mayChange says whether the user may set or change the limit.
func (c *call) mayChange(l *store.Limit) error {
	if (l.Subject == store.LimitUser || l.Subject == store.LimitGateway) && c.who.user.Role != store.RoleAdmin {
		return fault.New(fault.Forbidden, "limits of users and of the gateway are the admin's")
	}
	return nil
}

// limitByPath finds the limit in the path, if the user may see it: ErrNotFound.
func (a *App) limitByPath(c *call) (l store.Limit, err error) {
	id, err := c.objectID()
	if err != nil {
		return l, err
	}
	list, err := store.Limits(c.r.Context(), a.DB, store.LimitFilter{ID: id, Everybody: true}, store.Page{Limit: 1})
	if err != nil {
		return l, err
	}
	if len(list) == 0 {
		return l, store.ErrNotFound
	}
	l = list[0]
	admins := l.Subject == store.LimitUser && c.who.user.Role == store.RoleAdmin || l.Subject == store.LimitGateway
	if l.User != c.who.user.ID && !admins {
		return l, store.ErrNotFound
	}
	return l, nil
}

// replyLimit answers with the limit and its window.
func (a *App) replyLimit(c *call, l *store.Limit) error {
	var status store.LimitStatus
	if err := a.DB.Run(c.r.Context(), store.LimitStatusOf(l.ID, c.now(), func(s store.LimitStatus) { status = s })); err != nil {
		return err
	}
	return c.reply(http.StatusOK, c.viewLimit(l, status))
}

func (a *App) getLimit(c *call) error {
	l, err := a.limitByPath(c)
	if err != nil {
		return err
	}
	return a.replyLimit(c, &l)
}

// updateLimit changes a limit. What was counted stays.
func (a *App) updateLimit(c *call) error {
	var in limitChange
	if err := c.decode(&in); err != nil {
		return err
	}
	l, err := a.limitByPath(c)
	if err != nil {
		return err
	}
	if err := c.mayChange(&l); err != nil {
		return err
	}
	var issues fault.Issues
	change := in.apply(&issues, &l)
	if err := issues.Err(); err != nil {
		return err
	}
	if err := store.UpdateLimit(c.r.Context(), a.DB, l, change, c.now()); err != nil {
		return err
	}
	a.logLimit(c, "limit changed", &l)
	return a.replyLimit(c, &l)
}

func (a *App) deleteLimit(c *call) error {
	return a.endLimit(c, "limit deleted", "", store.DeleteLimit)
}

// resetLimit begins a new count of the current window.
func (a *App) resetLimit(c *call) error {
	var in struct {
		Note string `json:"note"`
	}
	if c.r.ContentLength != 0 {
		if err := c.decode(&in); err != nil {
			return err
		}
	}
	var issues fault.Issues
	note := checkNote(&issues, in.Note)
	if err := issues.Err(); err != nil {
		return err
	}
	return a.endLimit(c, "limit reset", note, func(ctx context.Context, r store.Runner, l store.Limit) error {
		return store.ResetLimit(ctx, r, l, c.now())
	})
}

func (a *App) endLimit(c *call, what, note string, do func(context.Context, store.Runner, store.Limit) error) error {
	l, err := a.limitByPath(c)
	if err != nil {
		return err
	}
	if err := c.mayChange(&l); err != nil {
		return err
	}
	if err := do(c.r.Context(), a.DB, l); err != nil {
		return err
	}
	a.logLimit(c, what, &l, "note", note)
	return c.noContent()
}

// maxNote bounds the note of a reset, in bytes.
const maxNote = 200

func checkNote(issues *fault.Issues, note string) string {
	if len(note) > maxNote || printableText(note) != note {
		issues.Add("note", "must be a text of at most %d bytes without control characters", maxNote)
	}
	return note
}

// logLimit notes who changed what may be spent.
func (a *App) logLimit(c *call, what string, l *store.Limit, more ...any) {
	a.Log.Info(what, append([]any{"limit", l.ID.String(), "subject", gateway.LimitSubjectName(l.Subject), "subjectId", l.SubjectID.String(),
		"amount", l.Amount, "by", c.who.user.ID.String(), "request", c.requestID()}, more...)...)
}
