package custom

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// script is a server as its documentation describes it. The sources are those of the preset.
type script struct {
	preset string
	// base is the path of its API.
	base string
	// auth is the header that carries a key, and the word before it.
	auth, word string
	needsKey   bool
	model      string
	// list is the answer of GET /models.
	list string
	// refuses are top-level fields that it does not take; refusal is its error for one, with %s for the name.
	refuses []string
	refusal string
	// unknown is its error for a model that it does not have, with the status before a blank; badKey for a wrong key.
	unknown, badKey string
	noDeveloper     bool
	// usageUnasked says that streams have usage on every chunk or without stream_options.
	usageUnasked bool
	maxTokens    string
}

var openAIList = `{"object":"list","data":[{"id":"%s","object":"model","created":1700000000,"owned_by":"library"}]}`

// scripts are the servers. Their errors are those that the documentation or the source shows.
var scripts = []script{
	{preset: "ollama", base: "/v1", model: "llama3.2:1b", list: openAIList, maxTokens: "max_tokens",
		unknown: `404 {"error":{"message":"model \"%s\" not found, try pulling it first","type":"api_error","param":null,"code":null}}`},
	{preset: "vllm", base: "/v1", auth: "Authorization", word: "Bearer ", needsKey: true, model: "Qwen/Qwen3-8B", maxTokens: "max_tokens",
		list:    `{"object":"list","data":[{"id":"%s","object":"model","created":1,"owned_by":"vllm","root":"Qwen/Qwen3-8B","parent":null,"max_model_len":32768,"permission":[]}]}`,
		unknown: "404 {\"error\":{\"message\":\"The model `%s` does not exist.\",\"type\":\"NotFoundError\",\"param\":\"model\",\"code\":404}}",
		badKey:  `401 {"error":"Unauthorized"}`},
	{preset: "llama-cpp", base: "/v1", auth: "Authorization", word: "Bearer ", needsKey: true, model: "gemma-3-4b-it-Q4_K_M.gguf", maxTokens: "max_tokens",
		list:   `{"models":[{"name":"%[1]s","model":"%[1]s","type":"model","capabilities":["completion"]}],"object":"list","data":[{"id":"%[1]s","object":"model","owned_by":"llamacpp","meta":{"n_ctx_train":131072}}]}`,
		badKey: `401 {"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}`},
	{preset: "lm-studio", base: "/v1", model: "qwen2.5-7b-instruct", list: openAIList, maxTokens: "max_tokens",
		unknown: `404 {"error":{"message":"Model \"%s\" not found. No models loaded. Please load a model.","type":"invalid_request_error","param":"model","code":"model_not_found"}}`},
	{preset: "sglang", base: "/v1", auth: "Authorization", word: "Bearer ", needsKey: true, model: "meta/custom-8b", maxTokens: "max_tokens",
		list:    `{"object":"list","data":[{"id":"%s","object":"model","created":1,"owned_by":"sglang","root":"x","max_model_len":8192}]}`,
		refuses: []string{"logit_bias"}, refusal: `400 {"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', '%s'), 'msg': 'Extra inputs are not permitted'}]","type":"BadRequestError","param":null,"code":400}`,
		badKey: `401 {"error":"Unauthorized"}`},
	{preset: "azure-openai", base: "/openai/v1", auth: "Api-Key", needsKey: true, model: "my-gpt-5-deployment", list: openAIList, maxTokens: "max_completion_tokens",
		refuses: []string{"max_tokens"}, refusal: `400 {"error":{"message":"Unsupported parameter: '%[1]s' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"%[1]s","code":"unsupported_parameter"}}`,
		unknown: `404 {"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}`,
		badKey:  `401 {"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}`},
	{preset: "moonshot", base: "/v1", auth: "Authorization", word: "Bearer ", needsKey: true, model: "kimi-k2-thinking", maxTokens: "max_tokens", noDeveloper: true,
		list:    `{"object":"list","data":[{"created":1,"id":"%s","object":"model","owned_by":"moonshot","permission":[],"root":"","parent":"","context_length":262144}]}`,
		unknown: `404 {"error":{"message":"Not found the model %s or Permission denied","type":"resource_not_found_error"}}`,
		badKey:  `401 {"error":{"message":"Invalid Authentication","type":"invalid_authentication_error"}}`},
	{preset: "deepinfra", base: "/v1/openai", auth: "Authorization", word: "Bearer ", needsKey: true, model: "org/Some-Model", list: openAIList, maxTokens: "max_tokens",
		unknown: "404 {\"error\":{\"message\":\"The model `%s` does not exist\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"model_not_found\"}}",
		badKey:  `401 {"detail":{"error":"User is not authenticated or key is not valid"}}`},
	{preset: "litellm", base: "/v1", auth: "Authorization", word: "Bearer ", needsKey: true, model: "team-model", maxTokens: "max_tokens", list: openAIList,
		refuses: []string{"parallel_tool_calls"}, refusal: `400 {"error":{"message":"litellm.UnsupportedParamsError: bedrock does not support parameters: ['%s'], for model=x. unsupported","type":"None","param":null,"code":"400"}}`,
		unknown: `400 {"error":{"message":"/chat/completions: Invalid model name passed in model=%s. Call /v1/models to view available models for your key.","type":"invalid_request_error","param":"model","code":"400"}}`,
		badKey:  `401 {"error":{"message":"Authentication Error, Invalid proxy server token passed. Unable to find token in cache or LiteLLM_VerificationTokenTable","type":"token_not_found_in_db","param":"key","code":"401"}}`},
	{preset: "llm-gateway", base: "/v1", auth: "Authorization", word: "Bearer ", needsKey: true, model: "some-model", maxTokens: "max_tokens", list: openAIList,
		unknown: `404 {"error":{"message":"none of your keys may serve the model \"%s\"","type":"invalid_request_error","param":"model","code":"model_not_found"}}`,
		badKey:  `401 {"error":{"message":"the gateway token is unknown","type":"authentication_error","param":null,"code":"invalid_api_key"}}`},
}

// played is a script that runs.
type played struct {
	script
	url string
	key string

	mu     sync.Mutex
	bodies []object
	header []http.Header
	reply  string // instead of Hello.
	calls  bool   // it calls the first tool
}

func play(t *testing.T, s script) *played {
	p := &played{script: s, key: "secret-of-" + s.preset, reply: "Hello."}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL + s.base
	return p
}

func (p *played) last() object {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies[len(p.bodies)-1]
}

func (p *played) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.bodies)
}

func fail(w http.ResponseWriter, form string, args ...any) {
	status, text, _ := strings.Cut(form, " ")
	if strings.Contains(text, "%") {
		text = fmt.Sprintf(text, args...)
	}
	var code int
	fmt.Sscan(status, &code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	io.WriteString(w, text)
}

func (p *played) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.needsKey && r.Header.Get(p.auth) != p.word+p.key {
		fail(w, p.badKey)
		return
	}
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, p.base) {
	case "GET /models":
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, p.list, p.model)
		return
	case "POST /chat/completions":
	default:
		http.NotFound(w, r)
		return
	}
	var body object
	text, _ := io.ReadAll(r.Body)
	if json.Unmarshal(text, &body) != nil {
		fail(w, `400 {"error":{"message":"no JSON","type":"invalid_request_error"}}`)
		return
	}
	p.mu.Lock()
	p.bodies, p.header = append(p.bodies, body), append(p.header, r.Header)
	reply, calls := p.reply, p.calls
	p.mu.Unlock()
	for name := range body {
		if slices.Contains(p.refuses, name) {
			fail(w, p.refusal, name)
			return
		}
	}
	if model, _ := body["model"].(string); model != p.model && p.unknown != "" {
		fail(w, p.unknown, model)
		return
	}
	if p.noDeveloper {
		for _, m := range list(body["messages"]) {
			if m.(object)["role"] == "developer" {
				fail(w, `400 {"error":{"message":"Invalid request: unsupported role ROLE_UNSPECIFIED","type":"invalid_request_error"}}`)
				return
			}
		}
	}
	p.answer(w, body, reply, calls)
}

const usage = `{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`

func (p *played) answer(w http.ResponseWriter, body object, reply string, calls bool) {
	message := object{"role": "assistant", "content": reply}
	finish := "stop"
	if calls {
		tool := child(list(body["tools"])[0], "function")
		message = object{"role": "assistant", "content": nil, "tool_calls": []object{{"index": 0, "id": "call_1", "type": "function",
			"function": object{"name": tool["name"], "arguments": `{"city":"Bonn"}`}}}}
		finish = "tool_calls"
	}
	if body["stream"] != true {
		text, _ := json.Marshal(message)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"c-1","object":"chat.completion","created":1,"model":%q,"choices":[{"index":0,"message":%s,"finish_reason":%q}],"usage":%s}`,
			p.model, text, finish, usage)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	chunk := func(choices, usage string) {
		fmt.Fprintf(w, `data: {"id":"c-1","object":"chat.completion.chunk","created":1,"model":%q,"choices":[%s]%s}`+"\n\n", p.model, choices, usage)
		w.(http.Flusher).Flush()
	}
	delta := func(d any, finish string) {
		text, _ := json.Marshal(d)
		chunk(fmt.Sprintf(`{"index":0,"delta":%s,"finish_reason":%s}`, text, finish), "")
	}
	if calls {
		delta(message, "null")
	} else {
		for _, piece := range strings.SplitAfter(reply, " ") {
			delta(object{"role": "assistant", "content": piece}, "null")
		}
	}
	delta(object{}, fmt.Sprintf("%q", finish))
	if p.usageUnasked || child(body, "stream_options")["include_usage"] == true {
		chunk("", `,"usage":`+usage)
	}
	io.WriteString(w, "data: [DONE]\n\n")
}
