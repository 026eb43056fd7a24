package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleKeys serves /api/keys, and the admin's /api/admin/keys.
func HandleKeys(w http.ResponseWriter, r *http.Request) { server.Serve(server.Keys, w, r) }
