package body

import "github.com/alicetears/llm-gateway/pkg/jsonx"

// AppendMember appends a member of an object that is a string. open is what begins it, such as `,"name":`.
func AppendMember(out []byte, open, value string) []byte {
	out = append(out, open...)
	return jsonx.AppendString(out, value)
}

// AppendOptional is AppendMember, but leaves an empty string out.
func AppendOptional(out []byte, open, value string) []byte {
	if value == "" {
		return out
	}
	return AppendMember(out, open, value)
}

// AppendCount is AppendMember for a whole number.
func AppendCount(out []byte, open string, n int64) []byte {
	out = append(out, open...)
	return jsonx.AppendInt(out, n)
}

// Count writes a member as AppendCount does.
func (w *Writer) Count(open string, n int64) { w.Out = AppendCount(w.Out, open, n) }

// Member writes a member as AppendMember does.
func (w *Writer) Member(open, value string) { w.Out = AppendMember(w.Out, open, value) }

// Optional writes a member as AppendOptional does.
func (w *Writer) Optional(open, value string) { w.Out = AppendOptional(w.Out, open, value) }
