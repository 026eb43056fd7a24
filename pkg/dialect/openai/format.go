package openai

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A RequestFormat describes the requests of a dialect that is Chat Completions under other names.
type RequestFormat struct {
	// Strict says that a member that the format does not know is an issue, as is null in place of
	// messages or content. A lenient format skips unknown members, and takes null for absent everywhere.
	Strict bool

	// Tables of the members of objects. Without a table, members have the names of Chat Completions.
	Request, Message, Reasoning, ResponseFormat Members
	// Names of single members; empty if the format has no such member.
	CacheControl  string // of a part or a tool: ends a prefix to be cached
	CallSignature string // of a tool call: the provider's signature
	ResultError   string // of a tool message: whether the tool failed

	// Words that a member may have. PartTypes and ToolTypes allow every type if they are empty.
	Roles, PartTypes, Details, Efforts, ToolTypes, ToolModes, ToolChoices []string

	// Part reads a part of a type that Chat Completions lacks; false if v is no such part.
	Part func(d *RequestDecoder, partType string, v jsonx.Value) (chat.Part, bool)
	// EarlierReasoning reads the member reasoning of an assistant message, which may be missing. Nil: it is read
	// as answers of Chat Completions have it.
	EarlierReasoning func(d *RequestDecoder, v jsonx.Value) []chat.Part
	// Image reads an image of an earlier answer; nil if v is none.
	Image func(d *RequestDecoder, v jsonx.Value) *chat.Media
}

// completions is the format of Chat Completions itself.
var completions = RequestFormat{
	CacheControl: "cache_control",
	Roles:        []string{"system", "developer", "user", "assistant", "tool", roleFunction},
	Details:      []string{"auto", "low", "high", "original"},
	Efforts:      []string{"none", "minimal", "low", "medium", "high", "xhigh", "max", "default"}, // default: Groq
	ToolModes:    []string{"none", "auto", "required", "any"},                                     // any: Mistral
	ToolChoices:  []string{"function", "custom", "allowed_tools"},
	Image:        func(_ *RequestDecoder, v jsonx.Value) *chat.Media { return imageOf(v) },
}

// Members are the members that an object of a format may have.
type Members []member

type member struct {
	name     string // in the format
	standard []byte // in Chat Completions
	hint     string // if not empty, there is no such member, and this one is meant
}

// NewMembers reads a table of words. A word is a name in camel case, which stands for the same in snake case
// ("topP" for top_p); or a name and what it stands for ("budget=max_tokens"); or a wrong name and the right one
// for an error message ("maxOutputTokens?maxTokens").
func NewMembers(words string) Members {
	var list Members
	for _, word := range strings.Fields(words) {
		if name, standard, ok := strings.Cut(word, "="); ok {
			list = append(list, member{name: name, standard: []byte(standard)})
		} else if name, hint, ok := strings.Cut(word, "?"); ok {
			list = append(list, member{name: name, hint: hint})
		} else {
			list = append(list, member{name: word, standard: snakeCase(word)})
		}
	}
	return list
}

func snakeCase(camel string) []byte {
	var out []byte
	for i := range len(camel) {
		c := camel[i]
		if c >= 'A' && c <= 'Z' {
			out = append(out, '_')
			c |= 0x20
		}
		out = append(out, c)
	}
	return out
}

// standard returns the name in Chat Completions of a member, nil if there is no such member.
func (list Members) standard(name []byte) []byte {
	for i := range list {
		if list[i].name == string(name) {
			return list[i].standard
		}
	}
	return nil
}

// local returns the name in the format of a member of Chat Completions.
func (list Members) local(standard string) string {
	for i := range list {
		if string(list[i].standard) == standard {
			return list[i].name
		}
	}
	return standard
}

// names yields the names that the format knows.
func (list Members) names(yield func(string) bool) {
	for i := range list {
		if list[i].hint == "" && !yield(list[i].name) {
			return
		}
	}
}

// unknown notes that the object has no such member.
func (d *RequestDecoder) unknown(m jsonx.Value, known Members) {
	for i := range known {
		if hint := known[i].hint; hint != "" && known[i].name == string(m.Key()) {
			d.Add(m, "unknown field; did you mean %q?", hint)
			return
		}
	}
	d.Unknown(m, known.names)
}

// Only notes an issue for each member of the object that is none of those named, if the format is strict. In another
// format only providers of the dialect get them.
func (d *RequestDecoder) Only(object jsonx.Value, names ...string) {
	if !d.format.Strict {
		d.Others(object, names...)
		return
	}
	if object.Kind() != jsonx.Object {
		return
	}
	for m := object.First(); m.Exists() && !d.Full(); m = m.Next() {
		if !slices.Contains(names, string(m.Key())) {
			d.Unknown(m, slices.Values(names))
		}
	}
}

// object reads the members that are not null, by their names in Chat Completions.
func (d *RequestDecoder) object(v jsonx.Value, known Members, read func(name []byte, m jsonx.Value)) {
	d.Object(v, func(m jsonx.Value) {
		name := m.Key()
		if known != nil {
			if name = known.standard(name); name == nil {
				d.unknown(m, known)
				return
			}
		}
		if m.Given() {
			read(name, m)
		}
	})
}

// optional returns a member that only some formats have, under the name given.
func optional(object jsonx.Value, name string) jsonx.Value {
	if name == "" {
		return jsonx.Value{}
	}
	return object.Get(name)
}

// require notes an issue if the object lacks the member, or if it is null.
func (d *RequestDecoder) require(object jsonx.Value, name string) bool {
	return object.Kind() == jsonx.Object && d.Has(object, name)
}

// word reads one of the words, or any if there are none.
func (d *RequestDecoder) word(v jsonx.Value, words []string) string {
	if len(words) == 0 {
		return d.Str(v)
	}
	return d.OneOf(v, words...)
}

// participant reads the name of a message's author. Chat Completions takes every script, as some providers do.
func (d *RequestDecoder) participant(v jsonx.Value) string {
	if d.format.Strict {
		return d.Name(v)
	}
	name := d.Str(v)
	if len(name) > body.MaxName {
		d.Add(v, "expected at most %d bytes", body.MaxName)
	}
	return name
}
