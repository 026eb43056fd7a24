package server

// Group names the file of api/ that serves a route.
type Group string

// The groups.
const (
	Chat      Group = "chat"
	OpenAI    Group = "openai"
	Anthropic Group = "anthropic"
	Gemini    Group = "gemini"
	Keys      Group = "keys"
	Tokens    Group = "tokens"
	Auth      Group = "auth"
	Usage     Group = "usage"
	Health    Group = "health"
	Cron      Group = "cron"
)

// Access says who may call a route.
type Access uint8

// The kinds of access.
const (
	AccessPublic    Access = iota + 1 // anyone
	AccessSession                     // a person who is logged in
	AccessAdmin                       // such a person with the role admin
	AccessToken                       // a gateway token, or a person who is logged in
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
	// Pattern is the path. A segment {id} stands for an object's id, and {model...} at the end for the rest of the
	// path, slashes included. GET serves HEAD, too.
	Pattern string
	Group   Group
	Access  Access
	Sharing Sharing
	handle  func(*App, *call) error
}

// Routes is the route table: every route of the gateway, in every platform.
func Routes() []Route {
	return []Route{
		{"POST", "/api/chat", Chat, AccessToken, AnyOrigin, (*App).chat},
		{"GET", "/api/chat/{id}", Chat, AccessToken, AnyOrigin, (*App).getJob},
		{"DELETE", "/api/chat/{id}", Chat, AccessToken, AnyOrigin, (*App).cancelJob},
		{"GET", "/api/queue/stats", Chat, AccessToken, SameOrigin, (*App).queueStats},
		{"GET", "/api/queue/jobs", Chat, AccessSession, SameOrigin, (*App).listJobs},

		{"POST", "/v1/chat/completions", OpenAI, AccessToken, AnyOrigin, (*App).completions},
		{"POST", "/v1/responses", OpenAI, AccessToken, AnyOrigin, (*App).respond},
		{"POST", "/v1/embeddings", OpenAI, AccessToken, AnyOrigin, (*App).embeddings},
		{"GET", "/v1/models", OpenAI, AccessToken, AnyOrigin, (*App).listModels},
		{"GET", "/v1/models/{model...}", OpenAI, AccessToken, AnyOrigin, (*App).getModel},
		{"POST", "/v1/messages", Anthropic, AccessToken, AnyOrigin, (*App).messages},
		{"POST", "/v1/messages/count_tokens", Anthropic, AccessToken, AnyOrigin, (*App).countMessages},
		{"GET", "/v1beta/models", Gemini, AccessToken, AnyOrigin, (*App).listGeminiModels},
		{"GET", "/v1beta/models/{model...}", Gemini, AccessToken, AnyOrigin, (*App).getGeminiModel},
		{"POST", "/v1beta/models/{model...}", Gemini, AccessToken, AnyOrigin, (*App).generate},

		{"GET", "/api/auth/status", Auth, AccessPublic, SameOrigin, (*App).authStatus},
		{"POST", "/api/auth/register", Auth, AccessPublic, SameOrigin, (*App).register},
		{"POST", "/api/auth/login", Auth, AccessPublic, SameOrigin, (*App).login},
		{"POST", "/api/auth/logout", Auth, AccessSession, SameOrigin, (*App).logout},
		{"GET", "/api/auth/me", Auth, AccessSession, SameOrigin, (*App).me},
		{"PATCH", "/api/auth/me", Auth, AccessSession, SameOrigin, (*App).updateMe},
		{"PUT", "/api/auth/password", Auth, AccessSession, SameOrigin, (*App).changePassword},
		{"GET", "/api/auth/sessions", Auth, AccessSession, SameOrigin, (*App).listSessions},
		{"DELETE", "/api/auth/sessions/{id}", Auth, AccessSession, SameOrigin, (*App).deleteSession},
		{"GET", "/api/auth/settings", Auth, AccessAdmin, SameOrigin, (*App).settings},
		{"PUT", "/api/auth/settings", Auth, AccessAdmin, SameOrigin, (*App).updateSettings},
		{"GET", "/api/users", Auth, AccessAdmin, SameOrigin, (*App).listUsers},
		{"PATCH", "/api/users/{id}", Auth, AccessAdmin, SameOrigin, (*App).updateUser},

		{"GET", "/api/tokens", Tokens, AccessSession, SameOrigin, (*App).listTokens},
		{"POST", "/api/tokens", Tokens, AccessSession, SameOrigin, (*App).createToken},
		{"PATCH", "/api/tokens/{id}", Tokens, AccessSession, SameOrigin, (*App).updateToken},
		{"DELETE", "/api/tokens/{id}", Tokens, AccessSession, SameOrigin, (*App).deleteToken},
		{"GET", "/api/admin/tokens", Tokens, AccessAdmin, SameOrigin, (*App).listAllTokens},
		{"PATCH", "/api/admin/tokens/{id}", Tokens, AccessAdmin, SameOrigin, (*App).blockToken},

		{"GET", "/api/keys", Keys, AccessSession, SameOrigin, (*App).listKeys},
		{"POST", "/api/keys", Keys, AccessSession, SameOrigin, (*App).createKey},
		{"GET", "/api/keys/stats", Keys, AccessSession, SameOrigin, (*App).keyStats},
		{"GET", "/api/keys/catalog", Keys, AccessSession, SameOrigin, (*App).keyCatalog},
		{"GET", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).getKey},
		{"PUT", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).replaceKey},
		{"PATCH", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).updateKey},
		{"DELETE", "/api/keys/{id}", Keys, AccessSession, SameOrigin, (*App).deleteKey},
		{"POST", "/api/keys/{id}/reset", Keys, AccessSession, SameOrigin, (*App).resetKey},
		{"POST", "/api/keys/{id}/test", Keys, AccessSession, SameOrigin, (*App).testKey},
		{"GET", "/api/keys/{id}/usage", Keys, AccessSession, SameOrigin, (*App).keyUsage},
		{"GET", "/api/admin/keys", Keys, AccessAdmin, SameOrigin, (*App).listAllKeys},
		{"PATCH", "/api/admin/keys/{id}", Keys, AccessAdmin, SameOrigin, (*App).blockKey},

		{"GET", "/api/usage", Usage, AccessSession, SameOrigin, (*App).usage},
		{"GET", "/api/requests", Usage, AccessSession, SameOrigin, (*App).listRequests},
		{"GET", "/api/requests.csv", Usage, AccessSession, SameOrigin, (*App).exportRequests},
		{"GET", "/api/requests/{id}", Usage, AccessSession, SameOrigin, (*App).getRequest},

		{"GET", "/health", Health, AccessPublic, SameOrigin, (*App).live},
		{"GET", "/health/live", Health, AccessPublic, SameOrigin, (*App).live},
		{"GET", "/health/ready", Health, AccessPublic, SameOrigin, (*App).ready},

		{"GET", "/api/cron", Cron, AccessScheduler, SameOrigin, (*App).cron},
	}
}
