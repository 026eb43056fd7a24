package emulator

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// maxGoogle is the largest body, in bytes.
const maxGoogle = 20 << 20

// readGoogle reads the body by its shape.
func (x *exchange) readGoogle(s *shape, into any) *failure {
	if len(x.body) > maxGoogle {
		f := x.wire.fault(x, TooLarge)
		return &f
	}
	v, err := decode(x.body)
	raw, ok := v.(map[string]any)
	if err != nil || !ok {
		return x.badGoogle("Invalid JSON payload received. %v", err)
	}
	r := &reader{proto: true}
	r.read(s, raw, nil)
	if len(r.found) > 0 {
		return misshapenGoogle(r.found)
	}
	if err := json.Unmarshal(encode(raw), into); err != nil {
		return x.badGoogle("Invalid JSON payload received. %v", err)
	}
	return nil
}

// refuse checks what the API refuses, and answers in its own words.
func (g *generateRequest) refuse(x *exchange) *failure {
	for _, check := range []func(*exchange) *failure{g.refuseModel, g.refuseContents, g.refuseConfig, g.refuseThinking,
		g.refuseTools, g.refusePairs, g.refuseSignatures} {
		if f := check(x); f != nil {
			return f
		}
	}
	return nil
}

func (g *generateRequest) refuseModel(x *exchange) *failure {
	if g.model.embeds {
		f := x.wire.fault(x, NoModel)
		return &f
	}
	if g.Model != "" && g.Model != "models/"+g.id {
		return x.badGoogle("The model in the body, %q, is not that of the URL.", g.Model)
	}
	return nil
}

func (g *generateRequest) refuseContents(x *exchange) *failure {
	if len(g.Contents) == 0 {
		return x.badGoogle("* GenerateContentRequest.contents: contents is not specified")
	}
	for i, c := range g.Contents {
		switch {
		case c.Role != "" && c.Role != "user" && c.Role != "model" && c.Role != "function":
			return x.badGoogle("Please use a valid role: user, model.")
		case c.Role == "" && len(g.Contents) > 1:
			return x.badGoogle("Please use a valid role: user, model.")
		case len(c.Parts) == 0:
			return x.badGoogle("* GenerateContentRequest.contents[%d].parts: contents.parts must not be empty.", i)
		}
		for j, p := range c.Parts {
			if f := p.refuse(x, i, j); f != nil {
				return f
			}
		}
	}
	if s := g.SystemInstruction; s != nil {
		for _, p := range s.Parts {
			if p.Text == nil {
				return x.badGoogle("System instruction only supports text parts.")
			}
		}
	}
	return nil
}

func (p *part) refuse(x *exchange, i, j int) *failure {
	n := 0
	for _, have := range []bool{p.Text != nil, p.InlineData != nil, p.FileData != nil, p.FunctionCall != nil,
		p.FunctionResponse != nil,
		len(p.ExecutableCode) > 0, len(p.CodeExecutionResult) > 0} {
		if have {
			n++
		}
	}
	switch {
	case n == 0 && p.ThoughtSignature == "":
		return x.badGoogle("* GenerateContentRequest.contents[%d].parts[%d].data: required oneof field 'data' must have one initialized field", i, j)
	case n > 1:
		return x.badGoogle("Invalid value at 'contents[%d].parts[%d]' (oneof), oneof field 'data' is already set.", i,
			j)
	}
	if p.InlineData != nil {
		if _, ok := unbase64(p.InlineData.Data); !ok {
			return x.badGoogle("Invalid value at 'contents[%d].parts[%d].inline_data.data' (TYPE_BYTES), Base64 decoding failed", i, j)
		}
		if p.InlineData.MimeType == "" {
			return x.badGoogle("Unsupported MIME type: ")
		}
	}
	if f := p.FileData; f != nil && !strings.HasPrefix(f.FileURI, "https://generativelanguage.googleapis.com/") &&
		!strings.Contains(f.FileURI, "youtube.com/") && !strings.Contains(f.FileURI, "youtu.be/") {
		return x.badGoogle("Invalid or unsupported file uri: %s", f.FileURI)
	}
	if _, ok := unbase64(p.ThoughtSignature); !ok {
		return x.badGoogle("Invalid value at 'contents[%d].parts[%d].thought_signature' (TYPE_BYTES), Base64 decoding failed", i, j)
	}
	return nil
}

func (g *generateRequest) refuseConfig(x *exchange) *failure {
	c := g.GenerationConfig
	at := func(name, must string) *failure {
		return x.badGoogle("* GenerateContentRequest.generation_config.%s: %s", name, must)
	}
	switch {
	case c.Temperature != nil && (*c.Temperature < 0 || *c.Temperature > 2):
		return at("temperature", "temperature must be in the range [0.0, 2.0].")
	case c.TopP != nil && (*c.TopP < 0 || *c.TopP > 1):
		return at("top_p", "top_p must be in the range [0.0, 1.0].")
	case c.MaxOutputTokens != nil && *c.MaxOutputTokens < 1:
		return at("max_output_tokens", "max_output_tokens must be positive.")
	case c.MaxOutputTokens != nil && *c.MaxOutputTokens > 65536:
		return x.badGoogle("Unable to submit request because it has a maxOutputTokens value of %d but the supported range is from 1 (inclusive) to 65537 (exclusive). Update the value and try again.", *c.MaxOutputTokens)
	case len(c.StopSequences) > 5:
		return at("stop_sequences", "the number of stop_sequences must not exceed 5.")
	case c.CandidateCount != nil && *c.CandidateCount != 1:
		return x.badGoogle("Multiple candidates is not enabled for this model")
	case c.ResponseMimeType != "" && !slices.Contains([]string{"text/plain", "application/json", "text/x.enum"},
		c.ResponseMimeType):
		return at("response_mime_type",
			"allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.")
	case len(c.ResponseSchema) > 0 && len(c.ResponseJSONSchema) > 0:
		return x.badGoogle("Only one of response_schema and response_json_schema may be set.")
	case len(c.ResponseSchema)+len(c.ResponseJSONSchema) > 0 &&
		(c.ResponseMimeType == "" || c.ResponseMimeType == "text/plain"):
		return at("response_schema", "only allowed when response_mime_type is application/json.")
	}
	return nil
}

func (g *generateRequest) refuseThinking(x *exchange) *failure {
	t, m := g.GenerationConfig.ThinkingConfig, g.model
	level := strings.ToUpper(t.ThinkingLevel)
	switch {
	case t.ThinkingBudget != nil && level != "":
		return x.badGoogle("You can only set only one of thinking budget and thinking level.")
	case (t.ThinkingBudget != nil || level != "" || t.IncludeThoughts) && m.version < 25:
		return x.badGoogle("Thinking is not enabled for %s", "models/"+g.id)
	case level != "" && !m.levels():
		return x.badGoogle("Thinking level is not supported for this model.")
	case level == "MINIMAL" && m.version >= 37, level == "XHIGH" && !m.extraHigh:
		return x.badGoogle("Thinking level %s is not supported for this model. Please retry with other thinking level.",
			level)
	}
	if b := t.ThinkingBudget; b != nil && *b != -1 {
		switch {
		case *b == 0 && m.budgetLeast() > 0:
			return x.badGoogle("Budget 0 is invalid. This model only works in thinking mode.")
		case *b < m.budgetLeast(), *b > m.budgetMost():
			return x.badGoogle("The thinking budget %d is invalid. Please choose a value between %d and %d.", *b,
				m.budgetLeast(), m.budgetMost())
		}
	}
	return nil
}

func (g *generateRequest) refuseTools(x *exchange) *failure {
	name := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$`)
	declared := map[string]bool{}
	for i, t := range g.Tools {
		for j, f := range t.FunctionDeclarations {
			switch {
			case !name.MatchString(f.Name):
				return x.badGoogle("* GenerateContentRequest.tools[%d].function_declarations[%d].name: [FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.", i, j)
			case declared[f.Name]:
				return x.badGoogle("Duplicate function declaration found: %s", f.Name)
			case len(f.Parameters) > 0 && len(f.ParametersJSONSchema) > 0:
				return x.badGoogle("* GenerateContentRequest.tools[%d].function_declarations[%d]: only one of parameters and parameters_json_schema may be set", i, j)
			}
			declared[f.Name] = true
		}
	}
	call := g.ToolConfig.FunctionCallingConfig
	mode := strings.ToUpper(call.Mode)
	if (mode == "ANY" || mode == "VALIDATED") && len(declared) == 0 {
		return x.badGoogle("Function calling config is set without function_declarations.")
	}
	if len(call.AllowedFunctionNames) > 0 && mode != "ANY" && mode != "VALIDATED" {
		return x.badGoogle("* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: may only be set when the mode is ANY or VALIDATED")
	}
	for _, n := range call.AllowedFunctionNames {
		if !declared[n] {
			return x.badGoogle("* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: %q is not among function_declarations", n)
		}
	}
	return nil
}

// refusePairs checks that calls are followed by the same number of responses with the same names.
func (g *generateRequest) refusePairs(x *exchange) *failure {
	var open []string
	for i, c := range g.Contents {
		var calls, responses []string
		for _, p := range c.Parts {
			if p.FunctionCall != nil {
				calls = append(calls, p.FunctionCall.Name)
			}
			if p.FunctionResponse != nil {
				if p.FunctionResponse.Name == "" {
					return x.badGoogle("* GenerateContentRequest.contents[%d].parts[0].function_response.name: Name cannot be empty.", i)
				}
				responses = append(responses, p.FunctionResponse.Name)
			}
		}
		switch {
		case len(calls) > 0 && (i == 0 || c.Role != "model" || len(open) > 0):
			return x.badGoogle("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		case len(responses) > 0 && len(open) == 0:
			return x.badGoogle("Please ensure that function response turn comes immediately after a function call turn.")
		case len(responses) != len(open):
			return x.badGoogle("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		}
		for _, name := range responses {
			if !slices.Contains(open, name) {
				return x.badGoogle("Please ensure that function response %q answers a function call of that name.",
					name)
			}
		}
		open = calls
	}
	if len(open) > 0 {
		return x.badGoogle("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
	return nil
}
