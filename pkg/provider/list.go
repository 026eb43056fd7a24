package provider

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// maxListed bounds how many models of a server's list are kept.
const maxListed = 2000

// listLimit bounds a list of models, in bytes: OpenRouter's has more than one megabyte.
const listLimit = 16 << 20

// listAt returns the row and the path of a list of models, by which most keys are checked, too: below the base URL, unless
// a preset has it elsewhere on the host.
func (p *Provider) listAt(below string) (at *Provider, path string) {
	if p.check.at == "" || p.base == nil {
		return p, below
	}
	if preset := PresetByID(p.preset); preset == nil || !strings.HasPrefix(preset.BaseURL, p.base.Scheme+"://"+p.base.Host+"/") {
		return p, below // a proxy in the place of the service
	}
	root := *p
	root.base = &url.URL{Scheme: p.base.Scheme, Host: p.base.Host}
	root.BaseURL = root.base.String()
	return &root, p.check.at
}

// ListModels asks the provider for the ids of its models, in its order: the first page, which has all of them today. The
// error is classified (*chat.Error).
func (c *Client) ListModels(ctx context.Context, p *Provider, secret string) ([]string, error) {
	at, path := p.listAt(cmp.Or(p.check.list, p.check.path))
	resp, err := c.send(ctx, at, secret, http.MethodGet, dialect.Encoded{Path: path}, Options{limit: listLimit})
	if err != nil {
		return nil, err
	}
	text, err := resp.ReadAll()
	if err != nil {
		return nil, err
	}
	ids, ok := listedIDs(text)
	if !ok {
		return nil, &chat.Error{Class: chat.Transport, Status: resp.Status,
			Message: "what " + p.Name + " answered is no list of models; look at the base URL"}
	}
	return ids, nil
}

// listedIDs reads {"data":[{"id"}]}, {"models":[{"name"}]} and [{"id"}].
func listedIDs(text []byte) (ids []string, ok bool) {
	root := parseAny(text)
	list, ok := root.v.([]any)
	for _, name := range [...]string{"data", "models"} {
		if !ok {
			list, ok = root.at(name).v.([]any)
		}
	}
	seen := map[string]bool{}
	for _, item := range list {
		n := node{item}
		id := strings.TrimPrefix(first(n.at("id").word(), n.at("name").word(), n.at("model").word()), "models/")
		if CheckPattern(id) != nil || seen[id] || len(ids) == maxListed {
			continue
		}
		seen[id] = true
		ids = append(ids, id)
	}
	return ids, ok
}
