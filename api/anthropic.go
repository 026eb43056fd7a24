package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleAnthropic serves the routes of Anthropic's clients: /v1/messages.
func HandleAnthropic(w http.ResponseWriter, r *http.Request) { server.Serve(server.Anthropic, w, r) }
