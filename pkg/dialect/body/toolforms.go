package body

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// Target is where a request goes.
type Target struct {
	Provider string // for warnings
	Traits   dialect.Traits
	Same     bool // it speaks the dialect that the request came in
}

// FitTools changes the tools of a request into those that the provider takes: in definitions, in the choice and in
// earlier turns. A name that the provider does not take becomes another. Tools that the caller runs become functions
// where the provider has no such tools: those of a group, free-text ones, and those of the caller's dialect, such as a
// shell. Tools that the provider would run, and this one cannot, are left out with a warning if there are functions
// beside them; else the encoder refuses them. The function copies what the request shares with others before it changes
// it. The forms undo the changes in answers; nil if there is nothing to undo.
func FitTools(req *chat.Request, to Target) (forms *ToolForms, warnings []string) {
	f := fitter{to: to, req: req, sent: map[toolKey]string{}}
	if !f.toolsFit() {
		f.tools()
	}
	f.choice()
	f.messages()
	return f.forms, f.warnings
}

// A toolKey tells the caller's tools apart.
type toolKey struct{ group, name string }

// A toolForm is what the caller knows the called function as.
type toolForm struct {
	toolKey
	custom   bool
	callType string
}

type fitter struct {
	to       Target
	req      *chat.Request
	forms    *ToolForms
	warnings []string

	sent   map[toolKey]string // the names of the tools that were sent under another name
	called map[string]string  // the same, by the ids of calls
	plain  map[string]bool    // the names of the request's tools that are no groups; nil: not read yet
}

// ToolsFit reports whether the provider takes the tools as they are.
func ToolsFit(tools []chat.Tool, to Target) bool {
	for i := range tools {
		t := &tools[i]
		if len(t.Raw) == 0 && !nameFits(t.Name, to.Traits.ToolNames) || len(t.Raw) > 0 && !to.keeps(t) {
			return false
		}
	}
	return true
}

// toolsFit is ToolsFit, also for tools within the conversation.
func (f *fitter) toolsFit() bool {
	return ToolsFit(f.req.Tools, f.to) && (f.to.Same || !slices.ContainsFunc(f.req.Messages, func(m chat.Message) bool {
		return slices.ContainsFunc(m.Parts, func(p chat.Part) bool { return len(p.Tools) > 0 })
	}))
}

// keeps reports whether the provider may take a tool that is no function as it is.
func (to *Target) keeps(t *chat.Tool) bool {
	if isCustom(t) {
		return to.Traits.CustomTools
	}
	return to.Same
}

// tools replaces the request's tools by those that are sent.
func (f *fitter) tools() {
	var all []chat.Tool
	at := map[toolKey]int{} // where they are in all
	add := func(tools []chat.Tool) {
		for i := range tools {
			for _, t := range f.flatten(&tools[i]) {
				if j, again := at[t.toolKey]; again { // the later one of a name counts
					all[j] = t.Tool
					continue
				}
				at[t.toolKey] = len(all)
				all = append(all, t.Tool)
			}
		}
	}
	add(f.req.Tools)
	if !f.to.Same {
		for i := range f.req.Messages {
			for j := range f.req.Messages[i].Parts {
				add(f.req.Messages[i].Parts[j].Tools)
			}
		}
	}
	f.req.Tools, f.plain = f.dropHosted(all), nil
}

// A flatTool is a tool outside of its group.
type flatTool struct {
	toolKey
	chat.Tool
}

// flatten returns the tool as the provider takes it, or the tools of a group.
func (f *fitter) flatten(t *chat.Tool) []flatTool {
	if len(t.Tools) == 0 || f.to.keeps(t) {
		return []flatTool{f.function(toolKey{name: t.Name}, *t)}
	}
	out := make([]flatTool, 0, len(t.Tools))
	for i := range t.Tools {
		out = append(out, f.function(toolKey{group: t.Name, name: t.Tools[i].Name}, t.Tools[i]))
	}
	if t.Description != "" {
		first := &out[0].Tool
		about := fmt.Sprintf("All functions whose names begin with %s: %s", groupPrefix(t.Name), t.Description)
		first.Description = strings.TrimSpace(first.Description + "\n\n" + about)
	}
	return out
}

// function returns a tool as a function, if it is one, or if the provider does not take it as it is.
func (f *fitter) function(key toolKey, t chat.Tool) flatTool {
	form := toolForm{toolKey: key, callType: t.CallType}
	switch {
	case len(t.Raw) == 0:
	case isCustom(&t) && (key.group != "" || !f.to.keeps(&t)):
		t.Description, t.Parameters = describeCustom(&t)
		form.custom = true
	case f.to.keeps(&t) || len(t.Parameters) == 0:
		return flatTool{key, t}
	}
	t.Name = f.name(form)
	t.Raw, t.Origin, t.CallType = nil, "", ""
	return flatTool{key, t}
}

// groupPrefix returns what the names of a group's functions begin with.
func groupPrefix(group string) string {
	if group == "" {
		return ""
	}
	return strings.TrimSuffix(group, "__") + "__"
}

// flatName returns the name of a tool outside of its group.
func (k toolKey) flatName() string { return groupPrefix(k.group) + k.name }

// name returns the name under which a function is sent, and notes how it comes back.
func (f *fitter) name(form toolForm) string {
	form.toolKey = toolKey{group: form.group, name: form.name}
	name, known := f.sent[form.toolKey]
	if !known {
		name = fitName(form.flatName(), f.to.Traits.ToolNames)
		if form.group != "" && f.taken(name) {
			name = digestedName(form.group+"/"+form.name, f.to.Traits.ToolNames)
		}
	}
	plain := form.group == "" && !form.custom && form.callType == ""
	if plain && name == form.name {
		return name
	}
	f.sent[form.toolKey] = name
	if f.forms == nil {
		f.forms = &ToolForms{byName: map[string]toolForm{}}
	}
	if _, known := f.forms.byName[name]; !known || !plain {
		f.forms.byName[name] = form
	}
	return name
}

// taken reports whether another tool has the name.
func (f *fitter) taken(name string) bool {
	if f.forms != nil {
		if _, taken := f.forms.byName[name]; taken {
			return true
		}
	}
	if f.plain == nil {
		f.plain = map[string]bool{}
		for i := range f.req.Tools {
			f.plain[f.req.Tools[i].Name] = f.plain[f.req.Tools[i].Name] || len(f.req.Tools[i].Tools) == 0
		}
	}
	return f.plain[name]
}

// dropHosted leaves tools out that the provider would have to run and cannot, if there is something else to call and
// they are not asked for by name.
func (f *fitter) dropHosted(tools []chat.Tool) []chat.Tool {
	isFunction := func(t chat.Tool) bool { return len(t.Raw) == 0 || isCustom(&t) }
	if !slices.ContainsFunc(tools, isFunction) {
		return tools
	}
	return slices.DeleteFunc(tools, func(t chat.Tool) bool {
		if isFunction(t) || f.to.Same && !f.to.Traits.HostedAlone || f.named(&t) {
			return false
		}
		switch {
		case t.Hosted == nil || f.to.Same:
			return false
		case t.Hosted.Kind == chat.ToolSearch:
			f.warn("%s does not search the tools by itself: it gets all of them", f.to.Provider)
		case !slices.Contains(f.to.Traits.Hosted, t.Hosted.Kind):
			f.warn("the tool %q is not known to %s, which would have to run it: dropped", t.Name, f.to.Provider)
		case f.to.Traits.HostedAlone:
			f.warn("this model of %s does not take the tool %q beside functions: dropped", f.to.Provider, t.Name)
		default:
			return false
		}
		return true
	})
}

func (f *fitter) named(t *chat.Tool) bool {
	c := f.req.ToolChoice
	return c != nil && c.Mode == chat.ToolNamed && c.Name == t.Name
}

func (f *fitter) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); len(f.warnings) < maxWarnings && !slices.Contains(f.warnings, text) {
		f.warnings = append(f.warnings, text)
	}
}

// choice changes the name of the tool that must be called.
func (f *fitter) choice() {
	c := f.req.ToolChoice
	if c == nil || c.Mode != chat.ToolNamed {
		return
	}
	name, ok := f.sent[toolKey{name: c.Name}]
	if !ok && Named(f.req.Tools, c.Name) == nil {
		for _, t := range f.req.Tools { // in a group
			if form, sent := f.forms.of(t.Name); sent && form.name == c.Name {
				name, ok = t.Name, true
				break
			}
		}
	}
	if ok {
		f.req.ToolChoice = &chat.ToolChoice{Mode: c.Mode, Name: name}
	}
}

// messages changes earlier calls and results.
func (f *fitter) messages() {
	copied, empty := false, false
	for i := range f.req.Messages {
		parts, changed := f.parts(f.req.Messages[i].Parts)
		if !changed {
			continue
		}
		if !copied {
			f.req.Messages, copied = slices.Clone(f.req.Messages), true
		}
		f.req.Messages[i].Parts = parts
		empty = empty || len(parts) == 0
	}
	if empty {
		f.req.Messages = slices.DeleteFunc(f.req.Messages, func(m chat.Message) bool { return m.Parts != nil && len(m.Parts) == 0 })
	}
}

// parts returns a copy of the parts that the provider takes; not changed if it takes them as they are.
func (f *fitter) parts(parts []chat.Part) (out []chat.Part, changed bool) {
	for i := range parts {
		part, keep := f.part(&parts[i])
		if part == &parts[i] && keep {
			if changed {
				out = append(out, *part)
			}
			continue
		}
		if !changed {
			out, changed = append(make([]chat.Part, 0, len(parts)), parts[:i]...), true
		}
		if keep {
			out = append(out, *part)
		}
	}
	return out, changed
}

// part returns the part, or a changed copy. It is not kept if it is only there for its tools.
func (f *fitter) part(p *chat.Part) (part *chat.Part, keep bool) {
	switch {
	case p.ToolCall != nil:
		return f.call(p), true
	case p.ToolResult != nil:
		return f.result(p), true
	case len(p.Tools) > 0 && !f.to.Same:
		return p, false
	}
	return p, true
}

func (f *fitter) call(p *chat.Part) *chat.Part {
	call := *p.ToolCall
	form := toolForm{toolKey: toolKey{call.Group, call.Name}}
	lowers := call.Custom && (!f.to.Traits.CustomTools || call.Group != "" && !f.to.Same)
	switch {
	case call.Custom && !lowers, f.to.Same && (call.Group != "" || call.Type != ""):
		return p // as the provider has it
	case lowers:
		call.Custom = false
		call.Arguments = string(append(AppendMember(nil, customOpen, p.ToolCall.Arguments), '}'))
	}
	call.Name = f.sentName(form)
	call.Group, call.Type = "", ""
	delete(f.called, call.ID) // ids may come again
	if call == *p.ToolCall && len(p.Raw) == 0 {
		return p
	}
	if call.Name != p.ToolCall.Name {
		if f.called == nil {
			f.called = map[string]string{}
		}
		f.called[call.ID] = call.Name
	}
	changed := *p
	changed.ToolCall, changed.Raw = &call, nil
	return &changed
}

// sentName returns the name of a called function that the request may not have any more.
func (f *fitter) sentName(form toolForm) string {
	if name, ok := f.sent[form.toolKey]; ok {
		return name
	}
	if name := form.flatName(); form.group == "" && nameFits(name, f.to.Traits.ToolNames) {
		return name
	}
	return f.name(form)
}

func (f *fitter) result(p *chat.Part) *chat.Part {
	result := *p.ToolResult
	if name, ok := f.called[result.CallID]; ok {
		result.Name = name
	} else if result.Name != "" {
		result.Name = fitName(result.Name, f.to.Traits.ToolNames)
	}
	if result.Name == p.ToolResult.Name && (len(p.Raw) == 0 && len(p.Tools) == 0 || f.to.Same) {
		return p
	}
	changed := *p
	changed.ToolResult = &result
	if !f.to.Same {
		changed.Raw, changed.Tools = nil, nil
	}
	return &changed
}
