package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleUsage serves /api/usage and /api/requests.
func HandleUsage(w http.ResponseWriter, r *http.Request) { server.Serve(server.Usage, w, r) }
