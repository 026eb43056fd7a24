package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
)

// embedder returns the codec of the method.
func embedder(method string) dialect.EmbeddingServer {
	for _, e := range gemini.NewDialect().Endpoints {
		if e.Method == method {
			return e.Embeddings("models/e")
		}
	}
	return nil
}

func TestEmbeddingRequests(t *testing.T) {
	req, err := embedder("embedContent").DecodeEmbedding([]byte(`{"model":"models/other","content":{"parts":[{"text":"a"},{"text":"b"}]},"task_type":"CLUSTERING","title":"t","output_dimensionality":256}`))
	if err != nil || req.Model != "e" || len(req.Inputs) != 1 || req.Inputs[0].Text != "ab" || *req.Dimensions != 256 || req.Unfit != "" || strings.Join(req.Dropped, " ") != "taskType title" {
		t.Errorf("%v %+v", err, req)
	}
	// To Gemini it goes as it came, but for the model.
	enc, err := gemini.Client{}.EncodeEmbedding(req)
	const want = `{"requests":[{"model":"models/e","content":{"parts":[{"text":"a"},{"text":"b"}]},"task_type":"CLUSTERING","title":"t","output_dimensionality":256}]}`
	if err != nil || string(enc.Body) != want {
		t.Errorf("%v\n got %s\nwant %s", err, enc.Body, want)
	}
	req, err = embedder("batchEmbedContents").DecodeEmbedding([]byte(`{"requests":[{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{"outputDimensionality":3,"documentOcr":true}},
		{"model":"models/e","content":"b","outputDimensionality":3}]}`))
	if err != nil || len(req.Inputs) != 2 || req.Inputs[1].Text != "b" || *req.Dimensions != 3 || req.Unfit != "" || strings.Join(req.Dropped, " ") != "documentOcr" {
		t.Errorf("%v %+v", err, req)
	}
	for in, why := range map[string]string{
		`{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":3},{"content":{"parts":[{"text":"b"}]}}]}`: "lengths",
		`{"requests":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}`:                      "text",
	} {
		if req, err := embedder("batchEmbedContents").DecodeEmbedding([]byte(in)); err != nil || !strings.Contains(req.Unfit, why) {
			t.Errorf("%s: %v %+v", in, err, req)
		}
	}
	for method, bodies := range map[string]map[string]string{
		"embedContent": {`{}`: "content", `{"content":{"parts":[{"text":"a"}]},"outputDimensionality":0}`: "outputDimensionality", `[]`: "", `{`: ""},
		"batchEmbedContents": {`{}`: "requests", `{"requests":[]}`: "requests", `{"requests":[{}]}`: "requests[0].content",
			`{"requests":[` + strings.Repeat(`{"content":"a"},`, 2048) + `{"content":"a"}]}`: "requests"},
	} {
		for in, path := range bodies {
			if _, err := embedder(method).DecodeEmbedding([]byte(in)); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s, %.60s: %v", method, in, err)
			}
		}
	}
}

func TestEmbeddingAnswers(t *testing.T) {
	own := &chat.EmbeddingResponse{Raw: []byte(`{"embeddings":[{"values":[1, 2],"shape":[2]}],"usageMetadata":{"promptTokenCount":3,"x":1}}`)}
	others := &chat.EmbeddingResponse{Vectors: []json.RawMessage{[]byte("[1, 2]"), []byte("[3]")}, Usage: &chat.Usage{Input: 4}}
	for name, c := range map[string]struct {
		method string
		resp   *chat.EmbeddingResponse
		want   string
	}{
		"own, one":      {"embedContent", own, `{"usageMetadata":{"promptTokenCount":3,"x":1},"embedding":{"values":[1, 2],"shape":[2]}}`},
		"own, batch":    {"batchEmbedContents", own, string(own.Raw)},
		"others, one":   {"embedContent", others, `{"embedding":{"values":[1,2]},"usageMetadata":{"promptTokenCount":4}}`},
		"others, batch": {"batchEmbedContents", others, `{"embeddings":[{"values":[1,2]},{"values":[3]}],"usageMetadata":{"promptTokenCount":4}}`},
	} {
		got, err := embedder(c.method).EncodeEmbedding(c.resp, nil)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, c.want)
		}
	}
}
