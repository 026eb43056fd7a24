package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A custom endpoint is added with a preset and without a secret, tested, and answers in the playground.
func TestCustomEndpoint(t *testing.T) {
	ollama := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := r.Header.Get("X-Team"); v != "blue" || r.Header.Get("Authorization") != "" {
			t.Errorf("the endpoint got the headers %v", r.Header)
		}
		if r.URL.Path == "/v1/models" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"object":"list","data":[{"id":"llama3.2","object":"model"}]}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"llama3.2","choices":[{"index":0,"delta":{"content":"From my own machine."},"finish_reason":null}]}`+"\n\n"+
			`data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"llama3.2","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`+"\n\ndata: [DONE]\n\n")
	}))
	defer ollama.Close()
	b := openBrowser(t, startGateway(t))
	b.open("")
	b.signUp("Ann")
	b.settled()
	b.click("Provider keys")
	b.click("Add a key")
	b.until("no fields of endpoints", "document.querySelector('dialog [name=baseUrl]').offsetParent === null")
	b.fill("Provider", "custom")
	b.fill("Preset", "ollama")
	b.until("the preset fills the fields", "document.querySelector('dialog [name=baseUrl]').value === 'http://127.0.0.1:11434/v1' && document.querySelector('dialog [name=slug]').value === 'ollama'")
	b.fill("Slug", "openai")
	b.fill("Base URL", ollama.URL+"/v1")
	b.fill("More headers", "X-Team: blue")
	b.fill("Input price", "1")
	b.click("Add the key")
	b.sees("is the id of a provider")
	b.fill("Slug", "ollama")
	b.click("Add the key")
	b.sees("The key works") // it is tested at once
	b.click("Edit Ollama")
	b.until("see the endpoint", "document.querySelector('dialog [name=baseUrl]').value === "+text(ollama.URL+"/v1")+" && document.querySelector('dialog [name=headers]').value === 'X-Team: (stored)'")
	b.fill("Base URL", ollama.URL+"/v1/")
	b.fill("Output price", "2")
	b.click("Save")
	b.until("the dialog is closed", "!document.querySelector('dialog')")
	b.settled()
	b.click("Test Ollama")
	b.sees("The key works")
	b.click("Playground")
	b.fill("Model", "ollama/llama3.2")
	b.fill("Message", "Hello")
	b.click("Send")
	b.sees("From my own machine.")
	b.clean()
}
