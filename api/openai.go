package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleOpenAI serves what OpenAI's clients ask, /v1, and the lists of models.
func HandleOpenAI(w http.ResponseWriter, r *http.Request) { server.Serve(server.OpenAI, w, r) }
