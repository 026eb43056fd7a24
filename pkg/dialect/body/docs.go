package body

import (
	"sync"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// Docs reuses the memory of parsed bodies. The zero value is ready, and safe for concurrent use.
type Docs struct{ pool sync.Pool }

// keptNodes is how large an index may be to be kept for the next request: 2 MB.
const keptNodes = 64 << 10

// Read parses a caller's body and calls read, which must not keep its argument. The error is
// read's, or a *fault.Error of code Validation if the body is not JSON.
func (d *Docs) Read(body []byte, read func(root jsonx.Value) error) error {
	doc, ok := d.pool.Get().(*jsonx.Doc)
	if !ok {
		doc = new(jsonx.Doc)
	}
	defer func() {
		doc.Release(keptNodes)
		d.pool.Put(doc)
	}()
	if err := doc.Parse(body, jsonx.Strict); err != nil {
		return jsonx.Syntax(err)
	}
	return read(doc.Root())
}
