package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// site serves the dashboard's files, and passes all other requests to the API. On Vercel the CDN does the same, with the
// headers of vercel.json.
type site struct {
	files map[string]*siteFile // by path: /style.css
	api   http.Handler
	cfg   *config.Config
	// metrics serves /metrics; nil: there is no such path.
	metrics http.Handler
}

// siteFile is a file of the dashboard. Browsers keep it and ask each time whether it has changed.
type siteFile struct {
	content, gzipped []byte
	kind             string // Content-Type
	etag             string // of content, in quotes
	gzipTag          string
}

// newSiteFile compresses a file once for all. A file that does not get smaller has no gzipped form.
func newSiteFile(name string, content []byte) (*siteFile, error) {
	digest := sha256.Sum256(content)
	tag := hex.EncodeToString(digest[:12])
	f := &siteFile{content: content, kind: mime.TypeByExtension(path.Ext(name)), etag: `"` + tag + `"`, gzipTag: `"` + tag + `-gzip"`}
	switch path.Ext(name) { // independent of the system's MIME table
	case ".html":
		f.kind = "text/html; charset=utf-8"
	case ".css":
		f.kind = "text/css; charset=utf-8"
	case ".js":
		f.kind = "text/javascript; charset=utf-8"
	case ".svg":
		f.kind = "image/svg+xml"
	case ".yaml":
		f.kind = "text/yaml; charset=utf-8"
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(content); err == nil {
		err = w.Close()
	}
	if b.Len() < len(content) {
		f.gzipped = b.Bytes()
	}
	return f, err
}

func (f *siteFile) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	content, tag := f.content, f.etag
	if f.gzipped != nil && server.AcceptsGzip(r) {
		content, tag = f.gzipped, f.gzipTag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// siteHeaders returns the headers of the dashboard's files. A test compares them with vercel.json.
func siteHeaders() map[string]string {
	return map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Referrer-Policy":            "no-referrer",
		"X-Content-Type-Options":     "nosniff",
		"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=()",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "no-cache",
	}
}

// newSite serves the folder public of files. The error is that of reading the folder.
func newSite(cfg *config.Config, files fs.FS, api http.Handler) (*site, error) {
	public, err := fs.Sub(files, "public")
	if err != nil {
		return nil, err
	}
	s := &site{files: map[string]*siteFile{}, api: api, cfg: cfg}
	err = fs.WalkDir(public, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(public, name)
		if err != nil {
			return err
		}
		at := "/" + name
		if name == "index.html" {
			at = "/"
		}
		s.files[at], err = newSiteFile(name, content)
		return err
	})
	return s, err
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.metrics != nil && r.URL.Path == metricsPath {
		server.SetHSTS(s.cfg, w.Header(), r)
		s.metrics.ServeHTTP(w, r)
		return
	}
	f := s.files[r.URL.Path]
	if f == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.api.ServeHTTP(w, r)
		return
	}
	h := w.Header()
	for name, value := range siteHeaders() {
		h.Set(name, value)
	}
	server.SetHSTS(s.cfg, h, r)
	f.serve(w, r)
}
