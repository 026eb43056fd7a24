package handler

import (
	"net/http"

	"github.com/alicetears/llm-gateway/pkg/server"
)

// HandleCron serves /api/cron, which the platform's scheduler calls once a day.
func HandleCron(w http.ResponseWriter, r *http.Request) { server.Serve(server.Cron, w, r) }
