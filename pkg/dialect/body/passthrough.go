package body

import (
	"slices"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// A Passthrough sends a caller's body to a provider that speaks the same dialect. The dialect's encoder writes
// the members that the provider's rules may touch. They are compared with the caller's, and those that
// differ are replaced, dropped or added. Every other byte stays as it came: unknown members and values, the order of
// members, white space.
//
// The fields say what is particular to the dialect.
type Passthrough struct {
	// Members says how the request's members are compared. Others are kept if the rules accept them.
	Members Members
	// Field returns the field that a member of the request sets where that is not the one of its name. It is empty if
	// another member sets the same field and this one has to go. Nil: names are fields.
	Field func(name string, m jsonx.Value) string
	// Spelling returns a member's name as Members has it, for a dialect whose providers take several spellings.
	Spelling func(m jsonx.Value) string
	// Encode writes the members that are compared.
	Encode func()

	anew []group
}

// A group is a number of fields that depend on each other.
type group struct {
	names  []string
	encode func()
}

// Anew says that the provider does not take the members as they came, which depend on each other. encode writes all of
// them; a member that it does not write is dropped.
func (t *Passthrough) Anew(encode func(), names ...string) {
	t.anew = append(t.anew, group{names, encode})
}

// Members maps names to how the members are compared.
type Members map[string]Member

// A Member says how a member of an object is compared with what the encoder writes.
type Member struct {
	Compare Compare
	// Equal compares the caller's value with the encoder's. Nil: jsonx.Equal.
	Equal func(caller, encoded jsonx.Value) bool
	// Members are those of an object that is edited member by member.
	Members Members
	// Fields says that Members are named as fields that the rules may refuse. The request's members always are.
	Fields bool
	// Loss is what it does if the rules refuse a member that is Kept. Of the others the encoder takes care.
	Loss Loss
	// Default is a number without whose mention the provider does the same; 0: none.
	Default float64
}

// Compare says what becomes of a member's value.
type Compare uint8

// The comparisons.
const (
	Kept     Compare = iota // it is the caller's
	Replaced                // it becomes the encoder's if that says something else
	Exact                   // as Replaced, and the member is dropped if the encoder does not write it
)

// ParsePassthrough parses a body that is to be passed through; not ok if it is no object.
func ParsePassthrough(data []byte) (root jsonx.Value, ok bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	return root, err == nil && root.Kind() == jsonx.Object
}

// Passthrough returns the request to be sent to the path: the data, which root is parsed from, with what the rules
// force changed. It is not ok if something is refused.
func (w *Writer) Passthrough(path string, data []byte, root jsonx.Value, t *Passthrough) (enc dialect.Encoded, ok bool) {
	p := passthrough{Writer: w, dialect: t}
	encoded := w.EncodeObject(func() {
		for i := range t.anew {
			p.anew = append(p.anew, t.anew[i].names...)
			t.anew[i].encode()
		}
		t.Encode()
	})
	edit := jsonx.NewEdit(root)
	p.object(edit, root, encoded, &Member{Members: t.Members, Fields: true}, true)
	if w.Err != nil {
		return dialect.Encoded{}, false
	}
	if edit.Changed() {
		data = edit.Append(make([]byte, 0, len(data)+256))
	}
	return dialect.Encoded{Path: path, Body: data, Warnings: w.Warnings}, true
}

type passthrough struct {
	*Writer
	dialect *Passthrough
	anew    []string // the fields that are written anew
}

// object edits the caller's object; outermost says that it is the request.
func (p *passthrough) object(edit *jsonx.Edit, caller, encoded jsonx.Value, o *Member, outermost bool) {
	common := make([]string, 0, encoded.Len())
	i := 0
	for m := caller.First(); m.Exists(); m = m.Next() {
		if name := p.member(edit, i, m, encoded, o, outermost); name != "" {
			common = append(common, name)
		}
		i++
	}
	for m := encoded.First(); m.Exists(); m = m.Next() {
		if name := string(m.Key()); !slices.Contains(common, name) {
			edit.Set(name, m.Raw())
		}
	}
}

// member edits the member with the index i. It returns the encoder's name of it, if the encoder writes it.
func (p *passthrough) member(edit *jsonx.Edit, i int, m, encoded jsonx.Value, o *Member, outermost bool) string {
	name := p.name(m, outermost)
	rule, target := o.Members[name], name
	if o.Fields {
		target = p.NameOf(name)
	}
	want := encoded.Get(target)
	anew := outermost && slices.Contains(p.anew, name)
	switch {
	case name == "" && len(m.Key()) > 0, anew && !want.Exists():
		edit.DropAt(i)
		return ""
	case anew:
		edit.RenameAt(i, target)
		edit.SetAt(i, want.Raw())
		return target
	case want.Exists() && rule.Compare != Kept:
	case o.Fields && !p.Accepts(name):
		if number, ok := m.Float64(); rule.Compare == Kept && Says(m) && !(ok && number == rule.Default && number != 0) {
			p.Lost(name, rule.Loss)
		}
		edit.DropAt(i)
		return ""
	case rule.Compare == Exact && m.Given():
		edit.DropAt(i)
		return ""
	}
	if p.dialect.Spelling == nil {
		edit.RenameAt(i, target)
	}
	if rule.Compare != Kept {
		p.value(edit, i, m, want, &rule)
	}
	if want.Exists() {
		return target
	}
	return ""
}

// name returns the name of a member of the caller's in Members.
func (p *passthrough) name(m jsonx.Value, outermost bool) string {
	switch {
	case p.dialect.Spelling != nil:
		return p.dialect.Spelling(m)
	case outermost && p.dialect.Field != nil:
		return p.dialect.Field(string(m.Key()), m)
	}
	return string(m.Key())
}

// value edits the value of the member with the index i.
func (p *passthrough) value(edit *jsonx.Edit, i int, m, want jsonx.Value, rule *Member) {
	equal := rule.Equal
	if equal == nil {
		equal = jsonx.Equal
	}
	switch {
	case rule.Members != nil && m.Kind() == jsonx.Object:
		inner := jsonx.NewEdit(m)
		p.object(inner, m, want, rule, false)
		if inner.Changed() {
			edit.SetAt(i, inner.Append(nil))
		}
	case !want.Exists() || equal(m, want):
	case want.Kind() == jsonx.Array && want.Len() == 1 && jsonx.Equal(m, want.First()):
		edit.SetAt(i, slices.Concat([]byte("["), m.Raw(), []byte("]")))
	default:
		edit.SetAt(i, want.Raw())
	}
}

// Says is false for values whose loss is none.
func Says(m jsonx.Value) bool {
	switch m.Kind() {
	case jsonx.Missing, jsonx.Null:
		return false
	case jsonx.String:
		return !m.Empty()
	case jsonx.Array:
		return m.Len() > 0
	}
	return true
}
