package emulator

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// embeddings holds how a provider's POST /embeddings differs from the others.
type embeddings struct {
	formats    bool   // encoding_format is supported: float or base64
	tokens     bool   // input may be numbers of tokens
	dimensions string // the field for the vectors' length; empty: none
	fields     []string
	open       bool // unknown fields are ignored
}

const (
	maxInputs      = 2048
	maxInputTokens = 8192
)

type embedRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat string          `json:"encoding_format"`

	raw    map[string]json.RawMessage
	inputs []embedInput
	size   int
}

// embedInput is a text or a list of tokens.
type embedInput struct {
	key    string
	tokens int
}

// embed answers POST /embeddings.
func (x *exchange) embed() {
	r := &embedRequest{}
	if f := r.read(x); f != nil {
		x.fail(*f)
		return
	}
	if x.misbehave(r.Model) {
		return
	}
	if f := r.refuse(x); f != nil {
		x.fail(*f)
		return
	}
	x.say(r.answer(x))
}

func (r *embedRequest) read(x *exchange) *failure {
	if json.Unmarshal(x.body, &r.raw) != nil || json.Unmarshal(x.body, r) != nil {
		return x.bad("We could not parse the JSON body of your request.", "")
	}
	x.model = r.Model
	switch {
	case r.Model == "":
		return x.bad("you must provide a model parameter", "model")
	case strings.Contains(r.Model, "no-such"):
		f := x.wire.fault(x, NoModel)
		return &f
	}
	return nil
}

func (r *embedRequest) refuse(x *exchange) *failure {
	e := x.p.embeddings
	for _, name := range keys(r.raw) {
		if name != "model" && name != "input" && !e.open && !slices.Contains(e.fields, name) {
			return x.unknownField("", name)
		}
	}
	if x.p.id == "openai" && !strings.HasPrefix(r.Model, "text-embedding-") {
		return &failure{403, x.p.errorBody("You are not allowed to generate embeddings from this model",
			"invalid_request_error", "", "")}
	}
	if f := r.EncodingFormat; e.formats && f != "" && f != "float" && f != "base64" {
		return x.bad("Invalid value: '"+f+"'. Supported values are: 'float' and 'base64'.", "encoding_format")
	}
	if f := r.refuseSize(x); f != nil {
		return f
	}
	return r.refuseInput(x)
}

func (r *embedRequest) refuseSize(x *exchange) *failure {
	field := x.p.embeddings.dimensions
	r.size = embedSize(r.Model)
	raw, have := r.raw[field]
	if !have || string(raw) == "null" {
		return nil
	}
	var n int
	switch {
	case json.Unmarshal(raw, &n) != nil || n < 1 || n > r.size:
		return x.bad(fmt.Sprintf("Invalid value for '%s': must be from 1 to %d.", field, r.size), field)
	case r.Model == "text-embedding-ada-002", r.Model == "mistral-embed":
		return x.bad("This model does not support specifying "+field+".", field)
	}
	r.size = n
	return nil
}

// embedSize returns the length of a model's vectors.
func embedSize(model string) int {
	switch {
	case strings.Contains(model, "text-embedding-3-large"), strings.Contains(model,
		"gemini-embedding"), strings.Contains(model, "codestral-embed"):
		return 3072
	case strings.Contains(model, "text-embedding"):
		return 1536
	}
	return 1024
}

func (r *embedRequest) refuseInput(x *exchange) *failure {
	var one string
	var texts []string
	var numbers []int
	var lists [][]int
	words := func(s string) embedInput { return embedInput{"text " + s, tokens(s)} }
	ids := func(n []int) embedInput { return embedInput{fmt.Sprint("tokens ", n), len(n)} }
	switch {
	case json.Unmarshal(r.Input, &one) == nil && len(r.Input) > 0:
		r.inputs = []embedInput{words(one)}
	case json.Unmarshal(r.Input, &texts) == nil:
		for _, s := range texts {
			r.inputs = append(r.inputs, words(s))
		}
	case x.p.embeddings.tokens && json.Unmarshal(r.Input, &numbers) == nil:
		r.inputs = []embedInput{ids(numbers)}
	case x.p.embeddings.tokens && json.Unmarshal(r.Input, &lists) == nil:
		for _, l := range lists {
			r.inputs = append(r.inputs, ids(l))
		}
	default:
		return x.bad("Invalid 'input': it must be a string, or a list of them.", "input")
	}
	switch n := len(r.inputs); {
	case n == 0:
		return x.bad("Invalid 'input': input cannot be an empty array.", "input")
	case n > maxInputs:
		return x.bad(fmt.Sprintf("Invalid 'input': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", maxInputs, n), "input")
	}
	for _, in := range r.inputs {
		switch {
		case in.tokens == 0:
			return x.bad("Invalid 'input': input cannot be an empty string.", "input")
		case in.tokens > maxInputTokens:
			return x.bad(fmt.Sprintf("This model's maximum context length is %d tokens, however you requested %d tokens (%d in your prompt; 0 for the completion). Please reduce your prompt; or completion length.", maxInputTokens, in.tokens, in.tokens), "input")
		}
	}
	return nil
}

func (r *embedRequest) answer(x *exchange) any {
	total := 0
	data := []any{}
	for i, in := range r.inputs {
		total += in.tokens
		v := vector(r.Model, in.key, r.size)
		var value any = v
		if r.EncodingFormat == "base64" && x.p.embeddings.formats {
			value = littleEndian(v)
		}
		data = append(data, ordered{{"object", "embedding"}, {"embedding", value}, {"index", i}})
	}
	body := ordered{{"object", "list"}, {"data", data}, {"model", r.Model}}
	usage := ordered{{"prompt_tokens", total}, {"total_tokens", total}}
	switch x.p.id {
	case "together":
		return body // without usage, as its document has it
	case "mistral":
		body = append(ordered{{"id", "emulated" + itoa(x.serial)}}, body...)
		usage = ordered{{"prompt_audio_seconds", nil}, {"prompt_tokens", total}, {"total_tokens", total},
			{"completion_tokens", 0}, {"request_count", nil},
			{"prompt_tokens_details", nil}, {"completion_tokens_details", nil}, {"service_tier", nil},
			{"prompt_token_details", nil}}
	case "openrouter":
		body = append(ordered{{"id", "gen-emb-emulated" + itoa(x.serial)}}, body...)
		usage = append(usage, member{"cost", 0.0000004})
	}
	return append(body, member{"usage", usage})
}

// vector returns a unit vector that depends on the model and the input only. A shorter one is the beginning of the
// longer, normalized again.
func vector(model, input string, size int) []float32 {
	state := binary.BigEndian.Uint64(digest("vector", model+"\x00"+input)) | 1
	v, sum := make([]float32, size), 0.0
	for i := range v {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		f := float64(int64(state>>11))/(1<<52) - 1
		v[i], sum = float32(f), sum+f*f
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(sum))
	}
	return v
}

// littleEndian returns base64 of the vector's numbers in little-endian order.
func littleEndian(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}
