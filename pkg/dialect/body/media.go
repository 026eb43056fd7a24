package body

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// URL reads the address of a medium, or its data as a URL.
func (r *Reader) URL(m jsonx.Value, out *chat.Media) {
	s := r.Str(m)
	scheme, rest, _ := strings.Cut(s, ":")
	switch scheme = strings.ToLower(scheme); {
	case m.Kind() != jsonx.String:
	case scheme == "data":
		kind, data, ok := strings.Cut(rest, ",")
		kind, encoded := strings.CutSuffix(kind, ";base64")
		kind, _, _ = strings.Cut(kind, ";") // parameters, such as a charset
		if !ok || !encoded || kind != "" && !IsMIMEType(kind) {
			r.Add(m, "expected a data URL of the form data:<media type>;base64,<data>")
			return
		}
		out.MIMEType, out.Data = kind, r.Base64(m, data)
	case (scheme == "http" || scheme == "https") && strings.HasPrefix(rest, "//") && len(rest) > 2 && Printable(s) && !strings.Contains(s, " "):
		out.URL = s
	default:
		r.Add(m, "expected an http, https or data URL")
	}
}

// Base64 checks the alphabet and the padding: providers say less clearly what is wrong.
func (r *Reader) Base64(at jsonx.Value, s string) string {
	n := strings.TrimRight(s, "=")
	ok := s != "" && len(s)%4 == 0 && len(s)-len(n) <= 2
	for i := 0; ok && i < len(n); i++ {
		c := n[i]
		ok = c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
	}
	if !ok && at.Kind() == jsonx.String {
		r.Add(at, "expected standard base64 with padding")
	}
	return s
}

// IsMIMEType says whether s looks like image/png.
func IsMIMEType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && MadeOf(kind, 64, "-") && MadeOf(sub, 128, "-+._")
}

// DataURL writes the medium as a string: its URL, or its data as one.
func (w *Writer) DataURL(m *chat.Media, mimeType string) {
	if m.URL != "" {
		w.Str(m.URL)
		return
	}
	if m.MIMEType != "" {
		mimeType = m.MIMEType
	}
	w.Raw(`"data:`)
	w.Out = jsonx.AppendEscaped(w.Out, mimeType)
	w.Raw(`;base64,`)
	w.Out = jsonx.AppendEscaped(w.Out, m.Data)
	w.Raw(`"`)
}

// Filename makes a name up where the dialect wants one.
func Filename(m *chat.Media) string {
	switch {
	case m.Filename != "":
		return m.Filename
	case m.MIMEType == "text/plain":
		return "document.txt"
	}
	return "document.pdf"
}
