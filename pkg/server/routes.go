package server

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
)

// Group names the file of api/ that serves a route.
type Group string

// The groups. Those of dialects have the dialects' names.
const (
	Chat      Group = "chat"
	OpenAI          = Group(openai.Name)
	Anthropic       = Group(anthropic.Name)
	Gemini          = Group(gemini.Name)
	Keys      Group = "keys"
	Tokens    Group = "tokens"
	Auth      Group = "auth"
	Usage     Group = "usage"
	Health    Group = "health"
	Cron      Group = "cron"
)

// ofDialect says whether the group's routes are those of SDKs. Each of these groups' files serves the routes of the
// others, too: their paths lie among each other, and a platform's rewrites tell them by their beginning alone.
func (g Group) ofDialect() bool { return g == OpenAI || g == Anthropic || g == Gemini }

// serves says whether the group's file serves a route of the other group.
func (g Group) serves(other Group) bool { return g == other || g.ofDialect() && other.ofDialect() }

// Access says who may call a route.
type Access uint8

// The kinds of access.
const (
	AccessPublic    Access = iota + 1 // anyone
	AccessSession                     // a user who is logged in
	AccessAdmin                       // a user who is logged in and has the role admin
	AccessToken                       // who has a gateway token or is logged in
	AccessScheduler                   // the platform's scheduler, by CRON_SECRET
)

// Sharing says which web pages may read a route's answers.
type Sharing uint8

// The kinds of sharing.
const (
	SameOrigin Sharing = iota + 1 // those of the gateway itself
	AnyOrigin                     // any, or those that CORS_ORIGINS names
)

// Route is a row of the route table.
type Route struct {
	Method string
	// Pattern is the path. A segment {id} matches an object's id, and {model...} at the end matches the
	// rest of the path, slashes included. GET serves HEAD, too.
	Pattern string
	Group   Group
	Access  Access
	Sharing Sharing
	handle  func(*App, *call) error
}

// ownEndpoint is the endpoint of the gateway's own dialect.
const ownEndpoint = "chat"

// Routes returns the route table: every route of the gateway, on every platform.
func Routes() []Route {
	var routes []Route
	dialects := newDialects(nil)
	for _, r := range routeTable() {
		rest, ok := strings.CutPrefix(r.Pattern, basePlaceholder)
		if !ok {
			routes = append(routes, r)
			continue
		}
		for _, base := range dialects.named(dialect.Name(r.Group)).Bases {
			r.Pattern = base + rest
			routes = append(routes, r)
		}
	}
	return routes
}

// Aliases returns the paths of other bases, and without a base, at which routes of Routes are served as well: of each
// path, that route's pattern.
func Aliases() map[string]string {
	aliases, d := map[string]string{}, newDialects(nil)
	for _, r := range Routes() {
		of := d.named(dialect.Name(r.Group))
		for _, base := range of.Bases {
			rest, ok := strings.CutPrefix(r.Pattern, base+"/")
			for _, alias := range of.Aliases {
				if ok {
					aliases[alias+"/"+rest] = r.Pattern
				}
			}
			for _, root := range of.Roots {
				if path := "/" + rest; ok && (path == root || strings.HasPrefix(path, root+"/")) {
					aliases[path] = r.Pattern
				}
			}
		}
	}
	return aliases
}

// basePlaceholder at the beginning of a pattern stands for each of the bases of the group's dialect.
const basePlaceholder = "{base}"

func routeTable() []Route {
	return []Route{
		{"POST", "/api/chat", Chat, AccessToken, AnyOrigin, ask(ownEndpoint)},
		{"GET", "/api/chat/{id}", Chat, AccessToken, AnyOrigin, (*App).getJob},
		{"DELETE", "/api/chat/{id}", Chat, AccessToken, AnyOrigin, (*App).cancelJob},
		{"POST", "/api/route/explain", Chat, AccessToken, SameOrigin, (*App).explainRoute},
		{"GET", "/api/queue/stats", Chat, AccessToken, SameOrigin, (*App).queueStats},
		{"GET", "/api/queue/jobs", Chat, AccessSession, SameOrigin, (*App).listJobs},

		{"POST", "{base}/chat/completions", OpenAI, AccessToken, AnyOrigin, ask("completions")},
		{"POST", "{base}/completions", OpenAI, AccessToken, AnyOrigin, ask("text-completions")},
		{"POST", "{base}/responses", OpenAI, AccessToken, AnyOrigin, ask(stateEndpoint)},
		{"POST", "{base}/responses/input_tokens", OpenAI, AccessToken, AnyOrigin, ask("responses-count")},
		{"POST", "{base}/responses/compact", OpenAI, AccessToken, AnyOrigin, ask("responses-compact")},
		{"GET", "{base}/responses/{id}", OpenAI, AccessToken, AnyOrigin, (*App).getAnswer},
		{"DELETE", "{base}/responses/{id}", OpenAI, AccessToken, AnyOrigin, (*App).deleteAnswer},
		{"GET", "{base}/responses/{id}/input_items", OpenAI, AccessToken, AnyOrigin, (*App).answerInputs},
		{"POST", "{base}/responses/{id}/cancel", OpenAI, AccessToken, AnyOrigin, (*App).cancelAnswer},
		{"POST", "{base}/embeddings", OpenAI, AccessToken, AnyOrigin, ask("embeddings")},
		{"GET", "/v1/limits", OpenAI, AccessToken, AnyOrigin, (*App).ownLimits},
		{"GET", "{base}/models", OpenAI, AccessToken, AnyOrigin, (*App).listModels},
		{"GET", "{base}/models/{model...}", OpenAI, AccessToken, AnyOrigin, (*App).getModel},
		{"POST", "{base}/messages", Anthropic, AccessToken, AnyOrigin, ask("messages")},
		{"POST", "{base}/messages/count_tokens", Anthropic, AccessToken, AnyOrigin, ask("messages-count")},
		{"GET", "{base}/models", Gemini, AccessToken, AnyOrigin, (*App).listModels},
		{"GET", "{base}/models/{model...}", Gemini, AccessToken, AnyOrigin, (*App).getModel},
		{"POST", "{base}/models/{model...}", Gemini, AccessToken, AnyOrigin, askByMethod(Gemini)},

		{"GET", "/api/auth/status", Auth, AccessPublic, SameOrigin, (*App).authStatus},
		{"POST", "/api/auth/register", Auth, AccessPublic, SameOrigin, (*App).register},
		{"POST", "/api/auth/login", Auth, AccessPublic, SameOrigin, (*App).login},
		{"POST", "/api/auth/logout", Auth, AccessSession, SameOrigin, (*App).logout},
		{"GET", "/api/auth/me", Auth, AccessSession, SameOrigin, (*App).me},
		{"PATCH", "/api/auth/me", Auth, AccessSession, SameOrigin, (*App).updateMe},
		{"POST", "/api/auth/me/delete", Auth, AccessSession, SameOrigin, (*App).deleteMe},
		{"POST", "/api/auth/revoke", Auth, AccessSession, SameOrigin, (*App).revoke},
		{"PUT", "/api/auth/password", Auth, AccessSession, SameOrigin, (*App).changePassword},
		{"GET", "/api/auth/sessions", Auth, AccessSession, SameOrigin, (*App).listSessions},
		{"DELETE", "/api/auth/sessions/{id}", Auth, AccessSession, SameOrigin, (*App).deleteSession},
		{"GET", "/api/auth/settings", Auth, AccessAdmin, SameOrigin, (*App).settings},
		{"PUT", "/api/auth/settings", Auth, AccessAdmin, SameOrigin, (*App).updateSettings},
		{"GET", "/api/users", Auth, AccessAdmin, SameOrigin, (*App).listUsers},
		{"PATCH", "/api/users/{id}", Auth, AccessAdmin, SameOrigin, (*App).updateUser},
		{"DELETE", "/api/users/{id}", Auth, AccessAdmin, SameOrigin, (*App).deleteUser},

		{"GET", "/api/tokens", Tokens, AccessSession, SameOrigin, (*App).listTokens},
		{"POST", "/api/tokens", Tokens, AccessSession, SameOrigin, (*App).createToken},
		{"GET", "/api/tokens/{id}", Tokens, AccessSession, SameOrigin, (*App).getToken},
		{"PATCH", "/api/tokens/{id}", Tokens, AccessSession, SameOrigin, (*App).updateToken},
		{"DELETE", "/api/tokens/{id}", Tokens, AccessSession, SameOrigin, (*App).deleteToken},
		{"GET", "/api/tokens/{id}/end-users", Tokens, AccessSession, SameOrigin, (*App).listEndUsers},
		{"DELETE", "/api/tokens/{id}/end-users", Tokens, AccessSession, SameOrigin, (*App).deleteEndUser},
		{"GET", "/api/admin/tokens", Tokens, AccessAdmin, SameOrigin, (*App).listAllTokens},
		{"PATCH", "/api/admin/tokens/{id}", Tokens, AccessAdmin, SameOrigin, (*App).blockToken},

		{"GET", "/api/limits", Tokens, AccessSession, SameOrigin, (*App).listLimits},
		{"POST", "/api/limits", Tokens, AccessSession, SameOrigin, (*App).createLimit},
		{"GET", "/api/limits/{id}", Tokens, AccessSession, SameOrigin, (*App).getLimit},
		{"PATCH", "/api/limits/{id}", Tokens, AccessSession, SameOrigin, (*App).updateLimit},
		{"DELETE", "/api/limits/{id}", Tokens, AccessSession, SameOrigin, (*App).deleteLimit},
		{"POST", "/api/limits/{id}/reset", Tokens, AccessSession, SameOrigin, (*App).resetLimit},

		{"GET", "/api/keys", Keys, AccessSession, SameOrigin, (*App).listKeys},
		{"POST", "/api/keys", Keys, AccessSession, SameOrigin, (*App).createKey},
		{"GET", "/api/keys/stats", Keys, AccessSession, SameOrigin, (*App).keyStats},
		{"GET", "/api/keys/catalog", Keys, AccessSession, SameOrigin, (*App).keyCatalog},
		{"GET", "/api/keys/models", Keys, AccessSession, SameOrigin, (*App).ownModels},
		{"GET", "/api/keys/presets", Keys, AccessSession, SameOrigin, (*App).keyPresets},
		{"GET", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).getKey},
		{"PUT", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).replaceKey},
		{"PATCH", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).updateKey},
		{"DELETE", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).deleteKey},
		{"POST", "/api/keys/{id}/reset", Keys, AccessSession, SameOrigin, (*App).resetKey},
		{"POST", "/api/keys/{id}/models", Keys, AccessSession, SameOrigin, (*App).keyModels},
		{"POST", "/api/keys/{id}/test", Keys, AccessSession, SameOrigin, (*App).testKey},
		{"GET", "/api/keys/{id}/usage", Keys, AccessSession, SameOrigin, (*App).keyUsage},
		{"GET", "/api/aliases", Keys, AccessSession, SameOrigin, (*App).listAliases},
		{"POST", "/api/aliases", Keys, AccessSession, SameOrigin, (*App).createAlias},
		{"GET", "/api/aliases/{id}", Keys, AccessSession, SameOrigin, (*App).getAlias},
		{"PATCH", "/api/aliases/{id}", Keys, AccessSession, SameOrigin, (*App).updateAlias},
		{"DELETE", "/api/aliases/{id}", Keys, AccessSession, SameOrigin, (*App).deleteAlias},
		{"GET", "/api/admin/keys", Keys, AccessAdmin, SameOrigin, (*App).listAllKeys},
		{"PATCH", "/api/admin/keys/{id}", Keys, AccessAdmin, SameOrigin, (*App).blockKey},

		{"GET", "/api/usage", Usage, AccessSession, SameOrigin, (*App).usage},
		{"GET", "/api/requests", Usage, AccessSession, SameOrigin, (*App).listRequests},
		{"GET", "/api/requests.csv", Usage, AccessSession, SameOrigin, (*App).exportRequests},
		{"GET", "/api/requests/{id}", Usage, AccessSession, SameOrigin, (*App).getRequest},

		{"GET", "/health", Health, AccessPublic, SameOrigin, (*App).live},
		{"GET", "/health/live", Health, AccessPublic, SameOrigin, (*App).live},
		{"GET", "/health/ready", Health, AccessPublic, SameOrigin, (*App).ready},
		{"GET", "/.well-known/security.txt", Health, AccessPublic, SameOrigin, (*App).securityTxt},

		{"GET", "/api/cron", Cron, AccessScheduler, SameOrigin, (*App).cron},
	}
}
