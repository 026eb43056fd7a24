package openai

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// packed returns a vector as base64 of little-endian float32, the default of OpenAI's SDKs.
func packed(vector json.RawMessage) (string, error) {
	var numbers []float32
	if err := json.Unmarshal(vector, &numbers); err != nil {
		const message = "the provider's vector has something else than numbers"
		return "", &chat.Error{Class: chat.Transport, Message: message, Cause: err}
	}
	bytes := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(n))
	}
	return base64.StdEncoding.EncodeToString(bytes), nil
}

// vectorOf reads a vector of numbers, as the gateway requests it, or of base64, as OpenAI answers its own SDKs
// (recorded); nil if it is neither. It writes a number with the fewest digits that give the same float32.
func vectorOf(v jsonx.Value) json.RawMessage {
	if v.Kind() == jsonx.Array {
		return v.Clone()
	}
	bytes, err := base64.StdEncoding.DecodeString(v.Str())
	if err != nil || len(bytes) == 0 || len(bytes)%4 != 0 {
		return nil
	}
	out := append(make([]byte, 0, 4*len(bytes)), '[')
	for i := 0; i < len(bytes); i += 4 {
		n := float64(math.Float32frombits(binary.LittleEndian.Uint32(bytes[i:])))
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return nil
		}
		out = jsonx.AppendComma(out)
		out = strconv.AppendFloat(out, n, 'g', -1, 32)
	}
	return append(out, ']')
}
