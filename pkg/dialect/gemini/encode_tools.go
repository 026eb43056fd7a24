package gemini

import (
	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// tools writes the functions as one tool, and Gemini's own tools beside it.
func (e *encoder) tools() {
	if e.LacksTools() {
		return
	}
	r := e.Req
	e.Key("tools")
	e.Raw("[")
	functions := 0
	for i := range r.Tools {
		if t := &r.Tools[i]; len(t.Raw) > 0 {
			e.ownTool(t)
			continue
		}
		functions++
	}
	if functions > 0 {
		e.Comma()
		e.Raw(`{"functionDeclarations":[`)
		for i := range r.Tools {
			if t := &r.Tools[i]; len(t.Raw) == 0 {
				e.Comma()
				e.function(t)
			}
		}
		e.Raw("]}")
	}
	e.Raw("]")
	e.toolChoice()
}

// ownTool writes one of Gemini's own tools unchanged, or its like of another dialect, and refuses any other that is not
// a function.
func (e *encoder) ownTool(t *chat.Tool) {
	e.Comma()
	if t.Origin == string(Name) {
		e.Out = jsonx.AppendCompact(e.Out, t.Raw)
		return
	}
	name := ""
	if t.Hosted != nil {
		name = hostedName(t.Hosted.Kind)
	}
	if name == "" {
		e.RefuseTool(t, "the tool %q cannot be sent to %s: it takes functions and Gemini's own tools", t.Name, e.Provider())
		return
	}
	if h := t.Hosted; len(h.AllowedDomains)+len(h.BlockedDomains) > 0 {
		e.RefuseTool(t, "the tool %q is limited to some domains, which %s cannot do", t.Name, e.Provider())
	} else if h.Near != (chat.Place{}) {
		e.Warn("the user's location for a %s is not supported by %s: dropped", h.Kind, e.Provider())
	}
	e.Raw(`{"` + name + `":{}}`)
}

// hostedName returns the name of Gemini's own tool of the kind; empty if it has none.
func hostedName(kind chat.HostedKind) string {
	switch kind {
	case chat.WebSearch:
		return "googleSearch"
	case chat.WebFetch:
		return "urlContext"
	case chat.CodeExecution:
		return "codeExecution"
	}
	return ""
}

// hostedTool returns what Gemini's own tool of the name does; nil if no other provider is known to have the like.
func hostedTool(name string) *chat.HostedTool {
	switch name {
	case "googleSearch", "googleSearchRetrieval":
		return &chat.HostedTool{Kind: chat.WebSearch}
	case "urlContext":
		return &chat.HostedTool{Kind: chat.WebFetch}
	case "codeExecution":
		return &chat.HostedTool{Kind: chat.CodeExecution}
	}
	return nil
}

func (e *encoder) function(t *chat.Tool) {
	e.Member(`{"name":`, t.Name)
	e.Optional(`,"description":`, t.Description)
	if t.Strict != nil && *t.Strict {
		// The closest is the mode VALIDATED, a preview that not every model and schema supports.
		e.Warn("strict functions are not supported by %s: the arguments may stray from the schema", e.Provider())
	}
	switch {
	case emptySchema(t.Parameters):
	case e.subset():
		e.schema("tools", "parametersJsonSchema", "parameters", t.Parameters)
	default:
		e.schema("tools", "parametersJsonSchema", "parameters", e.Parameters(t))
	}
	e.Raw("}")
}

// emptySchema says whether a function takes no arguments: the dialect then requires that there is no schema.
func emptySchema(schema []byte) bool {
	if len(schema) == 0 {
		return true
	}
	v, err := jsonx.Parse(schema, jsonx.Lenient)
	if err != nil {
		return false
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "type", "title", "description", "$schema", "additionalProperties", "required":
			if m.Kind() == jsonx.Object { // properties of that schema are allowed
				return false
			}
		case "properties":
			if m.Len() > 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// subset says whether the model takes only a subset of JSON schema.
func (e *encoder) subset() bool {
	return e.Rules.SchemaSubset || e.Model.SchemaSubset
}

// schema writes a schema in the member that the model reads: unchanged, or in the subset.
func (e *encoder) schema(param, kept, subset string, schema []byte) {
	if !e.subset() {
		e.Key(kept)
		e.Out = jsonx.AppendCompact(e.Out, schema)
		return
	}
	root, err := jsonx.Parse(schema, jsonx.Lenient)
	if err != nil {
		e.Refuse(param, "a schema is not JSON")
		return
	}
	e.Key(subset)
	s := subsetter{root: root, out: e.Out}
	s.schema(root, 0)
	e.Out = s.out
	if s.recursive {
		e.Refuse(param, "a schema refers to itself, or is too large without references: this model of %s takes neither", e.Provider())
	}
	if s.lost {
		e.Warn("this model of %s knows less than JSON schema: what it does not know is left out", e.Provider())
	}
}

// toolChoice writes the mode. ANY requires a call of any function, or of one of the names.
func (e *encoder) toolChoice() {
	c := e.Req.ToolChoice
	if c == nil {
		return
	}
	mode := "AUTO"
	switch c.Mode {
	case chat.ToolNone:
		mode = "NONE"
	case chat.ToolRequired, chat.ToolNamed:
		mode = "ANY"
	}
	e.Key("toolConfig")
	e.Raw(`{"functionCallingConfig":{"mode":"` + mode + `"`)
	if c.Mode == chat.ToolNamed {
		e.Raw(`,"allowedFunctionNames":[`)
		e.Str(c.Name)
		e.Raw("]")
	}
	e.Raw("}}")
}
