package emulator

import (
	"encoding/json"
	"strconv"
	"strings"
)

// generateRequest holds the fields of a request that the emulator uses.
type generateRequest struct {
	Model             string    `json:"model"`
	Contents          []content `json:"contents"`
	SystemInstruction *content  `json:"systemInstruction"`
	Tools             []struct {
		FunctionDeclarations []struct {
			Name                 string          `json:"name"`
			Parameters           json.RawMessage `json:"parameters"`
			ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
	ToolConfig struct {
		FunctionCallingConfig struct {
			Mode                 string   `json:"mode"`
			AllowedFunctionNames []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
	GenerationConfig struct {
		StopSequences      []string        `json:"stopSequences"`
		MaxOutputTokens    *int            `json:"maxOutputTokens"`
		CandidateCount     *int            `json:"candidateCount"`
		Temperature        *float64        `json:"temperature"`
		TopP               *float64        `json:"topP"`
		ResponseMimeType   string          `json:"responseMimeType"`
		ResponseSchema     json.RawMessage `json:"responseSchema"`
		ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
		ThinkingConfig     struct {
			IncludeThoughts bool   `json:"includeThoughts"`
			ThinkingBudget  *int   `json:"thinkingBudget"`
			ThinkingLevel   string `json:"thinkingLevel"`
		} `json:"thinkingConfig"`
	} `json:"generationConfig"`

	id    string
	model geminiModel
}

type content struct {
	Role  string `json:"role"`
	Parts []part `json:"parts"`
}

type part struct {
	Text             *string    `json:"text"`
	Thought          bool       `json:"thought"`
	ThoughtSignature string     `json:"thoughtSignature"`
	InlineData       *blob      `json:"inlineData"`
	FileData         *fileData  `json:"fileData"`
	FunctionCall     *function  `json:"functionCall"`
	FunctionResponse *functionR `json:"functionResponse"`
	// Others are kinds of data that the emulator accepts and ignores.
	ExecutableCode      json.RawMessage `json:"executableCode"`
	CodeExecutionResult json.RawMessage `json:"codeExecutionResult"`
}

type blob struct {
	MimeType string `json:"mimeType"`
	Data     string `json:"data"`
}

type fileData struct {
	MimeType string `json:"mimeType"`
	FileURI  string `json:"fileUri"`
}

type function struct {
	ID   string          `json:"id"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type functionR struct {
	ID       string                     `json:"id"`
	Name     string                     `json:"name"`
	Response map[string]json.RawMessage `json:"response"`
	Parts    []struct {
		InlineData *blob `json:"inlineData"`
	} `json:"parts"`
}

// says returns a function's result, and whether it is an error: by convention result or output holds the result, and
// error the error.
func (f *functionR) says() (text string, failed bool) {
	var out []string
	for _, name := range []string{"error", "result", "output", "content"} {
		raw, ok := f.Response[name]
		if !ok {
			continue
		}
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		out, failed = append(out, s), name == "error"
		break
	}
	if len(out) == 0 {
		out = append(out, string(encode(f.Response)))
	}
	for _, p := range f.Parts {
		if p.InlineData != nil {
			out = append(out, media(kindOf(p.InlineData.MimeType), p.InlineData.MimeType, p.InlineData.Data, ""))
		}
	}
	return strings.Join(out, " "), failed
}

func kindOf(mime string) string {
	kind, _, _ := strings.Cut(mime, "/")
	if kind == "image" || kind == "audio" || kind == "video" {
		return kind
	}
	return "file"
}

// said returns the text of a content's parts, without the results of functions.
func (c *content) said() string {
	var out []string
	for _, p := range c.Parts {
		switch {
		case p.Text != nil && !p.Thought:
			out = append(out, *p.Text)
		case p.InlineData != nil:
			out = append(out, media(kindOf(p.InlineData.MimeType), p.InlineData.MimeType, p.InlineData.Data, ""))
		case p.FileData != nil:
			out = append(out, media(kindOf(p.FileData.MimeType), "", "", p.FileData.FileURI))
		}
	}
	return strings.Join(out, " ")
}

// decode returns the request independent of the wire format.
func (g *generateRequest) decode(x *exchange) *decodedRequest {
	c := g.GenerationConfig
	req := &decodedRequest{stop: c.StopSequences, limit: c.MaxOutputTokens, refuses: true, filters: true,
		thinking: g.thinks(),
		callID:   func(i int, _ string) string { return callName(x.serial, i) }}
	if g.SystemInstruction != nil {
		req.turns = append(req.turns, turn{role: roleSystem, text: g.SystemInstruction.said()})
	}
	for _, t := range g.Contents {
		functions := false
		for _, p := range t.Parts {
			if p.FunctionResponse != nil {
				text, failed := p.FunctionResponse.says()
				req.turns = append(req.turns, turn{role: roleTool, text: text, failed: failed})
				functions = true
			}
		}
		role := roleUser
		if t.Role == "model" {
			role = roleModel
		}
		if s := t.said(); s != "" || !functions {
			req.turns = append(req.turns, turn{role: role, text: s})
		}
	}
	for _, t := range g.Tools {
		for _, f := range t.FunctionDeclarations {
			schema := f.Parameters
			if len(f.ParametersJSONSchema) > 0 {
				schema = f.ParametersJSONSchema
			}
			req.tools = append(req.tools, tool{name: f.Name, schema: schema})
		}
	}
	call := g.ToolConfig.FunctionCallingConfig
	switch strings.ToUpper(call.Mode) {
	case "NONE":
		req.choice = choiceNone
	case "ANY":
		req.choice, req.only = choiceMust, call.AllowedFunctionNames
	}
	if c.ResponseMimeType == "application/json" {
		req.json, req.schema = true, c.ResponseSchema
		if len(c.ResponseJSONSchema) > 0 {
			req.schema = c.ResponseJSONSchema
		}
	}
	return req
}

// callName returns an id of eight letters and digits, as the provider's.
func callName(serial int64, i int) string {
	const least = 36 * 36 * 36 * 36 // the first number of five digits
	return "emu" + strconv.FormatInt(least+(serial*31+int64(i))%least, 36)
}

// thinks returns whether, and how, the model thinks.
func (g *generateRequest) thinks() thinking {
	t := g.GenerationConfig.ThinkingConfig
	switch {
	case t.ThinkingBudget != nil && *t.ThinkingBudget == 0, t.ThinkingBudget == nil && !g.model.thinks():
		return thinkingOff
	case t.IncludeThoughts:
		return thinkingShown
	}
	return thinkingHidden
}
