package emulator

import (
	"net/http"
	"strconv"
	"strings"
)

// gemini emulates generateContent. Sources: Google's discovery document of 2026-08, ai.google.dev, and recorded
// answers.
func gemini() *profile {
	return &profile{
		id: "gemini", name: "Google Gemini", wire: generateWire{}, admit: admitGoogle, route: generateRoute,
		indent: true,
		hints:  []Hint{InBody, InText}, tryAgain: "Please retry in ",
		header: map[string]string{"X-Gemini-Service-Tier": "standard", "Server-Timing": "gfet4t7; dur=12"},
		ids: []string{"gemini-2.5-flash", "gemini-3.1-pro-preview", "gemini-3.8-flash", "gemini-embedding-001",
			"gemini-embedding-2"},
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
		return &failure{403, googleError(403, "PERMISSION_DENIED",
			"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")}
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
	serve := map[string]func(string){"generateContent": x.generate, "streamGenerateContent": x.generateStream,
		"countTokens":  x.googleCount,
		"embedContent": x.googleEmbed, "batchEmbedContents": x.googleEmbedBatch}[method]
	if serve == nil {
		return nil
	}
	return func() { serve(model) }
}

// begin reads the body into v by the shape and applies the behaviour. It reports whether the request is still to be
// answered.
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
	if g, req := x.readGenerate(model); req != nil {
		x.say(x.generated(g, x.answer(req)))
	}
}

func (x *exchange) generateStream(model string) {
	x.framing = framingArray
	if x.r.URL.Query().Get("alt") == "sse" {
		x.framing = framingCRLF
	}
	g, req := x.readGenerate(model)
	if req == nil {
		return
	}
	x.stream(stream{
		framing: x.framing,
		events:  x.generateEvents(g, x.answer(req)),
		failure: func() []event { return []event{{data: x.wire.in200(x)}} },
		unknown: event{data: ordered{{"nobodyKnows", object{}}}},
	})
}

// readGenerate returns the request, or nil if it was answered with an error.
func (x *exchange) readGenerate(model string) (*generateRequest, *decodedRequest) {
	g := &generateRequest{model: geminiModelOf(model), id: model}
	if !x.begin(model, generateShape(), g) {
		return nil, nil
	}
	if f := g.refuse(x); f != nil {
		x.fail(*f)
		return nil, nil
	}
	return g, g.decode(x)
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
	n := g.decode(x).tokens()
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
	return ordered{{"name", "models/" + id}, {"version", "001"}, {"displayName", id}, {"inputTokenLimit", 1048576},
		{"outputTokenLimit", 65536},
		{"supportedGenerationMethods", m.methods()}, {"temperature", 1}, {"topP", 0.95}, {"topK", 64},
		{"maxTemperature", 2}, {"thinking", m.thinks()}}
}
