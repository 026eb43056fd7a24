package emulator

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
)

var embedModels = map[string]string{"openai": "text-embedding-3-small", "mistral": "codestral-embed", "together": "BAAI/bge-large-en-v1.5",
	"fireworks": "nomic-ai/nomic-embed-text-v1.5", "openrouter": "openai/text-embedding-3-small"}

func floats(v any) (out []float32) {
	for _, f := range items(v) {
		out = append(out, float32(num(f)))
	}
	return out
}

func TestEmbeddings(t *testing.T) {
	for provider, model := range embedModels {
		t.Run(provider, func(t *testing.T) {
			cl := newClient(t)
			request := func(more object) map[string]any {
				return parse(t, cl.good(provider, "/embeddings", merge(object{"model": model, "input": "one two"}, more)))
			}
			one := floats(dig(request(nil), "data", 0, "embedding"))
			if n := embedSize(model); len(one) != n {
				t.Fatalf("%d numbers, want %d", len(one), n)
			}
			sum := 0.0
			for _, f := range one {
				sum += float64(f) * float64(f)
			}
			if math.Abs(sum-1) > 1e-3 {
				t.Errorf("its length is %v", math.Sqrt(sum))
			}
			v := request(object{"input": []string{"other", "one two"}})
			if !slices.Equal(floats(dig(v, "data", 1, "embedding")), one) ||
				slices.Equal(floats(dig(v, "data", 0, "embedding")), one) || num(dig(v, "data", 1, "index")) != 1 {
				t.Error("a vector does not follow from its text alone")
			}
			if used := num(dig(v, "usage", "total_tokens")); (used == 3) != (provider != "together") {
				t.Errorf("usage %v", v["usage"])
			}
			if !profileOf(provider).embeddings.formats {
				return
			}
			raw, err := base64.StdEncoding.DecodeString(str(dig(request(object{"encoding_format": "base64"}), "data", 0, "embedding")))
			if err != nil || len(raw) != 4*len(one) {
				t.Fatalf("%d bytes, %v", len(raw), err)
			}
			for i, f := range one {
				if math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])) != f {
					t.Fatalf("number %d differs", i)
				}
			}
			if got := floats(dig(request(object{profileOf(provider).embeddings.dimensions: 64}), "data", 0, "embedding")); len(got) != 64 {
				t.Errorf("%d numbers for 64", len(got))
			}
		})
	}
}

func TestEmbeddingsStrictness(t *testing.T) {
	tests := map[string]struct {
		provider string
		more     object
		status   int
		part     string
	}{
		"tokens":           {"openai", object{"input": []int{1, 2, 3}}, 200, `"prompt_tokens":3`},
		"lists of tokens":  {"openai", object{"input": [][]int{{1, 2}, {3}}}, 200, `"index":1`},
		"tokens, mistral":  {"mistral", object{"input": []int{1}}, 400, "input"},
		"empty":            {"openai", object{"input": ""}, 400, "empty string"},
		"none":             {"openai", object{"input": []string{}}, 400, "empty array"},
		"too many":         {"openai", object{"input": slices.Repeat([]string{"a"}, 2049)}, 400, "2048"},
		"too long":         {"openai", object{"input": strings.Repeat("a ", 8193)}, 400, "8192"},
		"dimensions":       {"openai", object{"dimensions": 1537}, 400, "1536"},
		"dimensions, ada":  {"openai", object{"model": "text-embedding-ada-002", "dimensions": 5}, 400, "does not support"},
		"format":           {"openai", object{"encoding_format": "hex"}, 400, "base64"},
		"unknown":          {"openai", object{"truncate": true}, 400, "unknown_parameter"},
		"unknown, mistral": {"mistral", object{"dimensions": 64}, 422, "extra_forbidden"},
		"model":            {"openai", object{"model": "no-such"}, 404, "model_not_found"},
		"chat model":       {"openai", object{"model": "gpt-4.1"}, 403, "not allowed"},
		"none there":       {"groq", nil, 404, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			model := embedModels[tt.provider]
			status, text := newClient(t).post(tt.provider, "/embeddings", merge(object{"model": model, "input": "hi"}, tt.more))
			if status != tt.status || !strings.Contains(text, tt.part) {
				t.Errorf("%d %.300s", status, text)
			}
		})
	}
	cl := newClient(t)
	for provider, model := range embedModels {
		if resp, _, err := cl.send("POST", provider, "/embeddings", "sk-emulated-fault-429",
			object{"model": model, "input": "hi"}); err != nil || resp.StatusCode != 429 {
			t.Errorf("%s meets no fault", provider)
		}
	}
}

func TestGoogleEmbeddings(t *testing.T) {
	cl := newClient(t)
	content := object{"parts": []any{object{"text": "one two"}}}
	for model, usage := range map[string]bool{"gemini-embedding-001": false, "gemini-embedding-2": true} {
		path := "/v1beta/models/" + model
		v := parse(t,
			cl.good("gemini", path+":embedContent", object{"content": content, "outputDimensionality": 64, "taskType": "RETRIEVAL_QUERY"}))
		one := floats(dig(v, "embedding", "values"))
		batch := parse(t, cl.good("gemini", path+":batchEmbedContents", object{"requests": []any{
			object{"model": "models/" + model, "content": object{"parts": []any{object{"text": "other"}}}},
			object{"model": "models/" + model, "content": content, "output_dimensionality": 64}}}))
		if len(one) != 64 || !slices.Equal(floats(dig(batch, "embeddings", 1, "values")), one) ||
			len(floats(dig(batch, "embeddings", 0, "values"))) != 3072 {
			t.Errorf("%s: %d numbers", model, len(one))
		}
		if (v["usageMetadata"] != nil) != usage {
			t.Errorf("%s: usage %v", model, v["usageMetadata"])
		}
	}
	for name, tt := range map[string]struct {
		path   string
		body   object
		status int
	}{
		"another model": {"gemini-embedding-001:batchEmbedContents",
			object{"requests": []any{object{"model": "models/x", "content": content}}}, 400},
		"no model":   {"gemini-embedding-001:batchEmbedContents", object{"requests": []any{object{"content": content}}}, 400},
		"none":       {"gemini-embedding-001:batchEmbedContents", object{"requests": []any{}}, 400},
		"empty":      {"gemini-embedding-001:embedContent", object{"content": object{"parts": []any{object{"text": ""}}}}, 400},
		"too long":   {"gemini-embedding-001:embedContent", object{"content": content, "outputDimensionality": 4000}, 400},
		"unknown":    {"gemini-embedding-001:embedContent", object{"input": "hi"}, 400},
		"chat model": {"gemini-2.5-flash:embedContent", object{"content": content}, 404},
	} {
		if status, text := cl.post("gemini", "/v1beta/models/"+tt.path, tt.body); status != tt.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}
