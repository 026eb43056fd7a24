package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// exchanges writes what these tests send and get into the folder that the environment variable
// EXCHANGES names: tests/openapi holds it to the description of the routes.
var exchanges struct {
	once sync.Once
	mu   sync.Mutex
	file *os.File
	err  error
}

// record leaves out bodies that can be read only once, and compressed ones, which the description does not decode.
func record(req *http.Request, r reply) error {
	folder := os.Getenv("EXCHANGES")
	if folder == "" || req.Body != nil && req.GetBody == nil || req.Header.Get("Content-Encoding") != "" {
		return nil
	}
	var body []byte
	if req.GetBody != nil {
		in, err := req.GetBody()
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(in); err != nil {
			return err
		}
	}
	exchanges.once.Do(func() {
		exchanges.file, exchanges.err = os.Create(filepath.Join(folder, fmt.Sprintf("%d.jsonl", os.Getpid())))
	})
	if exchanges.err != nil {
		return exchanges.err
	}
	line, err := json.Marshal(map[string]any{
		"method": req.Method, "url": req.URL.RequestURI(), "header": req.Header, "body": string(body),
		"status": r.status, "answerHeader": r.header, "answerBody": r.body,
	})
	if err != nil {
		return err
	}
	exchanges.mu.Lock()
	defer exchanges.mu.Unlock()
	_, err = exchanges.file.Write(append(line, '\n'))
	return err
}
