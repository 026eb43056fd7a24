package openai_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// numbers returns the numbers of a vector in either form.
func numbers(t *testing.T, vector any) []float32 {
	t.Helper()
	var out []float32
	if text, ok := vector.(string); ok {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(data)%4 != 0 {
			t.Fatal(err, len(data))
		}
		for i := 0; i < len(data); i += 4 {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(data[i:])))
		}
		return out
	}
	for _, n := range list(vector) {
		out = append(out, float32(num(n)))
	}
	return out
}

// Each number of a recorded vector is read, and written in both forms unchanged.
func TestRecordedEmbeddings(t *testing.T) {
	forms := map[bool]int{}
	for name, x := range recorded(t, "/embeddings") {
		if x.Response.Status >= 400 {
			continue
		}
		data := list(object1(t, name, []byte(x.Response.Body))["data"])
		resp, err := openai.Client{}.DecodeEmbedding([]byte(x.Response.Body), len(data))
		if err != nil || resp.Usage == nil || resp.Usage.Input == 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, item := range data {
			_, packed := obj(item)["embedding"].(string)
			forms[packed]++
			want := numbers(t, obj(item)["embedding"])
			for _, form := range []bool{false, true} {
				out, err := openai.NewDialect().Endpoints[1].Embeddings("").EncodeEmbedding(resp, &chat.EmbeddingRequest{Base64: form})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				got := numbers(t, obj(list(object1(t, name, out)["data"])[i])["embedding"])
				if len(got) < 256 || !equalBits(got, want) {
					t.Errorf("%s, base64 %v: %d numbers, want %d", name, form, len(got), len(want))
				}
			}
		}
	}
	if forms[false] == 0 || forms[true] < 3 {
		t.Errorf("too few recordings: %v", forms)
	}
}

func equalBits(a, b []float32) bool {
	var x, y bytes.Buffer
	for _, n := range a {
		_ = binary.Write(&x, binary.LittleEndian, n)
	}
	for _, n := range b {
		_ = binary.Write(&y, binary.LittleEndian, n)
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}

func pack(list ...float32) string {
	var data []byte
	for _, n := range list {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(n))
	}
	return base64.StdEncoding.EncodeToString(data)
}

// Vectors are numbers or base64.
func TestVectorForms(t *testing.T) {
	answer := func(vector string) []byte {
		return []byte(`{"model":"m","data":[{"index":0,"embedding":` + vector + `}],"usage":{"prompt_tokens":3}}`)
	}
	extremes := []float32{0, float32(math.Copysign(0, -1)), 0.1, -1.5, math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-7, 16777217}
	resp, err := openai.Client{}.DecodeEmbedding(answer(`"`+pack(extremes...)+`"`), 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	if err := json.Unmarshal(resp.Vectors[0], &got); err != nil || !equalBits(got, extremes) {
		t.Errorf("%v: %s", err, resp.Vectors[0])
	}
	if resp, err = (openai.Client{}).DecodeEmbedding(answer("[0.5, -1e-3]"), 1); err != nil || string(resp.Vectors[0]) != "[0.5,-1e-3]" {
		t.Errorf("%v, %v", resp, err)
	}
	for _, bad := range []string{`""`, `"AAA="`, `"not base64"`, `"` + strings.Repeat("A", 5) + `"`, `{}`, "null", "1",
		`"` + pack(1, float32(math.NaN())) + `"`, `"` + pack(float32(math.Inf(1))) + `"`} {
		var failed *chat.Error
		if _, err := (openai.Client{}).DecodeEmbedding(answer(bad), 1); !errors.As(err, &failed) || failed.Class != chat.Transport {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// The answer of a provider of the dialect keeps all its members, and each vector has the form that the caller wants.
func TestEmbeddingKeepsMembers(t *testing.T) {
	packed := `"` + base64.StdEncoding.EncodeToString([]byte{0, 0, 0, 63, 0, 0, 128, 63}) + `"`
	for in, want := range map[string][2]string{
		`{"id":"e-1","object":"list","data":[{"index":1,"embedding":[0.5,1],"object":"embedding"},{"index":0,"embedding":[0.5,1],"object":"embedding","x":1}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.1},"provider":"p"}`: {
			`{"id":"e-1","object":"list","data":[{"index":1,"embedding":[0.5,1],"object":"embedding"},{"index":0,"embedding":[0.5,1],"object":"embedding","x":1}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.1},"provider":"p"}`,
			`{"id":"e-1","object":"list","data":[{"index":1,"embedding":` + packed + `,"object":"embedding"},{"index":0,"embedding":` + packed + `,"object":"embedding","x":1}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.1},"provider":"p"}`,
		},
		`{"request_id":"r","data":[{"embedding":` + packed + `},{"embedding":[0.5,1]}]}`: {
			`{"request_id":"r","data":[{"embedding":[0.5,1],"object":"embedding","index":0},{"embedding":[0.5,1],"object":"embedding","index":1}],"object":"list","model":"asked","usage":{"prompt_tokens":9,"total_tokens":9}}`,
			`{"request_id":"r","data":[{"embedding":` + packed + `,"object":"embedding","index":0},{"embedding":` + packed + `,"object":"embedding","index":1}],"object":"list","model":"asked","usage":{"prompt_tokens":9,"total_tokens":9}}`,
		},
	} {
		resp, err := openai.Client{}.DecodeEmbedding([]byte(in), 2)
		if err != nil {
			t.Fatal(err)
		}
		resp.Raw = []byte(in)
		if resp.Model == "" {
			resp.Model = "asked"
		}
		if resp.Usage == nil {
			resp.Usage = &chat.Usage{Input: 9}
		}
		for i, form := range []bool{false, true} {
			out, err := openai.NewDialect().Endpoints[1].Embeddings("").EncodeEmbedding(resp, &chat.EmbeddingRequest{Base64: form})
			if err != nil || string(out) != want[i] {
				t.Errorf("base64 %v: %v\n got %s\nwant %s", form, err, out, want[i])
			}
		}
	}
}
