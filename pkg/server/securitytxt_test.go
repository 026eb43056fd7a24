package server_test

import (
	"strings"
	"testing"
	"time"
)

func TestSecurityTxt(t *testing.T) {
	newWorld(t).anyone().get("/.well-known/security.txt").refused(404, "NOT_FOUND", "SECURITY_CONTACT")
	r := newWorld(t, "SECURITY_CONTACT=https://example.com/security").anyone().get("/.well-known/security.txt").want(200)
	if r.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%v", r.header)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(r.body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields[name] = value
	}
	expires, err := time.Parse(time.RFC3339, fields["Expires"])
	if left := time.Until(expires); fields["Contact"] != "https://example.com/security" || err != nil || left < 100*24*time.Hour || left > 365*24*time.Hour {
		t.Errorf("%s, %v", r.body, err)
	}
}
