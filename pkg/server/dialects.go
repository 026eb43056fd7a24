package server

import (
	"slices"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// dialects are the wire formats that callers may speak. Gemini's is made for each request, because
// its path says a part of it.
type dialects struct {
	native    *native.Server
	openai    *openai.Server
	responses *responses.Server
	anthropic *anthropic.Server
	gemini    gemini.Server // for errors
}

// newDialects makes them; providers are the ids that callers of /api/chat may name.
func newDialects(providers []string) dialects {
	return dialects{
		native: native.New(providers), openai: new(openai.Server), responses: new(responses.Server), anthropic: anthropic.New(),
		gemini: gemini.NewServer("", gemini.Whole),
	}
}

// of is the dialect of a group's errors. The groups that are no dialect's speak the gateway's own.
func (d *dialects) of(group Group) dialect.Server {
	switch group {
	case OpenAI:
		return d.openai
	case Anthropic:
		return d.anthropic
	case Gemini:
		return d.gemini
	}
	return d.native
}

// speaker is the dialect in which the call's errors are told.
func (a *App) speaker(c *call) dialect.Server { return a.dialects.of(c.speaks()) }

// speaks is the group whose dialect the caller speaks; Chat is the gateway's own. Anthropic's clients ask for
// models at the path of OpenAI's, and send this header always.
func (c *call) speaks() Group {
	group := groupOf(c.r.URL.Path)
	if group == OpenAI && c.r.Header.Get("Anthropic-Version") != "" {
		return Anthropic
	}
	return group
}

// groupOf is the group of dialects that a path belongs to, whether a route has it or not. What an SDK adds to
// its base URL says more than the base, which may be wrong.
func groupOf(path string) Group {
	switch {
	case strings.Contains(path, "/v1beta"), hasMethod(path):
		return Gemini
	case endsIn(path, "/messages", "/messages/count_tokens"), below(path, "/v1/messages"):
		return Anthropic
	case endsIn(path, "/chat/completions", "/responses", "/embeddings", "/models"), below(path, "/v1"):
		return OpenAI
	}
	return Chat
}

// hasMethod says whether the path ends as those of Google's SDKs do: models/MODEL:generateContent.
func hasMethod(path string) bool {
	_, method, ok := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
	return ok && strings.Contains(path, "/models/") && (strings.HasSuffix(method, "Content") || method == "countTokens")
}

func endsIn(path string, tails ...string) bool {
	path = strings.TrimRight(path, "/")
	return slices.ContainsFunc(tails, func(tail string) bool { return strings.HasSuffix(path, tail) })
}

func below(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}
