package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleGemini serves the routes of Google's clients: /v1beta.
func HandleGemini(w http.ResponseWriter, r *http.Request) { server.Serve(server.Gemini, w, r) }
