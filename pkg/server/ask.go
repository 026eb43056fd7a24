package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
)

// ask returns the handler of the endpoint's route.
func ask(endpoint string) func(*App, *call) error {
	return func(a *App, c *call) error { return a.answer(c, a.dialects.endpoint(endpoint), "") }
}

// askByMethod returns the handler of a route whose path ends in MODEL:method. The method names one of
// the dialect's endpoints.
func askByMethod(name Group) func(*App, *call) error {
	return func(a *App, c *call) error {
		path, err := c.model()
		if err != nil {
			return err
		}
		d := a.dialects.named(dialect.Name(name))
		cut := strings.LastIndexByte(path, ':')
		if cut <= 0 {
			return fault.New(fault.NotFound, "there is no such route; post to %s/models/MODEL:%s",
				d.Bases[0], d.Endpoints[0].Method)
		}
		model, method := path[:cut], path[cut+1:]
		e, ok := byMethod(d, method, c.r.URL.Query())
		if !ok {
			return fault.New(fault.NotFound, "there is no method %q here; these are: %s",
				printableText(method), strings.Join(methodsOf(d), ", "))
		}
		return a.answer(c, e, model)
	}
}

// byMethod finds the endpoint of a method. One whose Query is given goes before one that has none.
func byMethod(d *dialect.Dialect, method string, query url.Values) (found endpointOf, ok bool) {
	for i := range d.Endpoints {
		e := &d.Endpoints[i]
		name, value, _ := strings.Cut(e.Query, "=")
		switch {
		case e.Method != method || method == "":
		case e.Query == "" && !ok, e.Query != "" && query.Get(name) == value:
			found, ok = endpointOf{e, d}, true
		}
	}
	return found, ok
}

func methodsOf(d *dialect.Dialect) []string {
	var list []string
	for _, e := range d.Endpoints {
		if e.Method != "" && e.Query == "" {
			list = append(list, e.Method)
		}
	}
	return list
}

// maxModelPath bounds a model's name in a path, in bytes.
const maxModelPath = 512

// model returns the model's name in the path.
func (c *call) model() (string, error) {
	name, err := url.PathUnescape(c.path)
	if err != nil || name == "" || len(name) > maxModelPath || printableText(name) != name {
		return "", fault.New(fault.NotFound, "there is no such model")
	}
	return name, nil
}

// conversationBody reads the body of what is sent to a provider. Whose it is is known before, from the cache
// or with the query that loads the keys. Whether a gateway token is still valid the reservation tells; for a large body
// a query of its own tells it earlier.
func (a *App) conversationBody(c *call) ([]byte, error) {
	if err := c.jsonOnly(); err != nil {
		return nil, err
	}
	c.owner = c.who.user.ID
	if c.who.digests != nil {
		ctx, p := c.r.Context(), c.who.gateway()
		user, _, err := a.Gateway.Identify(ctx, p)
		if err != nil {
			return nil, err
		}
		c.owner = user
		c.prove = func() error { return a.Gateway.Verify(ctx, p) }
	}
	read := c.readEncodedBody
	if !c.shared() {
		read = c.readBody
	}
	body, err := read(a.Config.Limits.MaxBodyBytes)
	if err != nil {
		return nil, err
	}
	return body, c.holdDecoded(body)
}

// decodedRequest is a request that was read, as the gateway takes it, and the codec of its answer.
type decodedRequest struct {
	endpoint endpointOf
	codec    dialect.Server // nil for embeddings
	model    string         // that of the path
	body     []byte         // as it came
	req      gateway.Request
	async    bool
	storing  *storing // nil: the answer has nothing to do with stored ones
}

// decode reads a request to the endpoint. Model is that of the path. Errors: Validation, and those of recall.
func (a *App) decode(ctx context.Context, who gateway.Principal, e endpointOf, model string, header http.Header, body []byte) (
	*decodedRequest, error) {
	d := &decodedRequest{endpoint: e, model: model, body: body}
	d.req.Header, d.req.Endpoint = header, e.Name
	recalled, err := a.recall(ctx, who, e, body)
	if err != nil {
		return nil, err
	}
	body = recalled.body
	switch {
	case e.Chat != nil:
		d.codec, d.req.Compact = e.Chat(model), e.Compact
		d.req.Dialect, d.req.Body = e.dialect.Name, body
		d.req.Chat, d.req.Route, err = d.codec.DecodeRequest(body)
	case e.Embeddings != nil:
		err = d.embedding()
	default:
		err = fmt.Errorf("the endpoint %s has no answers", e.Name)
	}
	if err != nil {
		return nil, err
	}
	if e.Compact && d.req.Chat.Stream {
		var issues fault.Issues
		issues.Add("stream", "a shorter conversation does not stream: leave it out")
		return nil, issues.Err()
	}
	if err := a.remember(d, recalled); err != nil {
		return nil, err
	}
	d.async = d.req.Route.Async
	d.req.EndUser = endUserOf(header, body)
	if d.req.Tags, err = tags(header); err != nil {
		return nil, err
	}
	return d, a.routeByHeader(ctx, who, header, &d.req.Route)
}

func (d *decodedRequest) embedding() error {
	req, err := d.endpoint.Embeddings(d.model).DecodeEmbedding(d.body)
	if err != nil {
		return err
	}
	if req.Model == "" {
		var issues fault.Issues
		issues.Add("model", "required")
		return issues.Err()
	}
	d.req.Chat, d.req.Embedding, d.req.Dialect = &chat.Request{Model: req.Model}, req, d.endpoint.dialect.Name
	return nil
}

func (d *decodedRequest) served(call *gateway.Call, name string, begun time.Time) dialect.Served {
	return dialect.Served{
		RequestID: name, Provider: call.Provider(), Model: call.Model(), Created: begun.Unix(), Request: d.req.Chat,
		UnaskedUsage: call.UnaskedUsage(), EstimateInput: call.EstimateInput,
	}
}

// encode writes a whole answer. The error is Provider.
func (d *decodedRequest) encode(call *gateway.Call, name string, begun time.Time) ([]byte, error) {
	if d.req.Embedding != nil {
		answer, err := d.endpoint.Embeddings(d.model).EncodeEmbedding(call.Vectors(), d.req.Embedding)
		if err != nil {
			return nil, fault.Wrap(err, fault.Provider, "the provider answered with vectors that are no numbers")
		}
		return answer, nil
	}
	if d.storing != nil && d.storing.answer != nil {
		return d.storing.answer, nil
	}
	if raw := call.RawResponse(); raw != nil {
		return raw, nil
	}
	return d.codec.EncodeResponse(call.Response(), d.served(call, name, begun)), nil
}
