package main

import (
	"io/fs"
	"net/http"
	"path"

	"github.com/alicetears/llm-gateway/pkg/config"
	"github.com/alicetears/llm-gateway/pkg/server"
)

// site serves the dashboard's files, and passes all other requests to the API. On Vercel the CDN does the same, with the
// headers of vercel.json.
type site struct {
	files map[string]bool // by path: /style.css
	serve http.Handler
	api   http.Handler
	cfg   *config.Config
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
	s := &site{files: map[string]bool{"/": true}, serve: http.FileServerFS(public), api: api, cfg: cfg}
	err = fs.WalkDir(public, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Base(name) != "index.html" {
			s.files["/"+name] = true
		}
		return err
	})
	return s, err
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.files[r.URL.Path] || r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.api.ServeHTTP(w, r)
		return
	}
	h := w.Header()
	for name, value := range siteHeaders() {
		h.Set(name, value)
	}
	server.SetHSTS(s.cfg, h, r)
	switch path.Ext(r.URL.Path) { // independent of the system's MIME table
	case ".js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case ".yaml":
		h.Set("Content-Type", "text/yaml; charset=utf-8")
	}
	s.serve.ServeHTTP(w, r)
}
