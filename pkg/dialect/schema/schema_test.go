package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/dialect/schema"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                `{"type":"object","properties":{}}`,
		`{"type":"object"}`:                 `{"type":"object","properties":{}}`,
		`{"type":["object","null"]}`:        `{"type":"object","properties":{}}`,
		`{"type":"object","properties":[]}`: `{"type":"object","properties":{}}`,
		`{"$schema":"http://json-schema.org/draft-07/schema#","title":"E","type":"object"}`:                                                  `{"type":"object","title":"E","properties":{}}`,
		`{"properties":{"a":{"type":"array"},"b":{"type":["array","null"]}}}`:                                                                `{"type":"object","properties":{"a":{"type":"array","items":{}},"b":{"type":["array","null"],"items":{}}}}`,
		`{"type":"object","properties":{"a":true,"b":false,"c":null},"required":["a"]}`:                                                      `{"type":"object","properties":{"a":{},"c":{}},"required":["a"]}`,
		`{"properties":{"o":{"type":"object"}},"additionalProperties":{"type":"array"}}`:                                                     `{"type":"object","properties":{"o":{"type":"object","properties":{}}},"additionalProperties":{"type":"array","items":{}}}`,
		`{"properties":{"a":{"type":"string","required":true}},"additionalProperties":false}`:                                                `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false,"required":["a"]}`,
		`{"properties":{"a":{"minimum":1,"exclusiveMinimum":true,"exclusiveMaximum":false}}}`:                                                `{"type":"object","properties":{"a":{"exclusiveMinimum":1}}}`,
		`{"properties":{"a":{"items":[{"type":"string"},true],"additionalItems":false}}}`:                                                    `{"type":"object","properties":{"a":{"items":{"anyOf":[{"type":"string"},{}]},"maxItems":2}}}`,
		`{"properties":{"a":{"type":"string","nullable":true},"b":{"type":"any"}}}`:                                                          `{"type":"object","properties":{"a":{"type":["string","null"]},"b":{}}}`,
		`{"properties":{"a":{"anyOf":[],"enum":[],"description":null,"default":null,"x":1}}}`:                                                `{"type":"object","properties":{"a":{"default":null,"x":1}}}`,
		`{"properties":{"a":{"anyOf":[true,{"type":"array"}],"not":false}}}`:                                                                 `{"type":"object","properties":{"a":{"anyOf":[{},{"type":"array","items":{}}],"not":{"not":{}}}}}`,
		`{"properties":{"a":{"enum":[{"type":"array"}],"const":{"type":"object"}}}}`:                                                         `{"type":"object","properties":{"a":{"enum":[{"type":"array"}],"const":{"type":"object"}}}}`,
		`{"properties":{"properties":{"type":"object"},"items":{"type":"array"}}}`:                                                           `{"type":"object","properties":{"properties":{"type":"object","properties":{}},"items":{"type":"array","items":{}}}}`,
		`{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}},"required":["b"]},"B":{"type":"array"}}}`: `{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}},"required":["b"],"$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}},"required":["b"]},"B":{"type":"array","items":{}}}}`,
		`{"$ref":"#"}`:         `{"type":"object","$ref":"#","properties":{}}`,
		`{"$ref":"#/$defs/A"}`: `{"type":"object","$ref":"#/$defs/A","properties":{}}`,
		`{"type":"object","properties":{"a":{}},"anyOf":[{"required":["a"]}]}`: `{"type":"object","properties":{"a":{}},"anyOf":[{"required":["a"]}]}`,
	} {
		got, ok := schema.Normalize([]byte(in), schema.Object)
		if !ok || string(got.JSON) != want || got.Told {
			t.Errorf("%s:\n got %s\nwant %s", in, got.JSON, want)
			continue
		}
		v, err := jsonx.Parse(got.JSON, jsonx.Strict)
		if err != nil || !schema.Fits(v, schema.Object) {
			t.Errorf("%s does not fit: %v", got.JSON, err)
		}
		if again, _ := schema.Normalize(got.JSON, schema.Object); string(again.JSON) != string(got.JSON) && v.Get("$ref").Kind() == jsonx.Missing {
			t.Errorf("%s changes again: %s", got.JSON, again.JSON)
		}
	}
	for _, in := range []string{`[]`, `null`, `"object"`, `true`, `{`, ``} {
		if got, ok := schema.Normalize([]byte(in), schema.Object); ok {
			t.Errorf("%s is taken: %s", in, got.JSON)
		}
	}
	if got, ok := schema.Normalize([]byte(`true`), schema.AnyValue); !ok || string(got.JSON) != "{}" {
		t.Errorf("true becomes %s", got.JSON)
	}
	if got, _ := schema.Normalize([]byte(`{"type":"array"}`), schema.AnyValue); string(got.JSON) != `{"type":"array","items":{}}` {
		t.Errorf("%s", got.JSON)
	}
}

// What is combined at the root is merged, and told to the model where it is no longer enforced.
func TestNormalizePlainObject(t *testing.T) {
	for in, want := range map[string]struct {
		json string
		told bool
	}{
		`{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"$ref":"#/$defs/B"}],"$defs":{"B":{"properties":{"b":{"type":"array"}},"required":["b"]}}}`: {
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{}}},"required":["a","b"],"$defs":{"B":{"properties":{"b":{"type":"array","items":{}}},"required":["b"]}}}`, false},
		`{"description":"d","oneOf":[{"properties":{"kind":{"const":"x"},"a":{"type":"string"}},"required":["kind","a"],"additionalProperties":false},{"properties":{"kind":{"const":"y"}},"required":["kind"],"additionalProperties":false}]}`: {
			`{"type":"object","description":"d\nThe arguments must also match this JSON schema: {\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"x\"},\"a\":{\"type\":\"string\"}},\"required\":[\"kind\",\"a\"],\"additionalProperties\":false},{\"properties\":{\"kind\":{\"const\":\"y\"}},\"required\":[\"kind\"],\"additionalProperties\":false}]}","properties":{"kind":{"anyOf":[{"const":"x"},{"const":"y"}]},"a":{"type":"string"}},"required":["kind"],"additionalProperties":false}`, true},
		`{"type":"object","title":"t","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}],"minProperties":1}`: {
			`{"type":"object","title":"t","minProperties":1,"description":"The arguments must also match this JSON schema: {\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}","properties":{"a":{},"b":{}}}`, true},
		`{"type":"object","properties":{"a":{}},"not":{"required":["b"]}}`: {
			`{"type":"object","description":"The arguments must also match this JSON schema: {\"not\":{\"required\":[\"b\"]}}","properties":{"a":{}}}`, true},
		`{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}`: {
			`{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}`, false},
		`{"allOf":[{"$ref":"#"}]}`:         {`{"type":"object","properties":{}}`, false},
		`{"allOf":[{"$ref":"#/allOf/0"}]}`: {`{"type":"object","properties":{}}`, false},
	} {
		got, ok := schema.Normalize([]byte(in), schema.PlainObject)
		if !ok || string(got.JSON) != want.json || got.Told != want.told {
			t.Errorf("%s:\n got %s %t\nwant %s %t", in, got.JSON, got.Told, want.json, want.told)
			continue
		}
		if v, err := jsonx.Parse(got.JSON, jsonx.Strict); err != nil || !schema.Fits(v, schema.PlainObject) {
			t.Errorf("%s does not fit: %v", got.JSON, err)
		}
	}
}

func TestStrict(t *testing.T) {
	for in, want := range map[string]bool{
		`{"type":"object","properties":{},"additionalProperties":false}`:                                                                                                true,
		`{"type":"object","properties":{}}`:                                                                                                                             false,
		`{"type":"object","properties":{"a":{}},"additionalProperties":false}`:                                                                                          false,
		`{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}},"required":["a"],"additionalProperties":false}`:                                 false,
		`{"type":"object","properties":{"a":{"anyOf":[{"type":"object","properties":{},"additionalProperties":false}]}},"required":["a"],"additionalProperties":false}`: true,
		`[]`: false,
	} {
		if got := schema.Strict([]byte(in)); got != want {
			t.Errorf("%s: %t", in, got)
		}
	}
}

// Whatever the schema, what comes out fits.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{`{"type":"object"}`, `{"anyOf":[{"$ref":"#/$defs/A"},true],"$defs":{"A":{"allOf":[{"$ref":"#/$defs/A"}]}}}`,
		`{"properties":{"a":{"items":[1],"required":true,"nullable":true,"type":"array"}}}`, `{"oneOf":[{},{"properties":{"a":false}}],"enum":[1]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, root := range []schema.Root{schema.AnyValue, schema.Object, schema.PlainObject} {
			got, ok := schema.Normalize(in, root)
			if !ok {
				continue
			}
			v, err := jsonx.Parse(got.JSON, jsonx.Lenient)
			if err != nil {
				t.Fatalf("%s becomes no JSON: %s", in, got.JSON)
			}
			if !json.Valid(in) || !schema.Fits(v, root) {
				t.Fatalf("%s does not fit: %s", in, got.JSON)
			}
		}
	})
}
