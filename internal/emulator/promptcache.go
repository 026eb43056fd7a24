package emulator

import "encoding/json"

// messagesUse are the classes of a prompt's tokens.
type messagesUse struct{ input, made5m, made1h, read int }

// maxCached limits how many prefixes the emulator remembers.
const maxCached = 10_000

// messagesUsage classifies the prompt's tokens: those up to a cache breakpoint are written the first time, and read
// when the same key sends them again. Unlike the provider it caches prompts of any length, for ever.
func (x *exchange) messagesUsage(m *messagesRequest, a *answer) messagesUse {
	var u messagesUse
	seen, cachedUpTo := 0, 0 // tokens so far, and tokens up to the last breakpoint
	prefix := x.p.id + x.key + m.Model
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	for _, b := range m.prompt() {
		seen = min(seen+tokens(said([]block{b.block})), a.prompt)
		prefix = string(digest("cache", prefix+canonical(b.bare)))
		if b.ttl == "" {
			continue
		}
		switch {
		case x.e.cached[prefix]:
			u = messagesUse{read: seen}
		case b.ttl == "1h":
			u.made1h += seen - cachedUpTo
		default:
			u.made5m += seen - cachedUpTo
		}
		cachedUpTo = seen
		if len(x.e.cached) >= maxCached {
			clear(x.e.cached)
		}
		x.e.cached[prefix] = true
	}
	u.input = a.prompt - u.read - u.made5m - u.made1h
	return u
}

// promptBlock is a part of the prompt: a tool, or a block of content.
type promptBlock struct {
	block block
	bare  json.RawMessage // without cache_control
	ttl   string          // of the breakpoint; empty: the block has none
}

// prompt returns the parts that may hold a cache breakpoint, in the order in which they are cached.
func (m *messagesRequest) prompt() []promptBlock {
	list := blockList(m.raw["tools"])
	list = append(list, blockList(m.raw["system"])...)
	turns, _ := m.raw["messages"].([]any)
	for _, t := range turns {
		list = append(list, blockList(t.(map[string]any)["content"])...)
	}
	if cacheControl := m.raw["cache_control"]; cacheControl != nil && len(list) > 0 { // automatic: on the last block
		list[len(list)-1].ttl = ttlOf(cacheControl)
	}
	return list
}

func blockList(v any) []promptBlock {
	if s, ok := v.(string); ok {
		v = []any{object{"type": "text", "text": s}}
	}
	items, _ := v.([]any)
	var out []promptBlock
	for _, item := range items {
		kept := object{}
		for name, value := range item.(map[string]any) {
			kept[name] = value
		}
		cacheControl := kept["cache_control"]
		delete(kept, "cache_control")
		p := promptBlock{bare: encode(kept)}
		json.Unmarshal(p.bare, &p.block)
		if cacheControl != nil {
			p.ttl = ttlOf(cacheControl)
		}
		out = append(out, p)
	}
	return out
}

func ttlOf(cacheControl any) string {
	if m, ok := cacheControl.(map[string]any); ok && m["ttl"] == "1h" {
		return "1h"
	}
	return "5m"
}
