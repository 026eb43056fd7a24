package custom

import (
	"slices"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/provider"
)

// Every preset that is called tested has a server here, and no other.
func TestTestedPresets(t *testing.T) {
	want := []string{"ollama", "vllm", "llama-cpp", "lm-studio", "sglang", "azure-openai", "nvidia-nim", "moonshot", "zai", "dashscope",
		"huggingface", "sambanova", "deepinfra", "github-models", "vercel-ai-gateway", "litellm", "llm-gateway"}
	tested := 0
	for _, p := range provider.Presets() {
		i := slices.Index(want, p.ID)
		if i < 0 {
			t.Errorf("%s is not wanted", p.ID)
			continue
		}
		want = slices.Delete(want, i, i+1)
		has := slices.ContainsFunc(scripts, func(s script) bool { return s.preset == p.ID })
		if has != p.Tested {
			t.Errorf("%s: tested is %v", p.ID, p.Tested)
		}
		if has {
			tested++
		}
		if p.Source == "" || p.Name == "" || p.BaseURL == "" {
			t.Errorf("%s: incomplete: %+v", p.ID, p)
		}
	}
	if len(want) > 0 || tested < 8 {
		t.Errorf("missing: %v; %d tested", want, tested)
	}
}

// Each server is used as the preset says, with all that callers send to OpenAI.
func TestPresets(t *testing.T) {
	_, admin := newWorld(t)
	for _, s := range scripts {
		t.Run(s.preset, func(t *testing.T) {
			p := play(t, s)
			me := *admin
			me.world = &world{T: t, url: admin.url}
			key := object{"slug": "my-" + s.preset, "preset": s.preset, "baseUrl": p.url}
			if s.needsKey {
				key["apiKey"] = p.key
			}
			id := me.key(key)
			if status, answer := me.send("POST", "/api/keys/"+id+"/test", nil); status != 200 || answer["ok"] != true {
				t.Errorf("test: %d %v", status, answer)
			}
			status, answer := me.send("POST", "/api/keys/"+id+"/models", nil)
			if models := list(answer["models"]); status != 200 || len(models) != 1 || models[0].(object)["id"] != s.model {
				t.Errorf("models: %d %v", status, answer)
			}
			model := "my-" + s.preset + "/" + s.model
			if ids := me.models(); !slices.Contains(ids, model) {
				t.Errorf("GET /v1/models has no %s: %v", model, ids)
			}
			for _, stream := range []bool{false, true} {
				a := me.chat(object{"model": model, "stream": stream, "stream_options": object{"include_usage": true},
					"messages":   []object{{"role": "developer", "content": "Be short."}, {"role": "user", "content": "Hi"}},
					"max_tokens": 100, "store": true, "parallel_tool_calls": false, "temperature": 0.5, "logit_bias": object{"1": 2},
					"response_format": object{"type": "json_schema", "json_schema": object{"name": "x", "schema": object{"type": "object"}}}})
				if a.status != 200 || a.text != "Hello." || a.usage["prompt_tokens"] != 10.0 {
					t.Errorf("stream %v: %+v", stream, a)
				}
				if got := a.header.Get("X-LLM-Provider"); got != "my-"+s.preset {
					t.Errorf("X-LLM-Provider: %s", got)
				}
				if p.last()["response_format"] == nil || p.last()[s.maxTokens] != 100.0 {
					t.Errorf("sent: %v", p.last())
				}
			}
			p.mu.Lock()
			p.calls = true
			p.mu.Unlock()
			weather := object{"type": "function", "function": object{"name": "weather", "parameters": object{"type": "object", "properties": object{"city": object{"type": "string"}}}}}
			if a := me.chat(object{"model": model, "messages": user("Weather?"), "tools": []object{weather}}); a.status != 200 || a.calls != 1 {
				t.Errorf("tools: %+v", a)
			}
			resp := me.open("POST", "/v1/messages", me.token, object{"model": model, "max_tokens": 50, "messages": user("Weather?"),
				"tools": []object{{"name": "weather", "input_schema": object{"type": "object"}}}}, nil)
			if m := me.read(resp); resp.StatusCode != 200 || m["stop_reason"] != "tool_use" {
				t.Errorf("/v1/messages: %d %v", resp.StatusCode, m)
			}
			resp.Body.Close()
			if s.unknown != "" {
				if a := me.chat(object{"model": model + "-unknown", "messages": user("Hi")}); a.status < 400 || a.status >= 500 {
					t.Errorf("an unknown model: %d %v", a.status, a.body)
				}
			}
			if s.needsKey {
				me.send("PATCH", "/api/keys/"+id, object{"apiKey": "another-wrong-key"})
				if _, answer := me.send("POST", "/api/keys/"+id+"/test", nil); answer["ok"] != false || answer["class"] != "bad_key" {
					t.Errorf("a wrong key: %v", answer)
				}
				if _, answer := me.send("GET", "/api/keys/"+id, nil); answer["state"] != "rejected" {
					t.Errorf("after a wrong key: %v", answer["state"])
				}
			}
		})
	}
}
