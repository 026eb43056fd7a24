package emulator

import (
	"strconv"
	"strings"
)

// claudes is the list of models, in pages.
func (x *exchange) claudes() {
	if x.misbehave("") {
		return
	}
	ids, query := x.p.ids, x.r.URL.Query()
	if after := query.Get("after_id"); after != "" {
		for i, id := range ids {
			if id == after {
				ids = ids[i+1:]
				break
			}
		}
	}
	more := false
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 && n < len(ids) {
		ids, more = ids[:n], true
	}
	data := []any{}
	for _, id := range ids {
		data = append(data, claudeInfo(id))
	}
	var first, last any
	if len(ids) > 0 {
		first, last = ids[0], ids[len(ids)-1]
	}
	x.say(ordered{{"data", data}, {"has_more", more}, {"first_id", first}, {"last_id", last}})
}

func claudeInfo(id string) any {
	m := claudeOf(id)
	can := func(yes bool) ordered { return ordered{{"supported", yes}} }
	efforts := ordered{{"supported", len(m.efforts) > 0}}
	for _, e := range m.efforts {
		efforts = append(efforts, member{e, can(true)})
	}
	return ordered{{"type", "model"}, {"id", id}, {"display_name", strings.ReplaceAll(id, "-", " ")},
		{"created_at", "2026-02-05T00:00:00Z"},
		{"max_input_tokens", 200000}, {"max_tokens", m.maxOutput}, {"lifecycle", "active"}, {"deprecated_at", nil},
		{"retires_at", nil},
		{"capabilities", ordered{{"batch", can(true)}, {"citations", can(true)}, {"code_execution", can(true)},
			{"effort", efforts},
			{"image_input", can(true)}, {"pdf_input", can(true)}, {"structured_outputs", can(m.formats())},
			{"thinking", ordered{{"supported", m.version >= 37},
				{"types", ordered{{"adaptive", can(m.adaptive())}, {"enabled", can(m.budgets())}}}}}}}}
}
