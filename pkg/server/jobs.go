package server

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jobs"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// respondAsync is the preference for an asynchronous answer (RFC 7240, 4.1).
const respondAsync = "respond-async"

func prefersAsync(h http.Header) bool {
	for _, value := range h.Values("Prefer") {
		for preference := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(preference, ";")
			if strings.EqualFold(strings.TrimSpace(name), respondAsync) {
				return true
			}
		}
	}
	return false
}

// idempotencyKey is the header that names the request in dialects whose body has no field for a name.
const idempotencyKey = "Idempotency-Key"

// submit stores a request for later, and answers where its result will be.
func (a *App) submit(c *call, d *decodedRequest) error {
	var issues fault.Issues
	if d.req.Chat.Stream {
		issues.Add("stream", "a streamed answer cannot be given later: leave out stream, or async (Prefer: respond-async)")
	}
	name, where := d.req.Route.RequestID, "requestId"
	if name == "" {
		name, where = c.r.Header.Get(idempotencyKey), idempotencyKey
	}
	if len(name) > maxJobName || strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		issues.Add(where, "must be 1 to %d printable ASCII characters", maxJobName)
	}
	if name == "." || name == ".." {
		issues.Add(where, "must not be . or .., which no path can end in")
	}
	if err := issues.Err(); err != nil {
		return err
	}
	p, err := a.jobPrincipal(c)
	if err != nil {
		return err
	}
	j, err := a.Jobs.Submit(c.r.Context(), p, c.id, cmp.Or(name, c.requestID()),
		jobs.Task{Endpoint: d.endpoint.Name, Model: d.model, Header: a.lasting(c.r.Header), Body: d.body})
	if err != nil {
		return err
	}
	if prefersAsync(c.r.Header) {
		c.w.Header().Set("Preference-Applied", respondAsync)
	}
	return c.accepted(j)
}

// maxJobName bounds the name of an asynchronous request, in bytes.
const maxJobName = 128

// accepted answers 202 with the state of the job.
func (c *call) accepted(j store.Job) error {
	c.w.Header().Set("Location", "/api/chat/"+url.PathEscape(j.Name))
	return c.reply(http.StatusAccepted, struct {
		RequestID string `json:"requestId"`
		Status    string `json:"status"`
	}{j.Name, jobStatus(j.State)})
}

func jobStatus(s store.JobState) string {
	switch s {
	case store.JobQueued:
		return "queued"
	case store.JobRunning:
		return "running"
	case store.JobCompleted:
		return "completed"
	case store.JobFailed:
		return "failed"
	case store.JobCancelled:
		return "cancelled"
	}
	return "expired"
}

// lasting returns those of a request's headers that still count when it runs later.
func (a *App) lasting(h http.Header) http.Header {
	out := http.Header{}
	keep := func(name string) {
		if v := h.Values(name); len(v) > 0 {
			out[http.CanonicalHeaderKey(name)] = v
		}
	}
	keep(providerHeader)
	keep(strategyHeader)
	keep(prioritiesHeader)
	keep(provider.ViaHeader)
	keep(tagsHeader)
	for _, source := range gateway.EndUserSources {
		if strings.HasPrefix(source, "X-") {
			keep(source)
		}
	}
	for _, p := range a.Providers.All() {
		for _, name := range p.ForwardedRequestHeaders {
			keep(name)
		}
	}
	return out
}

func (a *App) jobPrincipal(c *call) (store.Principal, error) {
	if c.who.digests == nil {
		return store.Principal{User: c.who.user.ID, Session: c.who.session.ID}, nil
	}
	user, token, err := a.Gateway.Identify(c.r.Context(), c.who.gateway())
	return store.Principal{User: user, Token: token}, err
}

// jobName returns the name of an asynchronous request, from the path.
func (c *call) jobName() (string, error) {
	name, err := url.PathUnescape(c.path)
	if err != nil || len(name) > maxJobName || strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return "", fault.New(fault.NotFound, "there is no such request of yours, or it is not known any more")
	}
	return name, nil
}

// How long GET waits for the job, in milliseconds; on functions at most as long as a function may run.
const (
	defaultPollTimeout = 30_000
	maxPollTimeout     = 3_600_000
)

// getJob answers GET /api/chat/{requestId} with the result, the failure, or the state of the job.
func (a *App) getJob(c *call) error {
	name, err := c.jobName()
	if err != nil {
		return err
	}
	query := c.query()
	timeout := query.integer("timeout", 0, maxPollTimeout, defaultPollTimeout)
	if err := query.err(); err != nil {
		return err
	}
	if c.r.Method == http.MethodHead {
		timeout = 0
	}
	p, err := a.jobPrincipal(c)
	if err != nil {
		return err
	}
	wait := time.Duration(timeout) * time.Millisecond
	if a.Config.Platform == config.PlatformFunctions {
		wait = min(wait, a.Config.Limits.Request)
	}
	j, err := a.Jobs.Await(c.r.Context(), p, name, wait)
	if err != nil {
		return err
	}
	switch {
	case j.State == store.JobCancelled:
		return fault.New(fault.Conflict, "the request was cancelled")
	case j.State == store.JobExpired || j.State.Over() && j.DueAt <= a.Now().UnixMilli():
		return fault.New(fault.Gone, "the result is not kept any more (JOB_RETENTION)")
	case !j.State.Over():
		c.w.Header().Set("Retry-After", "1")
		return c.accepted(j)
	}
	return a.tell(c, a.Jobs.ResultOf(&j))
}

// tell answers with a result in the dialect of the request.
func (a *App) tell(c *call, r jobs.Result) error {
	if r.Fault != nil {
		f := r.Fault.Error(a.Now())
		c.w.Header().Set("X-Should-Retry", "false")
		writeFault(c.w, f, a.dialects.endpoint(r.Endpoint).dialect, c.requestID())
		return nil
	}
	for header, values := range r.Header {
		c.w.Header()[header] = values
	}
	return c.replyRaw(http.StatusOK, r.Body)
}

// cancelJob answers DELETE /api/chat/{requestId}.
func (a *App) cancelJob(c *call) error {
	name, err := c.jobName()
	if err != nil {
		return err
	}
	p, err := a.jobPrincipal(c)
	if err != nil {
		return err
	}
	if err := a.Jobs.Cancel(c.r.Context(), p, name); err != nil {
		return err
	}
	return c.reply(http.StatusOK, map[string]string{"requestId": name, "status": jobStatus(store.JobCancelled)})
}

// Execute implements [jobs.Executor].
func (a *App) Execute(ctx context.Context, who gateway.Principal, name string, t jobs.Task, endStatements func(jobs.Result) []store.Stmt) jobs.Result {
	begun := a.Now()
	d, err := a.decode(ctx, who, a.dialects.endpoint(t.Endpoint), t.Model, t.Header, t.Body)
	if err != nil { // what it refers to is gone, or this version decodes requests otherwise than the version that stored it
		return jobs.Failed(t.Endpoint, fault.From(err))
	}
	d.req.ID, d.req.Principal = store.NewID(begun.UnixMilli()), who
	if d.storing != nil {
		d.storing.begin(d, func(call *gateway.Call) ([]byte, error) { return d.encode(call, name, begun) })
	}
	d.req.EndStatements = func(call *gateway.Call, failure *fault.Error) []store.Stmt {
		if failure != nil {
			return endStatements(jobs.Failed(t.Endpoint, failure))
		}
		answer, err := d.encode(call, name, begun)
		if err != nil {
			return endStatements(jobs.Failed(t.Endpoint, fault.From(err)))
		}
		r := jobs.Result{Endpoint: t.Endpoint, Header: http.Header{}, Body: answer}
		describe(r.Header, call)
		return endStatements(r)
	}
	call, err := a.Gateway.Start(ctx, d.req)
	if err != nil {
		f := fault.From(err)
		if f.Code == fault.Unauthorized {
			// The principal of the poll has other credentials, which are valid.
			f = fault.New(fault.Forbidden, "the request was not sent: %s", f.Message)
		}
		return jobs.Failed(t.Endpoint, f)
	}
	call.Close()
	return jobs.Result{}
}
