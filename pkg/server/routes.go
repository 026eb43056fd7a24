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
	Public    Access = iota + 1 // anyone
	Session                     // a person who is logged in
	Admin                       // such a person with the role admin
	Caller                      // a gateway token, or a person who is logged in
	Scheduler                   // the platform's scheduler, by CRON_SECRET
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
		{"POST", "/api/chat", Chat, Caller, AnyOrigin, (*App).chat},
		{"GET", "/api/chat/{id}", Chat, Caller, AnyOrigin, (*App).getJob},
		{"DELETE", "/api/chat/{id}", Chat, Caller, AnyOrigin, (*App).cancelJob},
		{"GET", "/api/queue/stats", Chat, Caller, SameOrigin, (*App).queueStats},
		{"GET", "/api/queue/jobs", Chat, Session, SameOrigin, (*App).listJobs},

		{"POST", "/v1/chat/completions", OpenAI, Caller, AnyOrigin, (*App).completions},
		{"POST", "/v1/responses", OpenAI, Caller, AnyOrigin, (*App).respond},
		{"POST", "/v1/embeddings", OpenAI, Caller, AnyOrigin, (*App).embeddings},
		{"GET", "/v1/models", OpenAI, Caller, AnyOrigin, (*App).listModels},
		{"GET", "/v1/models/{model...}", OpenAI, Caller, AnyOrigin, (*App).getModel},
		{"POST", "/v1/messages", Anthropic, Caller, AnyOrigin, (*App).messages},
		{"POST", "/v1/messages/count_tokens", Anthropic, Caller, AnyOrigin, (*App).countMessages},
		{"GET", "/v1beta/models", Gemini, Caller, AnyOrigin, (*App).listGeminiModels},
		{"GET", "/v1beta/models/{model...}", Gemini, Caller, AnyOrigin, (*App).getGeminiModel},
		{"POST", "/v1beta/models/{model...}", Gemini, Caller, AnyOrigin, (*App).generate},

		{"GET", "/api/auth/status", Auth, Public, SameOrigin, (*App).authStatus},
		{"POST", "/api/auth/register", Auth, Public, SameOrigin, (*App).register},
		{"POST", "/api/auth/login", Auth, Public, SameOrigin, (*App).login},
		{"POST", "/api/auth/logout", Auth, Session, SameOrigin, (*App).logout},
		{"GET", "/api/auth/me", Auth, Session, SameOrigin, (*App).me},
		{"PATCH", "/api/auth/me", Auth, Session, SameOrigin, (*App).updateMe},
		{"PUT", "/api/auth/password", Auth, Session, SameOrigin, (*App).changePassword},
		{"GET", "/api/auth/sessions", Auth, Session, SameOrigin, (*App).listSessions},
		{"DELETE", "/api/auth/sessions/{id}", Auth, Session, SameOrigin, (*App).deleteSession},
		{"GET", "/api/auth/settings", Auth, Admin, SameOrigin, (*App).settings},
		{"PUT", "/api/auth/settings", Auth, Admin, SameOrigin, (*App).updateSettings},
		{"GET", "/api/users", Auth, Admin, SameOrigin, (*App).listUsers},
		{"PATCH", "/api/users/{id}", Auth, Admin, SameOrigin, (*App).updateUser},

		{"GET", "/api/tokens", Tokens, Session, SameOrigin, (*App).listTokens},
		{"POST", "/api/tokens", Tokens, Session, SameOrigin, (*App).createToken},
		{"PATCH", "/api/tokens/{id}", Tokens, Session, SameOrigin, (*App).updateToken},
		{"DELETE", "/api/tokens/{id}", Tokens, Session, SameOrigin, (*App).deleteToken},
		{"GET", "/api/admin/tokens", Tokens, Admin, SameOrigin, (*App).listAllTokens},
		{"PATCH", "/api/admin/tokens/{id}", Tokens, Admin, SameOrigin, (*App).blockToken},

		{"GET", "/api/keys", Keys, Session, SameOrigin, (*App).listKeys},
		{"POST", "/api/keys", Keys, Session, SameOrigin, (*App).createKey},
		{"GET", "/api/keys/stats", Keys, Session, SameOrigin, (*App).keyStats},
		{"GET", "/api/keys/catalog", Keys, Session, SameOrigin, (*App).keyCatalog},
		{"GET", "/api/keys/{id}", Keys, Session, SameOrigin, (*App).getKey},
		{"PUT", "/api/keys/{id}", Keys, Session, SameOrigin, (*App).replaceKey},
		{"PATCH", "/api/keys/{id}", Keys, Session, SameOrigin, (*App).updateKey},
		{"DELETE", "/api/keys/{id}", Keys, Session, SameOrigin, (*App).deleteKey},
		{"POST", "/api/keys/{id}/reset", Keys, Session, SameOrigin, (*App).resetKey},
		{"POST", "/api/keys/{id}/test", Keys, Session, SameOrigin, (*App).testKey},
		{"GET", "/api/keys/{id}/usage", Keys, Session, SameOrigin, (*App).keyUsage},
		{"GET", "/api/admin/keys", Keys, Admin, SameOrigin, (*App).listAllKeys},
		{"PATCH", "/api/admin/keys/{id}", Keys, Admin, SameOrigin, (*App).blockKey},

		{"GET", "/api/usage", Usage, Session, SameOrigin, (*App).usage},
		{"GET", "/api/requests", Usage, Session, SameOrigin, (*App).listRequests},
		{"GET", "/api/requests.csv", Usage, Session, SameOrigin, (*App).exportRequests},
		{"GET", "/api/requests/{id}", Usage, Session, SameOrigin, (*App).getRequest},

		{"GET", "/health", Health, Public, SameOrigin, (*App).live},
		{"GET", "/health/live", Health, Public, SameOrigin, (*App).live},
		{"GET", "/health/ready", Health, Public, SameOrigin, (*App).ready},

		{"GET", "/api/cron", Cron, Scheduler, SameOrigin, (*App).cron},
	}
}
