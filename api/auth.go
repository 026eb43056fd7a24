package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleAuth serves /api/auth, and the admin's /api/users.
func HandleAuth(w http.ResponseWriter, r *http.Request) { server.Serve(server.Auth, w, r) }
