package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/fault"
)

// generate answers what Gemini's clients post to a model: the method follows the model's name and a colon.
func (a *App) generate(c *call) error {
	name, err := c.model()
	if err != nil {
		return err
	}
	cut := strings.LastIndexByte(name, ':')
	if cut <= 0 {
		return fault.New(fault.NotFound, "there is no such route; post to /v1beta/models/MODEL:generateContent")
	}
	model, method := name[:cut], name[cut+1:]
	switch method {
	case "generateContent":
		return a.answer(c, formGenerate, model)
	case "streamGenerateContent":
		if c.r.URL.Query().Get("alt") == "sse" {
			return a.answer(c, formGenerateSSE, model)
		}
		return a.answer(c, formGenerateArray, model)
	case "countTokens":
		return a.countContents(c, model)
	}
	return fault.New(fault.NotFound, "there is no method %q here; these are: generateContent, streamGenerateContent, countTokens", printableText(method))
}

// countContents answers Gemini's :countTokens.
func (a *App) countContents(c *call, model string) error {
	body, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	req, route, err := gemini.NewServer(model, gemini.Whole).DecodeCount(body)
	if err != nil {
		return err
	}
	n, err := a.count(c, req, route, gemini.Name)
	if err != nil {
		return err
	}
	return c.replyRaw(http.StatusOK, gemini.EncodeCount(n))
}

// maxModelPath bounds a model's name in a path, in bytes.
const maxModelPath = 512

// model is the model's name in the path.
func (c *call) model() (string, error) {
	name, err := url.PathUnescape(c.path)
	if err != nil || name == "" || len(name) > maxModelPath || printableText(name) != name {
		return "", fault.New(fault.NotFound, "there is no such model")
	}
	return name, nil
}
