package body

import (
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/schema"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// RootForm returns what the provider takes as the schema of parameters.
func (w *Writer) RootForm() schema.Root {
	if w.rules.PlainParameters || w.exceptions.PlainParameters {
		return schema.PlainObject
	}
	return schema.Object
}

// Parameters returns the schema of a function's parameters as the provider takes it; nil if there is none.
func (w *Writer) Parameters(t *chat.Tool) json.RawMessage {
	if len(t.Parameters) == 0 {
		return nil
	}
	n, ok := schema.Normalize(t.Parameters, w.RootForm())
	if !ok {
		w.Refuse("tools", "the parameters of the tool %s are no JSON schema of type object", Quote(t.Name))
		return t.Parameters
	}
	if n.Told {
		w.Warn("%s takes no combination of schemas at the root of a function's parameters: they are merged, and told to the model", w.Provider())
	}
	return n.JSON
}

// Function returns the function as the provider takes it: with such parameters, and strict only if they allow it.
func (w *Writer) Function(t *chat.Tool) *chat.Tool {
	function := *t
	function.Parameters = w.Parameters(t)
	if t.Strict != nil && *t.Strict && w.rules.StrictClosed && !schema.Strict(function.Parameters) {
		w.Warn("%s takes strict functions only if all their parameters are required and no others are allowed: strict is dropped", w.Provider())
		function.Strict = nil
	}
	return &function
}

// AnswerSchema returns the form of an answer with its schema as the provider takes it.
func (w *Writer) AnswerSchema(f *chat.ResponseFormat) *chat.ResponseFormat {
	if len(f.Schema) == 0 {
		return f
	}
	n, ok := schema.Normalize(f.Schema, schema.AnyValue)
	if !ok {
		w.Refuse("response_format", "the schema of the answer is no JSON schema")
		return f
	}
	form := *f
	form.Schema = n.JSON
	return &form
}

// WithParameters appends the caller's tool with the parameters, which are the member of the object at, as the provider
// takes them. Every other byte stays.
func (w *Writer) WithParameters(out []byte, tool, at jsonx.Value, member string) []byte {
	parameters := at.Get(member)
	if parameters.Kind() != jsonx.Object || schema.Fits(parameters, w.RootForm()) {
		return append(out, tool.Raw()...)
	}
	fixed := w.Parameters(&chat.Tool{Name: at.Get("name").Str(), Parameters: parameters.Raw()})
	inner := jsonx.NewEdit(at)
	inner.Set(member, fixed)
	if string(at.Path()) == string(tool.Path()) {
		return inner.Append(out)
	}
	outer := jsonx.NewEdit(tool)
	outer.Set(string(at.Key()), inner.Append(nil))
	return outer.Append(out)
}
