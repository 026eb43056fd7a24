package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleHealth serves /health, and what no other file serves: it answers 404.
func HandleHealth(w http.ResponseWriter, r *http.Request) { server.Serve(server.Health, w, r) }
