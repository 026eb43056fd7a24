// Package bridge stands in for github.com/vercel/go-bridge, which classic functions link and not
// every module proxy has. As the real one does it takes a request from the Lambda runtime API, one
// at a time, and gives the answer back whole: its ResponseWriter cannot flush.
package bridge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

type event struct {
	Method, Path, Body, Encoding string
	Headers                      map[string]any // a text, or a list of them
}

func (e *event) request() (*http.Request, error) {
	body := []byte(e.Body)
	if e.Encoding == "base64" {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequest(e.Method, e.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.RequestURI = r.URL.RequestURI()
	for name, value := range e.Headers {
		values, many := value.([]any)
		if !many {
			values = []any{value}
		}
		for _, v := range values {
			r.Header.Add(name, fmt.Sprint(v))
		}
	}
	r.Host, r.RemoteAddr = r.Header.Get("Host"), r.Header.Get("X-Real-Ip")
	return r, nil
}

type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

// Start serves with h until the runtime ends.
func Start(h http.Handler) {
	invocations := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := serve(h, invocations); err != nil {
			log.Fatal(err)
		}
	}
}

func serve(h http.Handler, invocations string) error {
	next, err := http.Get(invocations + "next")
	if err != nil {
		return err
	}
	defer next.Body.Close()
	var invocation struct{ Body string }
	if err := json.NewDecoder(next.Body).Decode(&invocation); err != nil {
		return err
	}
	var e event
	if err := json.NewDecoder(strings.NewReader(invocation.Body)).Decode(&e); err != nil {
		return err
	}
	r, err := e.request()
	if err != nil {
		return err
	}
	a := &answer{header: http.Header{}}
	h.ServeHTTP(a, r)
	if a.status == 0 {
		a.status = http.StatusOK
	}
	out, err := json.Marshal(map[string]any{
		"statusCode": a.status, "headers": a.header, "encoding": "base64", "body": base64.StdEncoding.EncodeToString(a.body.Bytes()),
	})
	if err != nil {
		return err
	}
	done, err := http.Post(invocations+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json",
		bytes.NewReader(out))
	if err != nil {
		return err
	}
	return done.Body.Close()
}
