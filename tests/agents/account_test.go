package agents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/alicetears/llm-gateway/internal/emulator"
)

// furnish registers a user and gives it provider keys and a token.
func furnish(setupToken string) error {
	var made struct{ Token string }
	first := object{"email": "agent@example.com", "password": "a long passphrase", "setupToken": setupToken}
	if err := post("", "/api/auth/register", first, &made); err != nil {
		return err
	}
	session := made.Token
	for i, id := range emulator.Providers() {
		if err := post(session, "/api/keys", object{"provider": id, "apiKey": fmt.Sprintf("sk-emulated-%04d", i+1)}, nil); err != nil {
			return err
		}
	}
	err := post(session, "/api/tokens", object{"name": "agents"}, &made)
	gate.token = made.Token
	return err
}

func post(session, path string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest("POST", gate.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if session != "" {
		req.Header.Set("Authorization", "Bearer "+session)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("POST %s: %d %s", path, resp.StatusCode, text)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}
