package gemini

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// config reads generationConfig.
func (d *decoder) config(v jsonx.Value) {
	if !v.Exists() {
		return
	}
	var f format
	d.object(v, func(m jsonx.Value) {
		switch name := camel(m); {
		case d.sampling(name, m), f.note(name, m), d.otherModalities(name, m):
		case name == "thinkingConfig":
			d.thinking(m)
		case slices.Contains(ignoredConfig(), name):
		default:
			d.unknown(m, "maxOutputTokens", "temperature", "topP", "topK", "stopSequences", "seed", "candidateCount",
				"presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs", "responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig")
		}
	})
	d.format(&f)
}

// ignoredConfig returns the members that only control how Google reads media.
func ignoredConfig() []string {
	return []string{"mediaResolution", "audioTimestamp", "enableAffectiveDialog", "enableEnhancedCivicAnswers", "audioTranscriptionConfig"}
}

func (d *decoder) sampling(name string, m jsonx.Value) bool {
	r := d.req
	switch name {
	case "maxOutputTokens":
		r.MaxTokens = d.int(m, 1, 1<<31-1)
	case "temperature":
		r.Temperature = d.Float(m, 0, 2)
	case "topP":
		r.TopP = d.Float(m, 0, 1)
	case "topK":
		r.TopK = d.int(m, 1, 1<<31-1)
	case "seed":
		r.Seed = d.int(m, -1<<31, 1<<31-1)
	case "candidateCount":
		r.N = d.int(m, 1, 128)
	case "presencePenalty":
		r.PresencePenalty = d.Float(m, -2, 2)
	case "frequencyPenalty":
		r.FrequencyPenalty = d.Float(m, -2, 2)
	case "responseLogprobs":
		b := d.Bool(m)
		r.Logprobs = &b
	case "logprobs":
		r.TopLogprobs = d.int(m, 0, 20)
	case "stopSequences":
		if m.Len() > 16 {
			d.Unfit(m, "expected at most 16 sequences, got %d", m.Len())
			return true
		}
		d.each(m, func(e jsonx.Value) {
			if e.Kind() == jsonx.String && e.Empty() {
				d.Unfit(e, "must not be empty")
			}
			r.Stop = append(r.Stop, d.Str(e))
		})
	default:
		return false
	}
	return true
}

// otherModalities notes members that ask for an answer other than text.
func (d *decoder) otherModalities(name string, m jsonx.Value) bool {
	switch name {
	case "responseModalities":
		d.each(m, func(e jsonx.Value) {
			if w := strings.ToUpper(d.Str(e)); e.Kind() == jsonx.String && w != "TEXT" && w != "MODALITY_UNSPECIFIED" {
				d.foreign(e, "other providers are only asked for TEXT")
			}
		})
	case "speechConfig", "imageConfig", "translationConfig":
		d.foreign(m, "other providers are only asked for text")
	default:
		return false
	}
	return true
}

// thinking reads thinkingConfig. A budget of -1 lets the model decide, as does no budget. The answer shows
// thoughts only on request.
func (d *decoder) thinking(v jsonx.Value) {
	r := &chat.Reasoning{Hide: true}
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "includeThoughts":
			r.Hide = !d.Bool(m)
		case "thinkingBudget":
			if n := d.int(m, -1, 1<<31-1); n != nil && *n >= 0 {
				r.Budget = n
			}
		case "thinkingLevel":
			if w := d.enum(m, "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "THINKING_LEVEL_UNSPECIFIED"); w != "THINKING_LEVEL_UNSPECIFIED" {
				r.Effort = strings.ToLower(w)
			}
		default:
			d.unknown(m, "includeThoughts", "thinkingBudget", "thinkingLevel")
		}
	})
	if r.Effort != "" && r.Budget != nil {
		d.Unfit(v, "thinkingLevel and thinkingBudget exclude each other")
	}
	d.req.Reasoning = r
}

// A format holds the members that describe the form of the answer, of which there are several generations.
type format struct{ mime, schema, jsonSchema, whole jsonx.Value }

func (f *format) note(name string, m jsonx.Value) bool {
	switch name {
	case "responseMimeType":
		f.mime = m
	case "responseSchema":
		f.schema = m
	case "responseJsonSchema", "_responseJsonSchema": // the API calls the second name an internal detail
		f.jsonSchema = m
	case "responseFormat":
		f.whole = m
	default:
		return false
	}
	return true
}

func (d *decoder) format(f *format) {
	if f.whole.Exists() {
		d.wholeFormat(f)
	}
	mime := "text/plain"
	if f.mime.Exists() {
		mime = strings.ToLower(d.Str(f.mime))
	}
	schema := f.jsonSchema
	if !schema.Exists() {
		schema = f.schema
	}
	switch {
	case mime == "application/json" || mime == "application_json":
		d.req.ResponseFormat = &chat.ResponseFormat{Kind: chat.FormatJSON}
	case mime != "text/plain" && mime != "text_plain" && mime != "mime_type_unspecified" && mime != "":
		d.foreign(f.mime, "other providers know application/json and text/plain")
		return
	case schema.Exists():
		d.Unfit(schema, "only goes with the responseMimeType application/json")
		return
	}
	if !schema.Exists() || d.req.ResponseFormat == nil {
		return
	}
	if schema.Kind() != jsonx.Object {
		d.Expected(schema, "a schema")
		return
	}
	d.req.ResponseFormat.Kind = chat.FormatSchema
	if f.jsonSchema.Exists() {
		d.req.ResponseFormat.Schema = schema.Clone()
	} else {
		d.req.ResponseFormat.Schema = appendJSONSchema(nil, schema)
	}
}

// wholeFormat reads responseFormat, the newer way: {"text": {"mimeType": "APPLICATION_JSON", "schema"}}.
func (d *decoder) wholeFormat(f *format) {
	d.object(f.whole, func(m jsonx.Value) {
		if camel(m) != "text" {
			d.foreign(m, "other providers are only asked for text")
			return
		}
		d.object(m, func(t jsonx.Value) {
			switch camel(t) {
			case "mimeType":
				f.mime = t
			case "schema":
				f.jsonSchema = t
			default:
				d.unknown(t, "mimeType", "schema")
			}
		})
	})
}
