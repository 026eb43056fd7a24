package server

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// compressFrom is the size from which JSON is compressed, in bytes.
const compressFrom = 1 << 10

// AcceptsGzip reports whether the client takes gzip (RFC 9110, section 12.5.3).
func AcceptsGzip(r *http.Request) bool {
	accepted := false
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		quality := 1.0
		if _, q, ok := strings.Cut(strings.ToLower(parameters), "q="); ok {
			quality, _ = strconv.ParseFloat(strings.TrimSpace(q), 64)
		}
		if name == "gzip" {
			return quality > 0
		}
		accepted = quality > 0
	}
	return accepted
}

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compressed returns the body as it is sent, and says so in the headers. Only what a client reads is compressed (GET): what
// it creates may hold a secret, whose length would tell of it.
func (c *call) compressed(body []byte) []byte {
	if c.r.Method != http.MethodGet || len(body) < compressFrom {
		return body
	}
	c.w.Header().Add("Vary", "Accept-Encoding")
	if !AcceptsGzip(c.r) {
		return body
	}
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	var b bytes.Buffer
	w.Reset(&b)
	w.Write(body) // a buffer takes everything
	w.Close()
	c.w.Header().Set("Content-Encoding", "gzip")
	return b.Bytes()
}
