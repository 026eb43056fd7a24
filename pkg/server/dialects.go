package server

import (
	"net/http"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
	"github.com/alicetears/llm-gateway/pkg/dialect/gemini"
	"github.com/alicetears/llm-gateway/pkg/dialect/native"
	"github.com/alicetears/llm-gateway/pkg/dialect/openai"
	"github.com/alicetears/llm-gateway/pkg/dialect/responses"
)

// dialects are the wire formats that callers may use.
type dialects struct {
	// list is in the order in which the dialects claim paths.
	list []*dialect.Dialect
	// own is the gateway's: what no other dialect claims is answered in it.
	own       *dialect.Dialect
	endpoints map[string]endpointOf
}

// endpointOf is an endpoint with its dialect.
type endpointOf struct {
	*dialect.Endpoint
	dialect *dialect.Dialect
}

// newDialects returns the dialects; providers are the ids that callers of /api/chat may name.
func newDialects(providers []string) *dialects {
	d := &dialects{own: native.NewDialect(providers), endpoints: map[string]endpointOf{}}
	d.list = []*dialect.Dialect{
		gemini.NewDialect(), anthropic.NewDialect(), openai.NewDialect(), responses.NewDialect(),
		openai.NewLegacyDialect(), d.own,
	}
	for _, of := range d.list {
		for i := range of.Endpoints {
			e := &of.Endpoints[i]
			d.endpoints[e.Name] = endpointOf{e, of}
		}
	}
	return d
}

// keysPath is the beginning of the gateway's own routes of keys.
const keysPath = "/api/keys/"

// of returns the dialect in which to answer a request to the path. Claimed says whether its clients
// ask for such paths; else it is the gateway's own.
func (d *dialects) of(path string, header http.Header) (of *dialect.Dialect, claimed bool) {
	if strings.HasPrefix(path, keysPath) {
		return d.own, false // though it may end in /models, as those of SDKs with a base URL of their own do
	}
	if of = dialect.Of(d.list, path, header); of != nil {
		return of, true
	}
	return d.own, false
}

// endpoint returns the endpoint of the name. A name that this version does not know, of an asynchronous
// request that another version took, stands for the gateway's own.
func (d *dialects) endpoint(name string) endpointOf {
	if e, ok := d.endpoints[name]; ok {
		return e
	}
	return d.endpoints[ownEndpoint]
}

// named returns the dialect of the name.
func (d *dialects) named(name dialect.Name) *dialect.Dialect {
	for _, of := range d.list {
		if of.Name == name {
			return of
		}
	}
	return d.own
}
