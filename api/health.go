package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleHealth serves /health, and answers 404 to paths that no other file serves.
func HandleHealth(w http.ResponseWriter, r *http.Request) { server.Serve(server.Health, w, r) }
