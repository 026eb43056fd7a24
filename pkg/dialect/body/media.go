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
	case IsWeb(s):
		out.URL = s
	default:
		r.Add(m, "expected an http, https or data URL")
	}
}

// IsWeb reports whether s is an http or https URL.
func IsWeb(s string) bool {
	scheme, rest, _ := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	return (scheme == "http" || scheme == "https") && rest != "" && Printable(s) && !strings.Contains(s, " ")
}

// Base64 returns s, which is part of the string, and adds an issue unless it is base64.
func (r *Reader) Base64(at jsonx.Value, s string) string {
	if at.Kind() == jsonx.String && !IsBase64(s) {
		r.Add(at, "expected standard base64 with padding")
	}
	return s
}

// IsBase64 reports whether s has the alphabet and the padding of base64.
func IsBase64(s string) bool {
	n := strings.TrimRight(s, "=")
	if s == "" || len(s)%4 != 0 || len(s)-len(n) > 2 {
		return false
	}
	for i := range len(n) {
		c := n[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// IsMIMEType reports whether s has the form of a media type, such as image/png.
func IsMIMEType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && MadeOf(kind, 64, "-") && MadeOf(sub, 128, "-+._")
}

// DataURL writes the medium as AppendDataURL does.
func (w *Writer) DataURL(m *chat.Media, mimeType string) { w.Out = AppendDataURL(w.Out, m, mimeType) }

// AppendDataURL appends the medium's URL, or its data as a data URL of the given type unless it has its own.
func AppendDataURL(out []byte, m *chat.Media, mimeType string) []byte {
	if m.URL != "" {
		return jsonx.AppendString(out, m.URL)
	}
	if m.MIMEType != "" {
		mimeType = m.MIMEType
	}
	out = append(out, `"data:`...)
	out = jsonx.AppendEscaped(out, mimeType)
	out = append(out, `;base64,`...)
	out = jsonx.AppendEscaped(out, m.Data)
	return append(out, '"')
}

// MediaNote returns the text that replaces a medium in answers of a dialect without media.
func MediaNote(kind chat.PartKind, m *chat.Media) string {
	word := map[chat.PartKind]string{chat.Image: "image", chat.Audio: "audio"}[kind]
	if word == "" {
		word = "file"
	}
	switch {
	case m != nil && m.URL != "":
		return "[" + word + ": " + m.URL + "]"
	case m != nil && m.MIMEType != "":
		word = m.MIMEType
	}
	return "[" + word + ": left out, as answers of this API have no place for it]"
}

// IsVideo reports whether the medium is a video. Only Gemini takes them; others would take the file for a document.
func IsVideo(m *chat.Media) bool {
	kind, _, _ := strings.Cut(m.MIMEType, "/")
	return strings.EqualFold(kind, "video")
}

// Filename returns the medium's file name, or one that fits its type, as some dialects require it.
func Filename(m *chat.Media) string {
	switch {
	case m.Filename != "":
		return m.Filename
	case m.MIMEType == "text/plain":
		return "document.txt"
	}
	return "document.pdf"
}
