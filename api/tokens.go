package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleTokens serves /api/tokens, and what the admin sees of them, /api/admin/tokens.
func HandleTokens(w http.ResponseWriter, r *http.Request) { server.Serve(server.Tokens, w, r) }
