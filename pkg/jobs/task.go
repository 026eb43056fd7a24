package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/auth"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// Task is a request as it came: what it takes to ask again.
type Task struct {
	// Form names the route, and with it the dialect. Model is what its path says.
	Endpoint string `json:"form"`
	Model    string `json:"model,omitempty"`
	// Header holds only what counts for the answer: no credential.
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"-"`
}

// Result is what came of a task: an answer or a failure.
type Result struct {
	Endpoint string `json:"form"` // the task's
	// Header says who answered.
	Header http.Header `json:"header,omitempty"`
	Fault  *Fault      `json:"fault,omitempty"` // nil: Body is the answer
	Body   []byte      `json:"-"`

	// cause is the failure itself, as long as it is not kept.
	cause *fault.Error
}

// Fault is a failure as it is kept.
type Fault struct {
	Code    fault.Code      `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details,omitempty"`
	// RetryAt is when the same may be asked again, in Unix milliseconds; 0: nobody knows.
	RetryAt int64 `json:"retryAt,omitempty"`
}

// Failed is the result of a task that failed.
func Failed(form string, f *fault.Error) Result {
	kept := &Fault{Code: f.Code, Message: f.Message}
	if details, err := json.Marshal(f.Details); err == nil && f.Details != nil {
		kept.Details = details
	}
	return Result{Endpoint: form, Fault: kept, cause: f}
}

// Error is the failure as its caller is told at a time.
func (f *Fault) Error(now time.Time) *fault.Error {
	e := &fault.Error{Code: f.Code, Message: f.Message}
	if f.RetryAt > 0 {
		e.RetryAfter = max(time.UnixMilli(f.RetryAt).Sub(now), 0)
	}
	if f.Details != nil {
		e.Details = f.Details
	}
	return e
}

// A sealed text is one line of JSON and, after it, the body as it is.
func join(head any, body []byte) ([]byte, error) {
	line, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	return append(append(line, '\n'), body...), nil
}

var errFormat = errors.New("it is not in the form of this version")

func split(text []byte, head any) (body []byte, err error) {
	line, body, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return nil, errFormat
	}
	return body, json.Unmarshal(line, head)
}

// binding binds one of a job's sealed columns to its row, and to being that column.
func binding(column string, id, user store.ID) auth.Binding {
	return auth.Binding{Table: "jobs." + column, ID: id[:], UserID: user[:]}
}

func (q *Queue) decryptTask(j *store.Job) (t Task, err error) {
	text, _, err := q.Secrets.Decrypt(j.Payload, j.EncryptionKeyID, binding("payload", j.ID, j.UserID))
	if err == nil {
		t.Body, err = split(text, &t)
	}
	return t, err
}

func (q *Queue) encryptResult(j *store.Job, r Result) (sealed []byte, key string, err error) {
	text, err := join(r, r.Body)
	if err != nil {
		return nil, "", err
	}
	sealed, key = q.Secrets.Encrypt(text, binding("result", j.ID, j.UserID))
	return sealed, key, nil
}

// ResultOf is what a job that is over left. A job whose attempts all went silent left nothing: that is a failure, too.
func (q *Queue) ResultOf(j *store.Job) Result {
	if j.Result == nil || j.ResultKeyID == nil {
		return Failed("", fault.New(fault.Unavailable, "the processes that ran this request ended before they had an answer; send it again under another requestId"))
	}
	text, _, err := q.Secrets.Decrypt(j.Result, *j.ResultKeyID, binding("result", j.ID, j.UserID))
	var r Result
	if err == nil {
		r.Body, err = split(text, &r)
	}
	if err != nil {
		return Failed("", fault.Wrap(err, fault.Gone, "the result was sealed under a secret that is gone"))
	}
	return r
}
