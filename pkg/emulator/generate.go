package emulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// gemini speaks generateContent. Sources: Google's discovery document of 2026-08,
// ai.google.dev, and recorded answers.
func gemini() *profile {
	return &profile{
		id: "gemini", name: "Google Gemini", wire: generateWire{}, admit: admitGoogle, route: generateRoute, indent: true,
		hints: []Hint{InBody, InText}, tryAgain: "Please retry in ",
		header: map[string]string{"X-Gemini-Service-Tier": "standard", "Server-Timing": "gfet4t7; dur=12"},
		ids:    []string{"gemini-2.5-flash", "gemini-3.1-pro-preview", "gemini-3.8-flash", "gemini-embedding-001", "gemini-embedding-2"},
	}
}

// admitGoogle takes the key from x-goog-api-key, or from the query.
func admitGoogle(x *exchange) *failure {
	x.key = x.r.Header.Get("X-Goog-Api-Key")
	if x.key == "" {
		x.key = x.r.URL.Query().Get("key")
	}
	switch {
	case x.key == "":
		return &failure{403, googleError(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")}
	case !validKey(x.key):
		f := badGoogleKey()
		return &f
	}
	return nil
}

func generateRoute(x *exchange, path string) func() {
	rest, ok := strings.CutPrefix(path, "/v1beta/models")
	if !ok {
		return nil
	}
	model, method, called := strings.Cut(strings.TrimPrefix(rest, "/"), ":")
	switch {
	case x.r.Method == http.MethodGet && rest == "":
		return x.geminis
	case x.r.Method == http.MethodGet && !called:
		return func() {
			switch {
			case x.misbehave(model):
			case strings.Contains(model, "no-such"):
				x.fail(x.wire.fault(x, NoModel))
			default:
				x.say(geminiInfo(model))
			}
		}
	case x.r.Method != http.MethodPost:
		return nil
	}
	serve := map[string]func(string){"generateContent": x.generate, "streamGenerateContent": x.generateStream, "countTokens": x.googleCount,
		"embedContent": x.googleEmbed, "batchEmbedContents": x.googleEmbedBatch}[method]
	if serve == nil {
		return nil
	}
	return func() { serve(model) }
}

// begin reads the body as the shape wants it into v, meets the behaviour, and says
// whether there is something left to answer.
func (x *exchange) begin(model string, s *shape, v any) bool {
	x.model = model
	if f := x.readGoogle(s, v); f != nil {
		x.fail(*f)
		return false
	}
	if strings.Contains(model, "no-such") {
		x.fail(x.wire.fault(x, NoModel))
		return false
	}
	return !x.misbehave(model)
}

func (x *exchange) generate(model string) {
	if g, q := x.generateAsked(model); q != nil {
		x.say(x.generated(g, x.answer(q)))
	}
}

func (x *exchange) generateStream(model string) {
	x.framing = framingArray
	if x.r.URL.Query().Get("alt") == "sse" {
		x.framing = framingCRLF
	}
	g, q := x.generateAsked(model)
	if q == nil {
		return
	}
	x.stream(stream{
		framing: x.framing,
		events:  x.generateEvents(g, x.answer(q)),
		failure: func() []event { return []event{{data: x.wire.in200(x)}} },
		unknown: event{data: ordered{{"nobodyKnows", object{}}}},
	})
}

// generateAsked is what the request asks, or nil if it was answered already.
func (x *exchange) generateAsked(model string) (*generateRequest, *question) {
	g := &generateRequest{model: geminiModelOf(model), id: model}
	if !x.begin(model, generateShape(), g) {
		return nil, nil
	}
	if f := g.refuse(x); f != nil {
		x.fail(*f)
		return nil, nil
	}
	return g, g.question(x)
}

func (x *exchange) googleCount(model string) {
	var c struct {
		Contents               []content        `json:"contents"`
		GenerateContentRequest *generateRequest `json:"generateContentRequest"`
	}
	inner := generateShape()
	inner.members["model!"] = aString()
	s := objectOf(fields{"contents": inner.members["contents"], "generateContentRequest": inner})
	if !x.begin(model, s, &c) {
		return
	}
	g := &generateRequest{Contents: c.Contents}
	switch {
	case c.GenerateContentRequest != nil && c.Contents != nil:
		x.fail(*x.badGoogle("Only one of contents and generate_content_request may be set."))
		return
	case c.GenerateContentRequest != nil:
		if g = c.GenerateContentRequest; g.Model != "models/"+model {
			x.fail(*x.badGoogle("The model in generate_content_request, %q, is not that of the URL.", g.Model))
			return
		}
	}
	g.id, g.model = model, geminiModelOf(model)
	n := g.question(x).tokens()
	x.say(ordered{{"totalTokens", n}, {"promptTokensDetails", []any{ordered{{"modality", "TEXT"}, {"tokenCount", n}}}}})
}

// geminis is the list of models, in pages.
func (x *exchange) geminis() {
	if x.misbehave("") {
		return
	}
	ids, query := x.p.ids, x.r.URL.Query()
	if from, err := strconv.Atoi(query.Get("pageToken")); err == nil && from >= 0 && from <= len(ids) {
		ids = ids[from:]
	}
	body := ordered{}
	if n, err := strconv.Atoi(query.Get("pageSize")); err == nil && n > 0 && n < len(ids) {
		ids, body = ids[:n], ordered{{"nextPageToken", strconv.Itoa(len(x.p.ids) - len(ids) + n)}}
	}
	list := []any{}
	for _, id := range ids {
		list = append(list, geminiInfo(id))
	}
	x.say(append(ordered{{"models", list}}, body...))
}

func geminiInfo(id string) any {
	m := geminiModelOf(id)
	return ordered{{"name", "models/" + id}, {"version", "001"}, {"displayName", id}, {"inputTokenLimit", 1048576}, {"outputTokenLimit", 65536},
		{"supportedGenerationMethods", m.methods()}, {"temperature", 1}, {"topP", 0.95}, {"topK", 64}, {"maxTemperature", 2}, {"thinking", m.thinks()}}
}

// generateRequest is what the emulator understands of a request.
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
	// Others are data of kinds that this emulator takes and does not look into.
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

// says is what a function said, and whether it failed: by convention a member called
// error tells so, and result or output holds what it gave.
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

// said is what a content's parts say, but for the results of functions.
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

// question is what the request asks.
func (g *generateRequest) question(x *exchange) *question {
	c := g.GenerationConfig
	q := &question{stop: c.StopSequences, limit: c.MaxOutputTokens, refuses: true, filters: true, thinking: g.thinks(),
		callID: func(i int) string { return callName(x.serial, i) }}
	if g.SystemInstruction != nil {
		q.turns = append(q.turns, turn{role: roleSystem, text: g.SystemInstruction.said()})
	}
	for _, t := range g.Contents {
		functions := false
		for _, p := range t.Parts {
			if p.FunctionResponse != nil {
				text, failed := p.FunctionResponse.says()
				q.turns = append(q.turns, turn{role: roleTool, text: text, failed: failed})
				functions = true
			}
		}
		role := roleUser
		if t.Role == "model" {
			role = roleModel
		}
		if s := t.said(); s != "" || !functions {
			q.turns = append(q.turns, turn{role: role, text: s})
		}
	}
	for _, t := range g.Tools {
		for _, f := range t.FunctionDeclarations {
			schema := f.Parameters
			if len(f.ParametersJSONSchema) > 0 {
				schema = f.ParametersJSONSchema
			}
			q.tools = append(q.tools, tool{f.Name, schema})
		}
	}
	call := g.ToolConfig.FunctionCallingConfig
	switch strings.ToUpper(call.Mode) {
	case "NONE":
		q.choice = choiceNone
	case "ANY":
		q.choice, q.only = choiceMust, call.AllowedFunctionNames
	}
	if c.ResponseMimeType == "application/json" {
		q.json, q.schema = true, c.ResponseSchema
		if len(c.ResponseJSONSchema) > 0 {
			q.schema = c.ResponseJSONSchema
		}
	}
	return q
}

// callName is an id of eight letters and digits, as the provider makes them.
func callName(serial int64, i int) string {
	s := strconv.FormatInt(serial*31+int64(i)+60466176, 36)
	return ("emu" + s)[:8]
}

// thinks says whether, and how, the model thinks.
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
