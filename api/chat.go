package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleChat serves /api/chat.
func HandleChat(w http.ResponseWriter, r *http.Request) { server.Serve(server.Chat, w, r) }
