package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleOpenAI serves the routes of OpenAI's clients: /v1, with the lists of models.
func HandleOpenAI(w http.ResponseWriter, r *http.Request) { server.Serve(server.OpenAI, w, r) }
