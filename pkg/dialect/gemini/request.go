package gemini

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A decoder reads one request, and goes on after an issue.
type decoder struct {
	body.Reader
	req   *chat.Request
	calls []call // of the conversation so far
	turn  int    // the index of the first call of the last model turn
	index callIndex
	model modelTurn
	// allowedFunctions, if not empty, are those that the model may see.
	allowedFunctions []string
	allowed          map[string]bool // the same
}

func (d *decoder) request(v jsonx.Value) {
	contents := false
	var config, tools, choice jsonx.Value
	d.object(v, func(m jsonx.Value) {
		switch camel(m) {
		case "contents":
			contents = m.Len() > 0
			d.each(m, d.content)
		case "systemInstruction":
			d.instruction(m)
		case "generationConfig":
			config = m
		case "tools":
			tools = m
		case "toolConfig":
			choice = m
		case "serviceTier":
			d.serviceTier(m)
		case "cachedContent":
			d.foreign(m, "only Gemini has cached contents: send the contents themselves")
		case "model", "safetySettings", "labels", "store":
		default:
			d.unknown(m, "contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "safetySettings", "serviceTier")
		}
	})
	if v.Kind() == jsonx.Object && !contents {
		d.AddMember(v, "contents", "required, and must not be empty")
	}
	d.config(config)
	d.choice(choice)
	d.tools(tools)
	d.checkChoice(v)
}

// count reads a request for the number of its tokens.
func (d *decoder) count(v jsonx.Value) {
	for m := v.First(); m.Exists(); m = m.Next() {
		if camel(m) == "generateContentRequest" && m.Given() {
			if v.Len() > 1 {
				d.Add(m, "does not go with other members")
			}
			d.request(m)
			return
		}
	}
	d.request(v)
}

// instruction reads systemInstruction, which becomes the first message. Its role has no meaning.
func (d *decoder) instruction(v jsonx.Value) {
	var parts []chat.Part
	if v.Kind() == jsonx.String { // Google takes a string as well
		parts = append(parts, chat.Part{Kind: chat.Text, Text: v.Str()})
	} else {
		d.object(v, func(m jsonx.Value) {
			switch camel(m) {
			case "role":
			case "parts":
				d.each(m, func(p jsonx.Value) {
					read := d.part(p)
					if read.kind != "text" {
						d.Unfit(p, "instructions can only be text")
					}
					parts = append(parts, chat.Part{Kind: chat.Text, Text: read.data.Str()})
				})
			default:
				d.unknown(m, "role", "parts")
			}
		})
	}
	if len(parts) > 0 {
		d.req.Messages = slices.Insert(d.req.Messages, 0, chat.Message{Role: chat.System, Parts: parts})
	}
}

// serviceTier reads the service tier. Google's standard is the default of others.
func (d *decoder) serviceTier(v jsonx.Value) {
	switch tier := strings.ToLower(d.Str(v)); tier {
	case "standard":
		d.req.ServiceTier = "default"
	case "flex", "priority":
		d.req.ServiceTier = tier
	case "unspecified", "":
	default:
		d.Unfit(v, "expected one of standard, flex, priority")
	}
}

// foreign notes a field that Gemini may take and no other provider: it passes through to Gemini.
func (d *decoder) foreign(v jsonx.Value, problem string) { body.NoteForeignAt(d.req, v, problem) }

// unknown notes an unknown member as foreign: Google adds some every month.
func (d *decoder) unknown(m jsonx.Value, known ...string) {
	d.foreign(m, jsonx.UnknownField(m, slices.Values(known)))
}

// object reads the members that are not null: in proto JSON, null is the same as absent.
func (d *decoder) object(v jsonx.Value, read func(m jsonx.Value)) {
	d.Object(v, func(m jsonx.Value) {
		if m.Given() {
			read(m)
		}
	})
}

// each reads the elements of an array. Google takes a single object for an array of one.
func (d *decoder) each(v jsonx.Value, read func(e jsonx.Value)) {
	switch v.Kind() {
	case jsonx.Array:
		for e := v.First(); e.Exists() && !d.Full(); e = e.Next() {
			read(e)
		}
	case jsonx.Object:
		read(v)
	default:
		d.Expected(v, "an array")
	}
}

// int reads an integer, which proto JSON may write as a string.
func (d *decoder) int(v jsonx.Value, low, high int64) *int64 {
	n, err := strconv.ParseInt(v.Str(), 10, 64)
	if err != nil {
		var ok bool
		if n, ok = d.Int64(v); !ok {
			return nil
		}
	}
	if n < low || n > high {
		d.Unfit(v, "expected a whole number from %d to %d, got %d", low, high, n)
		return nil
	}
	return &n
}

// enum reads one of the words in any case and returns it in upper case.
func (d *decoder) enum(v jsonx.Value, words ...string) string {
	s := strings.ToUpper(d.Str(v))
	if v.Kind() == jsonx.String && !slices.Contains(words, s) {
		d.Unfit(v, "expected one of %s", strings.Join(words, ", "))
		return ""
	}
	return s
}
