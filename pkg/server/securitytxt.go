package server

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/alicetears/llm-gateway/pkg/fault"
)

// securityTxt tells where to report security problems of this installation (RFC 9116), if the operator has said so.
func (a *App) securityTxt(c *call) error {
	contact := a.Config.SecurityContact
	if contact == "" {
		return fault.New(fault.NotFound, "the operator has not named a contact for security problems (SECURITY_CONTACT)")
	}
	// The setting is valid as long as the gateway runs with it. RFC 9116, 2.5.5, recommends less than a year.
	expires := c.begun.UTC().AddDate(0, 6, 0).Truncate(24 * time.Hour)
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	_, err := io.WriteString(c.w, fmt.Sprintf("Contact: %s\nExpires: %s\nPreferred-Languages: en\n", contact, expires.Format(time.RFC3339)))
	return err
}
