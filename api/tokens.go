package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleTokens serves /api/tokens, /api/limits, and the admin's /api/admin/tokens.
func HandleTokens(w http.ResponseWriter, r *http.Request) { server.Serve(server.Tokens, w, r) }
