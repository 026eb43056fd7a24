package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// explainBody is a request of any dialect that is to be explained.
type explainBody struct {
	Endpoint string                             `json:"endpoint" jsonx:"required"`
	Body     json.RawMessage                    `json:"body" jsonx:"required"`
	Headers  jsonx.Optional[map[string]*string] `json:"headers"`
}

// ownHeaders begins the names of the headers that change where a request may go.
const ownHeaders = "X-LLM-"

// explainRoute answers which keys would be tried for a request, and why others would not.
func (a *App) explainRoute(c *call) error {
	text, err := a.conversationBody(c)
	if err != nil {
		return err
	}
	var in explainBody
	if err := jsonx.Decode(text, &in); err != nil {
		return err
	}
	var issues fault.Issues
	e, model, ok := a.endpointAt(in.Endpoint)
	if !ok {
		issues.Add("endpoint", "must be the path of a request for an answer, such as /v1/messages")
	}
	header := http.Header{}
	for name, value := range in.Headers.Value {
		if value != nil && strings.HasPrefix(strings.ToUpper(name), ownHeaders) {
			header.Set(name, *value)
		}
	}
	if err := issues.Err(); err != nil {
		return err
	}
	who := c.who.gateway()
	d, err := a.decode(c.r.Context(), who, e, model, header, in.Body)
	if err != nil {
		return err
	}
	d.req.ID, d.req.Principal = c.id, who
	out, err := a.Gateway.Explain(c.r.Context(), d.req)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

// endpointAt returns the endpoint that answers at the path, and the model that the path names.
func (a *App) endpointAt(path string) (e endpointOf, model string, ok bool) {
	u, err := url.Parse(path)
	if err != nil || u.Host != "" {
		return e, "", false
	}
	at, rest := a.table.find(u.EscapedPath())
	if at == nil || at.route(http.MethodPost) == nil {
		return e, "", false
	}
	pattern := at.route(http.MethodPost).Pattern
	if strings.HasSuffix(pattern, "{model...}") {
		name, err := url.PathUnescape(rest)
		cut := strings.LastIndexByte(name, ':')
		if err != nil || cut <= 0 || len(name) > maxModelPath || printableText(name) != name {
			return e, "", false
		}
		d, _ := a.dialects.of(u.Path, nil)
		e, ok = byMethod(d, name[cut+1:], u.Query())
		return e, name[:cut], ok && e.Count == nil
	}
	e, ok = a.dialects.endpoints[pattern[strings.LastIndexByte(pattern, '/')+1:]]
	return e, "", ok && e.Count == nil
}
