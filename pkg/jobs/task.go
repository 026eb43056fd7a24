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

// Task is a request as it arrived.
type Task struct {
	// Endpoint names the route, and with it the dialect. Model is the model in the path.
	Endpoint string `json:"form"`
	Model    string `json:"model,omitempty"`
	// Header has only what matters for the answer: no credential.
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"-"`
}

// Result is the result of a task: an answer or a failure.
type Result struct {
	Endpoint string `json:"form"` // the task's
	// Header names the provider, model and key that answered.
	Header http.Header `json:"header,omitempty"`
	Fault  *Fault      `json:"fault,omitempty"` // nil: Body is the answer
	Body   []byte      `json:"-"`

	// cause is the failure itself; it is not stored.
	cause *fault.Error
}

// Fault is a failure as it is stored.
type Fault struct {
	Code    fault.Code      `json:"code"`
	Message string          `json:"message"`
	Details json.RawMessage `json:"details,omitempty"`
	// RetryAt is when to send the request again, in Unix milliseconds; 0: unknown.
	RetryAt int64 `json:"retryAt,omitempty"`
}

// Failed returns the result of a task that failed.
func Failed(endpoint string, f *fault.Error) Result {
	stored := &Fault{Code: f.Code, Message: f.Message}
	if details, err := json.Marshal(f.Details); err == nil && f.Details != nil {
		stored.Details = details
	}
	return Result{Endpoint: endpoint, Fault: stored, cause: f}
}

// Error returns the failure for a client that asks at the time.
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

// join returns the text that is encrypted: one line of JSON, then the body.
func join(head any, body []byte) ([]byte, error) {
	line, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	return append(append(line, '\n'), body...), nil
}

var errFormat = errors.New("the stored job is not in the format of this version")

func split(text []byte, head any) (body []byte, err error) {
	line, body, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return nil, errFormat
	}
	return body, json.Unmarshal(line, head)
}

// binding binds one of a job's encrypted columns to its row and its name.
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

func (q *Queue) encryptResult(j *store.Job, r Result) (encrypted []byte, keyID string, err error) {
	text, err := join(r, r.Body)
	if err != nil {
		return nil, "", err
	}
	encrypted, keyID = q.Secrets.Encrypt(text, binding("result", j.ID, j.UserID))
	return encrypted, keyID, nil
}

// ResultOf returns the result of a job that is over. A job whose processes all died has none: that is a failure, too.
func (q *Queue) ResultOf(j *store.Job) Result {
	if j.Result == nil || j.ResultKeyID == nil {
		return Failed("",
			fault.New(fault.Unavailable,
				"the processes that ran this request ended before they had an answer; send it again under another requestId"))
	}
	text, _, err := q.Secrets.Decrypt(j.Result, *j.ResultKeyID, binding("result", j.ID, j.UserID))
	var r Result
	if err == nil {
		r.Body, err = split(text, &r)
	}
	if err != nil {
		return Failed("", fault.Wrap(err, fault.Gone, "the secret that encrypts the result is gone"))
	}
	return r
}
