package gemini_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/internal/dialecttest"
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

func TestEncodeEmbedding(t *testing.T) {
	req := &chat.EmbeddingRequest{Model: "models/e 1", Inputs: []chat.EmbeddingInput{{Text: "a\"b"}, {Text: ""}}, Dimensions: ptr(int64(768)), User: "u"}
	enc, err := gemini.Client{Rules: &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "p"}}}.EncodeEmbedding(req)
	const want = `{"requests":[{"model":"models/e 1","content":{"parts":[{"text":"a\"b"}]},"outputDimensionality":768},{"model":"models/e 1","content":{"parts":[{"text":""}]},"outputDimensionality":768}]}`
	if err != nil || string(enc.Body) != want || enc.Path != "/v1beta/models/e%201:batchEmbedContents" || len(enc.Warnings) != 1 {
		t.Errorf("%v %s %q\n%s", err, enc.Path, enc.Warnings, enc.Body)
	}
	for name, c := range map[string]struct {
		req   chat.EmbeddingRequest
		rules dialect.EmbeddingRules
		param string
	}{
		"tokens":     {chat.EmbeddingRequest{Inputs: []chat.EmbeddingInput{{Tokens: []int64{1}}}}, dialect.EmbeddingRules{}, "input"},
		"dimensions": {chat.EmbeddingRequest{Inputs: make([]chat.EmbeddingInput, 1), Dimensions: ptr(int64(1))}, dialect.EmbeddingRules{Dimensions: dialect.DimensionsRefused}, "dimensions"},
	} {
		_, err := gemini.Client{Rules: &gemini.Rules{Embeddings: c.rules}}.EncodeEmbedding(&c.req)
		var refused *chat.Error
		if !errors.As(err, &refused) || refused.Class != chat.BadRequest || refused.Param != c.param {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeEmbedding(t *testing.T) {
	resp, err := gemini.Client{}.DecodeEmbedding([]byte(`{"embeddings":[{"values":[0.5, 1]},{"values":[-1e-3]}],"usageMetadata":{"promptTokenCount":7}}`), 2)
	if err != nil || string(resp.Vectors[0]) != "[0.5,1]" || string(resp.Vectors[1]) != "[-1e-3]" || resp.Usage == nil || resp.Usage.Input != 7 {
		t.Errorf("%v %+v", err, resp)
	}
	if resp, err = (gemini.Client{}).DecodeEmbedding([]byte(`{"embeddings":[{"values":[1]}]}`), 1); err != nil || resp.Usage != nil {
		t.Errorf("without usage: %v %+v", err, resp)
	}
	for in, class := range map[string]chat.Class{
		`{"embeddings":[{"values":[1]}]}`:                chat.Transport,
		`{"embeddings":[{"values":[1]},{"values":"x"}]}`: chat.Transport,
		`{}`: chat.Transport, `{`: chat.Transport,
		`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`: "",
	} {
		_, err := gemini.Client{}.DecodeEmbedding([]byte(in), 2)
		var failed *chat.Error
		if !errors.As(err, &failed) || failed.Class != class {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestEncodeCount(t *testing.T) {
	req := everything()
	req.Temperature = ptr(1.0)
	rules := &gemini.Rules{CommonRules: dialect.CommonRules{Provider: "p"}}
	asked, err := gemini.Client{Rules: rules}.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := gemini.Client{Rules: rules}.EncodeCount(req)
	want := `{"generateContentRequest":{"model":"models/gemini x/1",` + string(asked.Body[1:]) + `}`
	if err != nil || string(enc.Body) != want || enc.Path != "/v1beta/models/gemini%20x%2F1:countTokens" || !json.Valid(enc.Body) {
		t.Errorf("%v %s\n got %s\nwant %s", err, enc.Path, enc.Body, want)
	}
	again, _, err := gemini.NewServer("models/gemini x/1", gemini.Whole).DecodeCount(enc.Body)
	if err != nil || len(again.Messages) == 0 {
		t.Errorf("its own server does not read it: %v", err)
	}
	for in, n := range map[string]int64{
		`{"totalTokens": 61,"promptTokensDetails":[]}`: 61, `{"totalTokens":0}`: 0, `{}`: -1, `{"totalTokens":-1}`: -1, `[`: -1, `{"error":{"code":400}}`: -1,
	} {
		if got, err := (gemini.Client{}).DecodeCount([]byte(in)); (err != nil) != (n < 0) || err == nil && got != n {
			t.Errorf("%s: %d %v", in, got, err)
		}
	}
}

// The client writes the recorded requests and reads the recorded answers.
func TestRecordedCountsAndEmbeddings(t *testing.T) {
	counts, vectors := 0, 0
	for name, x := range dialecttest.Exchanges(t, "gemini") {
		answer := []byte(x.Response.Body)
		switch {
		case strings.HasSuffix(x.Request.URL, ":countTokens") && x.Response.Status == 200:
			counts++
			if n, err := (gemini.Client{}).DecodeCount(answer); err != nil || n == 0 {
				t.Errorf("%s: %d %v", name, n, err)
			}
		case strings.HasSuffix(x.Request.URL, ":batchEmbedContents") && x.Response.Status == 200:
			vectors++
			if resp, err := (gemini.Client{}).DecodeEmbedding(answer, 1); err != nil || len(resp.Vectors[0]) < 100 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if counts < 3 || vectors < 2 {
		t.Errorf("%d counts, %d embeddings", counts, vectors)
	}
}
