package parity

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/catalog"
)

// In every dialect a prefix of the model, or a header, selects the provider.
func TestRouting(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	keys := map[string]string{}
	add := func(name, provider string, priority int) { keys[name] = p.keyOf(provider, "", priority).String() }
	add("openai", "openai", 1)
	add("openai 5", "openai", 5)
	add("openrouter", "openrouter", 1)
	add("groq", "groq", 1)
	add("together", "together", 2)
	for _, s := range callers() {
		for _, c := range []struct {
			model, header, value    string
			provider, upstream, key string // empty provider: none is eligible
		}{
			{"openai/gpt-4o-mini", "", "", "openai", "gpt-4o-mini", "openai"},
			{"gpt-4o-mini", "", "", "openai", "gpt-4o-mini", "openai"},
			{"openrouter/openai/gpt-4o-mini", "", "", "openrouter", "openai/gpt-4o-mini", "openrouter"},
			{"anthropic/claude-haiku-4.5", "", "", "openrouter", "anthropic/claude-haiku-4.5", "openrouter"},
			{"groq/openai/gpt-oss-120b", "", "", "groq", "openai/gpt-oss-120b", "groq"},
			{"together/openai/gpt-oss-120b", "", "", "together", "openai/gpt-oss-120b", "together"},
			{"openai/gpt-oss-120b", "X-LLM-Provider", "together", "together", "openai/gpt-oss-120b", "together"},
			{"openai/gpt-oss-120b", "X-LLM-Provider", "together, groq", "groq", "openai/gpt-oss-120b", "groq"},
			{"openai/gpt-oss-120b", "X-LLM-Priorities", "2", "together", "openai/gpt-oss-120b", "together"},
			{"gpt-4o-mini", "X-LLM-Priorities", "5, 2", "openai", "gpt-4o-mini", "openai 5"},
			{"gpt-4o-mini", "X-LLM-Provider", "auto", "openai", "gpt-4o-mini", "openai"},
			{"gpt-4o-mini", "X-LLM-Provider", "groq", "", "", "another provider was asked for"},
			{"gpt-4o-mini", "X-LLM-Priorities", "9", "", "", "allowedPriorities"},
			{"gpt-4o-mini", "X-LLM-Provider", "nobody", "", "", "unknown provider"},
			{"gpt-4o-mini", "X-LLM-Priorities", "high", "", "", "whole numbers"},
			{"no/such/model", "", "", "", "", "no/such/model"},
		} {
			for _, streamed := range []bool{false, true} {
				var header []string
				if c.header != "" {
					header = []string{c.header, c.value}
				}
				got, r, err := p.exchange(s, &request{model: c.model, turns: []turn{{text: "Hello"}}, streamed: streamed}, header...)
				name := fmt.Sprintf("%s, %s, %s: %s", s.name, c.model, c.header, c.value)
				h := r.header
				switch {
				case err != nil:
					t.Errorf("%s: %v", name, err)
				case c.provider == "":
					refused := 400
					if c.header == "" { // no setting excludes a key: nobody has the model
						refused = 404
					}
					if r.status != refused || got.failed == nil || !strings.Contains(string(r.body), c.key) {
						t.Errorf("%s: %d %s, want %s", name, r.status, r.body, c.key)
					}
				case r.status != 200 || h.Get("X-LLM-Provider") != c.provider || h.Get("X-LLM-Model") != c.upstream || h.Get("X-LLM-Key-ID") != keys[c.key] || h.Get("X-LLM-Latency-Ms") == "" || h.Get("X-Request-ID") == "":
					t.Errorf("%s: %d %v", name, r.status, h)
				}
			}
		}
	}
}

// An unauthenticated caller gets an error in its dialect that names the header for the token.
func TestUnauthorized(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	p.key("openai", "")
	stranger, err := w.secrets.NewToken(zeros{})
	w.must(err)
	for _, s := range callers() {
		path, body := s.write(&request{model: "gpt-4o-mini", turns: []turn{{text: "Hello"}}})
		query := "?"
		if strings.Contains(path, "?") {
			query = "&"
		}
		wants := map[string]string{"native": "Authorization: Bearer", "openai": "Authorization: Bearer", "responses": "Authorization: Bearer",
			"anthropic": "x-api-key", "gemini": "x-goog-api-key", "gemini array": "x-goog-api-key"}
		for name, c := range map[string]struct {
			path   string
			header []string
			says   string
		}{
			"no token":          {path, nil, wants[s.name]},
			"in the query":      {path + query + "key=" + url.QueryEscape(p.token), nil, "x-goog-api-key"},
			"not a token":       {path, s.auth("sk-1234"), "begins with llm_"},
			"somebody else's":   {path, s.auth(stranger), "token"},
			"with a bad header": {path, []string{"Authorization", "Basic xyz"}, "Bearer"},
		} {
			r := p.send("POST", c.path, body, c.header...)
			f, err := s.failed(r.body)
			kind := map[string]string{"native": "UNAUTHORIZED", "openai": "invalid_request_error invalid_api_key", "responses": "invalid_request_error invalid_api_key",
				"anthropic": "authentication_error", "gemini": "UNAUTHENTICATED 401", "gemini array": "UNAUTHENTICATED 401"}[s.name]
			if err != nil || r.status != 401 || strings.TrimSpace(f.kind+" "+f.code) != kind || !strings.Contains(f.message, c.says) || r.header.Get("X-Should-Retry") != "false" || r.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: %v, %d %v %s", s.name, name, err, r.status, r.header, r.body)
			}
			if strings.Contains(string(r.body), p.token) {
				t.Errorf("%s, %s: the token is in the answer", s.name, name)
			}
		}
		// Each dialect takes its own header and a bearer token.
		for _, header := range [][]string{bearer(p.token), s.auth(p.token)} {
			if r := p.send("POST", path, body, header...); r.status != 200 {
				t.Errorf("%s, %v: %d %s", s.name, header[0], r.status, r.body)
			}
		}
	}
}

// zeros is a source of zero bytes in place of randomness.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A wrong base URL is a 404 in the dialect that names the right one, unless slashes or the base alone are wrong. Nothing
// is redirected.
func TestWrongPaths(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, s := range callers() {
		if s.name == "native" {
			continue // it has no SDK
		}
		path, body := s.write(&request{model: "gpt-4o-mini", turns: []turn{{text: "Hello"}}})
		version, rest, _ := strings.Cut(path[1:], "/")
		for _, odd := range []string{"/" + path, "/" + version + "/" + "/" + rest, "/" + rest} {
			r := p.send("POST", odd, body, s.auth(p.token)...)
			if f, err := s.failed(r.body); err != nil || r.status != 400 || !strings.Contains(f.message, "you have no provider key") {
				t.Errorf("%s, %s: %v, %d %s", s.name, odd, err, r.status, r.body)
			}
		}
		for _, wrong := range []string{"/v1" + path, "/gateway" + path, "/" + version + path} {
			r := p.send("POST", wrong, body, s.auth(p.token)...)
			f, err := s.failed(r.body)
			if err != nil || r.status != 404 || !strings.HasSuffix(f.message, "SDKs is "+w.url+s.base) || r.header.Get("Location") != "" {
				t.Errorf("%s, %s: %v, %d %s", s.name, wrong, err, r.status, r.body)
			}
		}
	}
}

// What an SDK makes of a base URL with a slash too many, or without the version, is served.
func TestForgivenPaths(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	p.key("openai", "sk-forgiven-0001")
	for _, s := range callers() {
		if s.name == "native" {
			continue
		}
		path, body := s.write(&request{model: "gpt-4o-mini", turns: []turn{{text: "Hello"}}})
		version, rest, _ := strings.Cut(path[1:], "/")
		for _, near := range []string{"/" + path, "/" + version + "//" + rest, "/" + rest} {
			if r := p.send("POST", near, body, s.auth(p.token)...); r.status != 200 {
				t.Errorf("%s, %s: %d %s", s.name, near, r.status, r.body)
			}
		}
	}
}

// A request whose limit is above the model's gets the model's limit, as Claude Code does not know it. In the
// provider's own dialect the provider answers for itself.
func TestLimitAboveTheModels(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, provider := range []string{"openai", "gemini", "anthropic"} {
		p.key(provider, "")
	}
	refused := map[string]bool{"gpt-4o-mini, openai": true, "gemini-2.5-flash, gemini": true, "gemini-2.5-flash, gemini array": true}
	passes := map[string]bool{"gpt-4o-mini, responses": true} // OpenAI takes it there
	for _, model := range []string{"gpt-4o-mini", "gemini-2.5-flash", "claude-haiku-4-5"} {
		for _, s := range callers() {
			name := model + ", " + s.name
			_, r, err := p.exchange(s, &request{model: model, turns: []turn{{text: "Hello"}}, limit: 100_000})
			status, warned := 200, !refused[name] && !passes[name]
			if refused[name] {
				status = 400
			}
			if err != nil || r.status != status || strings.Contains(r.header.Get("X-LLM-Warnings"), "gives at most") != warned {
				t.Errorf("%s: %v, %d %s, %v", name, err, r.status, r.body, r.header)
			}
		}
	}
}

// Providers with a token counter count; for the others the gateway estimates and sets a flag. No quota is used.
func TestCounting(t *testing.T) {
	w := newWorld(t)
	for _, pr := range providers() {
		for _, model := range pr.models {
			p := w.person()
			key := p.key(pr.id, "")
			req := request{model: pr.id + "/" + model, system: "Be brief.", turns: []turn{{text: "one two three four"}}, tools: both()}
			// The input tokens that an answer to the same request is charged for.
			got, _, err := p.exchange(nativeCaller(), &req)
			if err != nil || got.usage["input"] == 0 {
				t.Errorf("%s: %v %v", model, got.usage, err)
			}
			before := p.used(key)
			_, messages := writeAnthropic(&req)
			_, contents := writeGemini(&req, "")
			var counted struct {
				Input int64 `json:"input_tokens"`
				Total int64 `json:"totalTokens"`
			}
			nested := encode(object{"generateContentRequest": merged(contents, object{"model": "models/" + req.model})})
			for name, c := range map[string]struct {
				path string
				body []byte
				auth []string
			}{
				"anthropic":      {"/v1/messages/count_tokens", drop(messages, "max_tokens"), anthropicCaller().auth(p.token)},
				"gemini":         {"/v1beta/models/" + req.model + ":countTokens", drop(contents, "systemInstruction", "tools"), []string{"X-Goog-Api-Key", p.token}},
				"gemini, nested": {"/v1beta/models/" + req.model + ":countTokens", nested, []string{"X-Goog-Api-Key", p.token}},
			} {
				counted.Input, counted.Total = 0, 0
				r := p.send("POST", c.path, c.body, c.auth...)
				err := json.Unmarshal(r.body, &counted)
				n, marked := counted.Input+counted.Total, strings.Contains(r.header.Get("X-Llm-Warnings"), "estimated")
				exact := pr.id == "anthropic" || pr.id == "gemini" || pr.id == "openai"
				want := got.usage["input"]
				if name == "gemini" {
					want -= 5 // the system prompt
				}
				if err != nil || r.status != 200 || n == 0 || marked == exact || exact && n != want {
					t.Errorf("%s, %s: %v, %d %s, warned %v; an answer has %d", model, name, err, r.status, r.body, marked, want)
				}
			}
			if after := p.used(key); after != before || before != 1 {
				t.Errorf("%s: %d places of the quota are used, %d before", model, after, before)
			}
		}
	}
}

func drop(body []byte, names ...string) []byte {
	v := object{}
	if err := json.Unmarshal(body, &v); err != nil {
		panic(err)
	}
	for _, n := range names {
		delete(v, n)
	}
	return encode(v)
}

func merged(body []byte, more object) object {
	v := object{}
	if err := json.Unmarshal(body, &v); err != nil {
		panic(err)
	}
	for k, m := range more {
		v[k] = m
	}
	return v
}

// The list has the models of the enabled keys, spent ones included, in the shape of each SDK, with limits where they
// are known.
func TestModels(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, pr := range providers() {
		key := p.key(pr.id, "")
		if pr.id == "groq" {
			p.spend(key)
		}
	}
	var openAI struct {
		Object string
		Data   []struct {
			ID, Object string
			OwnedBy    string `json:"owned_by"`
			Created    *int64
			Context    int64 `json:"context_window"`
			Output     int64 `json:"max_output_tokens"`
			Providers  []string
		}
	}
	r := p.send("GET", "/v1/models", nil, bearer(p.token)...)
	w.must(json.Unmarshal(r.body, &openAI))
	limits := map[string]int64{}
	for _, m := range openAI.Data {
		if m.Object != "model" || m.OwnedBy == "" || m.Created == nil || len(m.Providers) == 0 {
			t.Errorf("%+v", m)
		}
		limits[m.ID] = m.Context
	}
	for _, pr := range providers() {
		for _, model := range pr.models {
			if known, _ := catalog.Lookup(pr.id, model); known.Ended(time.Now().UTC().Format(time.DateOnly)) {
				if _, listed := limits[model]; listed {
					t.Errorf("%s is listed, though it ended on %s", model, known.EndOfLife)
				}
				continue
			}
			if limits[model] == 0 && model != "mistral-small-latest" {
				t.Errorf("%s is not listed, or without its limit: %d", model, limits[model])
			}
		}
	}
	var anthropic struct {
		Data []struct {
			Type, ID, DisplayName string
			Input                 int64  `json:"max_input_tokens"`
			Created               string `json:"created_at"`
		}
		HasMore bool   `json:"has_more"`
		LastID  string `json:"last_id"`
	}
	var gemini struct {
		Models []struct {
			Name                       string
			InputTokenLimit            int64
			SupportedGenerationMethods []string
		}
		NextPageToken string
	}
	inAnthropic, inGemini := map[string]int64{}, map[string]int64{}
	for after := ""; ; after = "&after_id=" + url.QueryEscape(anthropic.LastID) {
		anthropic.Data = nil
		r := p.send("GET", "/v1/models?limit=100"+after, nil, anthropicCaller().auth(p.token)...)
		w.must(json.Unmarshal(r.body, &anthropic))
		for _, m := range anthropic.Data {
			if m.Type != "model" || m.Created == "" {
				t.Errorf("%+v", m)
			}
			inAnthropic[m.ID] = m.Input
		}
		if !anthropic.HasMore || len(anthropic.Data) == 0 {
			break
		}
	}
	for page := ""; ; page = "&pageToken=" + url.QueryEscape(gemini.NextPageToken) {
		gemini.Models, gemini.NextPageToken = nil, ""
		r := p.send("GET", "/v1beta/models?pageSize=100"+page, nil, "X-Goog-Api-Key", p.token)
		w.must(json.Unmarshal(r.body, &gemini))
		for _, m := range gemini.Models {
			if !strings.HasPrefix(m.Name, "models/") || !slices.Contains(m.SupportedGenerationMethods, "generateContent") &&
				!slices.Contains(m.SupportedGenerationMethods, "embedContent") {
				t.Errorf("%+v", m)
			}
			inGemini[strings.TrimPrefix(m.Name, "models/")] = m.InputTokenLimit
		}
		if gemini.NextPageToken == "" {
			break
		}
	}
	for id, limit := range limits {
		if n, ok := inAnthropic[id]; !ok || n != limit {
			t.Errorf("%s is %d in the list of Anthropic's shape, want %d", id, n, limit)
		}
		if n, ok := inGemini[id]; ok && n != limit {
			t.Errorf("%s is %d in the list of Google's shape, want %d", id, n, limit)
		}
	}
	if len(inGemini) < len(limits)/2 || len(inAnthropic) != len(limits) {
		t.Errorf("%d models for OpenAI's clients, %d for Anthropic's, %d for Google's", len(limits), len(inAnthropic), len(inGemini))
	}
	for path, header := range map[string][]string{
		"/v1/models/claude-opus-4-8":                   anthropicCaller().auth(p.token),
		"/v1/models/accounts/fireworks/models/glm-5p3": bearer(p.token),
		"/v1/models/openai/gpt-oss-120b":               bearer(p.token),
		"/v1beta/models/gemini-2.5-flash":              {"X-Goog-Api-Key", p.token},
	} {
		if r := p.send("GET", path, nil, header...); r.status != 200 || !strings.Contains(string(r.body), path[strings.LastIndexByte(path, '/')+1:]) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := p.send("GET", "/v1/models/no-such", nil, bearer(p.token)...); r.status != 404 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// Embeddings are numbers or base64, as the caller chooses, whatever the provider sends.
func TestEmbeddings(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	for _, c := range []struct {
		provider, model string
		size            int
		shorter         string // the error of a request for fewer dimensions; empty: it succeeds
	}{
		{"openai", "text-embedding-3-small", 1536, ""},
		{"openrouter", "openai/text-embedding-3-small", 1536, ""},
		{"gemini", "gemini-embedding-001", 3072, ""},
		{"mistral", "codestral-embed", 3072, ""},
		{"together", "intfloat/multilingual-e5-large-instruct", 1024, "dimensions"},
		{"fireworks", "nomic-ai/nomic-embed-text-v1.5", 1024, ""},
	} {
		p.key(c.provider, "")
		embed := func(more object) (vectors [][]float32, tokens int64, r *reply) {
			body := object{"model": c.provider + "/" + c.model, "input": []string{"Grüße, Welt", "two"}}
			for k, v := range more {
				body[k] = v
			}
			r = p.send("POST", "/v1/embeddings", encode(body), bearer(p.token)...)
			var v struct {
				Object, Model string
				Data          []struct {
					Object    string
					Index     int
					Embedding json.RawMessage
				}
				Usage struct {
					Prompt int64 `json:"prompt_tokens"`
					Total  int64 `json:"total_tokens"`
				}
			}
			if r.status != 200 {
				return nil, 0, r
			}
			w.must(json.Unmarshal(r.body, &v))
			for i, d := range v.Data {
				var vector []float32
				var text string
				if json.Unmarshal(d.Embedding, &text) == nil {
					raw, err := base64.StdEncoding.DecodeString(text)
					w.must(err)
					for ; len(raw) >= 4; raw = raw[4:] {
						vector = append(vector, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
					}
					if more["encoding_format"] != "base64" {
						t.Errorf("%s: base64 that nobody asked for", c.provider)
					}
				} else {
					w.must(json.Unmarshal(d.Embedding, &vector))
					if more["encoding_format"] == "base64" {
						t.Errorf("%s: no base64", c.provider)
					}
				}
				if d.Index != i || d.Object != "embedding" || v.Object != "list" || v.Model == "" {
					t.Errorf("%s: %s", c.provider, r.body[:200])
				}
				vectors = append(vectors, vector)
			}
			return vectors, v.Usage.Prompt, r
		}
		plain, tokens, r := embed(nil)
		packed, _, _ := embed(object{"encoding_format": "base64"})
		if len(plain) != 2 || len(plain[0]) != c.size || len(packed) != 2 || !slices.Equal(plain[0], packed[0]) || !slices.Equal(plain[1], packed[1]) || tokens == 0 {
			t.Errorf("%s: %d vectors of %d, %d in base64, %d tokens: %d %.300s", c.provider, len(plain), len(slices.Concat(plain...)), len(slices.Concat(packed...)), tokens, r.status, r.body)
			continue
		}
		if row := p.row(r); row.Input != tokens || row.Provider != c.provider || row.Output != 0 {
			t.Errorf("%s: the row says %+v", c.provider, row)
		}
		short, _, r := embed(object{"dimensions": 8})
		if c.shorter == "" && (len(short) != 2 || len(short[0]) != 8) || c.shorter != "" && (r.status != 400 || !strings.Contains(string(r.body), c.shorter)) {
			t.Errorf("%s, fewer dimensions: %d %.300s", c.provider, r.status, r.body)
		}
	}
}

// More inputs than a call of the provider takes are split, and the vectors come in the order of the inputs.
func TestManyInputsAreSplit(t *testing.T) {
	w := newWorld(t)
	p := w.person()
	p.key("gemini", "")
	var inputs []string
	for i := range 230 {
		inputs = append(inputs, fmt.Sprintf("text %d", i))
	}
	ask := func(inputs []string) (vectors []string, prompt int) {
		t.Helper()
		body, _ := json.Marshal(object{"model": "gemini-embedding-2", "input": inputs})
		r := p.send("POST", "/v1/embeddings", body, bearer(p.token)...)
		var v struct {
			Data []struct {
				Index     int
				Embedding json.RawMessage
			}
			Usage struct {
				PromptTokens int `json:"prompt_tokens"`
			}
		}
		if err := json.Unmarshal(r.body, &v); err != nil || r.status != 200 || len(v.Data) != len(inputs) {
			t.Fatalf("%v, %d %.500s", err, r.status, r.body)
		}
		for i, d := range v.Data {
			if d.Index != i {
				t.Errorf("the vector %d has the index %d", i, d.Index)
			}
			vectors = append(vectors, string(d.Embedding))
		}
		return vectors, v.Usage.PromptTokens
	}
	all, tokens := ask(inputs)
	sum := 0
	for at := 0; at < len(inputs); at += 70 {
		part, n := ask(inputs[at:min(at+70, len(inputs))])
		sum += n
		for i := range part {
			if all[at+i] != part[i] {
				t.Fatalf("the vector of input %d is another's", at+i)
			}
		}
	}
	if tokens != sum {
		t.Errorf("%d tokens, want %d", tokens, sum)
	}
}
