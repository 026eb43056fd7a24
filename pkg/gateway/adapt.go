package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// The bounds of what is learned of custom endpoints.
const (
	learnedTime  = 24 * time.Hour
	maxEndpoints = 5000
	maxKnown     = 16   // of an endpoint
	maxUnknown   = 4    // fields of one request that are left out one after the other
	maxErrorText = 4000 // bytes of an error that are searched
)

// unknownFields are the top-level fields that custom endpoints do not know, kept by this process.
type unknownFields struct {
	mu    sync.Mutex
	known map[endpoint][]unknownField
}

// endpoint is a model at the endpoint of a key. The host is as one user reaches it, see store.HostKey.
type endpoint struct {
	key, host store.ID
	model     string
}

type unknownField struct {
	field string
	until int64 // Unix milliseconds
}

func endpointOf(k candidate) endpoint { return endpoint{k.id, k.host, k.model} }

// sent returns the body without the fields that the candidate's endpoint does not know, and what to warn of.
func (l *unknownFields) sent(k candidate, data []byte, now int64) ([]byte, []string) {
	l.mu.Lock()
	known := l.known[endpointOf(k)]
	l.mu.Unlock()
	var warnings []string
	for _, unknown := range known {
		if unknown.until <= now {
			continue
		}
		if without, warning, ok := withoutField(data, unknown.field, k.providerID); ok {
			data, warnings = without, append(warnings, warning)
		}
	}
	return data, warnings
}

func (l *unknownFields) learn(k candidate, fields []string, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[endpoint][]unknownField{}
	}
	at := endpointOf(k)
	if _, ok := l.known[at]; !ok && len(l.known) >= maxEndpoints {
		for other := range l.known { // any: it is learned again
			delete(l.known, other)
			break
		}
	}
	var all []unknownField // a new list: others may read the old one
	for _, old := range l.known[at] {
		if old.until > now && !slices.Contains(fields, old.field) && len(all) < maxKnown {
			all = append(all, old)
		}
	}
	for _, field := range fields {
		all = append(all, unknownField{field, now + learnedTime.Milliseconds()})
	}
	l.known[at] = all
}

// do sends a request to the attempt's provider. A custom endpoint that says that it does not know a field gets the request
// again without it, at once; if it takes that, the field is left out for a day. Each time counts as a call of a provider.
func (g *Gateway) do(ctx context.Context, a *attempt, enc dialect.Encoded, opts provider.Options) (*provider.Response, error) {
	p := a.key.provider
	if !p.IsCustom() {
		return g.Upstream.Do(ctx, p, a.key.secret, enc, opts)
	}
	now := g.Now().UnixMilli()
	var warnings []string
	enc.Body, warnings = g.unknownFields.sent(a.key, enc.Body, now)
	a.warnings = append(a.warnings, warnings...)
	resp, err := g.Upstream.Do(ctx, p, a.key.secret, enc, opts)
	var refused []string
	warnings = nil
	for range min(maxUnknown, a.spare) {
		field := refusedField(err, enc.Body)
		if field == "" || slices.Contains(refused, field) {
			break
		}
		without, warning, ok := withoutField(enc.Body, field, a.key.providerID)
		if !ok {
			break
		}
		enc.Body, refused, warnings = without, append(refused, field), append(warnings, warning)
		a.repeated++
		resp, err = g.Upstream.Do(ctx, p, a.key.secret, enc, opts)
	}
	if err == nil && len(refused) > 0 {
		g.unknownFields.learn(a.key, refused, now)
		a.warnings = append(a.warnings, warnings...)
	}
	return resp, err
}

// renamed are the fields that have another name at some servers.
var renamed = map[string]string{"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}

// withoutField leaves the field out of a body, or renames it.
func withoutField(data []byte, field, providerID string) (without []byte, warning string, ok bool) {
	root, err := jsonx.Parse(data, jsonx.Lenient)
	if err != nil || !root.Get(field).Exists() {
		return data, "", false
	}
	edit := jsonx.NewEdit(root)
	if to := renamed[field]; to != "" {
		if root.Get(to).Exists() {
			return data, "", false
		}
		edit.Set(to, rawOf(root.Get(field)))
		edit.Drop(field)
		return edit.Append(nil), field + " is not known to " + providerID + ": sent as " + to, true
	}
	edit.Drop(field)
	return edit.Append(nil), field + " is not supported by " + providerID + ": dropped", true
}

func rawOf(v jsonx.Value) []byte { return append([]byte(nil), v.Raw()...) }

// needed are the fields without which a request means something else.
var needed = []string{"model", "messages", "input", "prompt", "contents", "system", "systemInstruction", "system_instruction", "instructions",
	"tools", "functions", "tool_choice", "function_call", "toolConfig", "tool_config", "response_format", "text", "generationConfig",
	"generation_config", "output_config", "stream", "previous_response_id", "conversation", "n", "modalities", "audio"}

// unknownWords are how servers say that they do not know a field.
var unknownWords = []string{"unknown", "unsupported", "not supported", "unrecognized", "unrecognised", "extra inputs are not permitted",
	"extra fields not permitted", "unexpected", "additional properties", "extra_forbidden"}

// refusedField returns the top-level field of the body that the error says the endpoint does not know; empty if it says
// so of none, or of one that a request needs.
func refusedField(err error, data []byte) string {
	var call *provider.CallError
	if err == nil || !errors.As(err, &call) || !call.Answered || call.Err.Class != chat.BadRequest || !call.Err.Evidence {
		return ""
	}
	e := call.Err
	text := strings.ToLower(clip(e.Message, maxErrorText))
	if e.Code == "unsupported_value" || strings.Contains(text, "unsupported value") {
		return ""
	}
	if !slices.ContainsFunc(unknownWords, func(w string) bool { return strings.Contains(text, w) || strings.Contains(e.Code, w) }) {
		return ""
	}
	root, parseErr := jsonx.Parse(data, jsonx.Lenient)
	if parseErr != nil {
		return ""
	}
	var named []string
	for m := root.First(); m.Exists(); m = m.Next() {
		field := string(m.Key())
		switch {
		case slices.Contains(needed, field):
		case e.Param == field:
			return field
		case e.Param == "" && namesField(clip(e.Message, maxErrorText), field):
			named = append(named, field)
		}
	}
	if len(named) == 1 {
		return named[0]
	}
	return ""
}

// namesField reports whether the text has the name as a word of its own, which is no part of a path.
func namesField(text, field string) bool {
	for rest := text; ; {
		i := strings.Index(rest, field)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(field):]
		// A body's own fields may stand below "body": FastAPI writes body.store, and loc lists.
		inBody := strings.HasSuffix(before, "body.") || strings.HasSuffix(before, "$.")
		if (inBody || !endsPath(before)) && !beginsPath(after) {
			return true
		}
		rest = after
	}
}

func endsPath(s string) bool {
	return s != "" && (isNameByte(s[len(s)-1]) || strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "..") || strings.HasSuffix(s, "]."))
}

func beginsPath(s string) bool {
	return s != "" && (isNameByte(s[0]) || s[0] == '[' || s[0] == '.' && len(s) > 1 && isNameByte(s[1]))
}

func isNameByte(b byte) bool {
	return b == '_' || b == '-' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// developerWarning warns of a role that the endpoint does not know.
func developerWarning(k candidate, req *chat.Request) []string {
	if k.provider.IsCustom() && k.provider.RenamesDeveloper() &&
		slices.ContainsFunc(req.Messages, func(m chat.Message) bool { return m.Role == chat.Developer }) {
		return []string{"the role developer is not known to " + k.providerID + ": sent as system"}
	}
	return nil
}
