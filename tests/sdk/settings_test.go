package sdk

import (
	"testing"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"google.golang.org/genai"
)

// The settings that README.md gives are all that the SDKs need.
func TestSettings(t *testing.T) {
	for name, value := range map[string]string{
		"OPENAI_BASE_URL": gate.url + "/v1", "OPENAI_API_KEY": gate.token,
		"ANTHROPIC_BASE_URL": gate.url, "ANTHROPIC_API_KEY": "", "ANTHROPIC_AUTH_TOKEN": gate.token,
		"GOOGLE_GEMINI_BASE_URL": gate.url, "GEMINI_API_KEY": gate.token, "GOOGLE_API_KEY": "",
	} {
		t.Setenv(name, value)
	}
	const model, text = "mistral-small-latest", "it works"
	onEach(t, []string{"openai", "anthropic", "google"}, func(t *testing.T, name string) {
		var got string
		var err error
		switch name {
		case "openai":
			c := openai.NewClient(option.WithUnsafeAllowHTTP())
			var r *openai.ChatCompletion
			if r, err = c.Chat.Completions.New(t.Context(), say(model, "echo: "+text)); err == nil {
				got = r.Choices[0].Message.Content
			}
		case "anthropic":
			c := anthropic.NewClient()
			var r *anthropic.Message
			if r, err = c.Messages.New(t.Context(), tell(model, "echo: "+text)); err == nil {
				got = textOf(*r)
			}
		case "google":
			var c *genai.Client
			if c, err = genai.NewClient(t.Context(), nil); err != nil {
				break
			}
			var r *genai.GenerateContentResponse
			if r, err = c.Models.GenerateContent(t.Context(), model, genai.Text("echo: "+text), nil); err == nil {
				got = r.Text()
			}
		}
		if err != nil || got != text {
			t.Errorf("%q, %v", got, err)
		}
	})
}
