// Package mount serves the handlers of api/ by the shared route table, outside of Vercel.
package mount

import (
	"net/http"

	handler "github.com/alicetears/llm-gateway/api"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// API serves every route with the handlers that Vercel's functions are made of.
func API() http.Handler {
	return server.Mount(map[server.Group]http.HandlerFunc{
		server.Chat:      handler.HandleChat,
		server.OpenAI:    handler.HandleOpenAI,
		server.Anthropic: handler.HandleAnthropic,
		server.Gemini:    handler.HandleGemini,
		server.Keys:      handler.HandleKeys,
		server.Tokens:    handler.HandleTokens,
		server.Auth:      handler.HandleAuth,
		server.Usage:     handler.HandleUsage,
		server.Health:    handler.HandleHealth,
		server.Cron:      handler.HandleCron,
	})
}
