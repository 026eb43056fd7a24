package sse

import "bytes"

// Begin appends the start of an event, up to where a single line of data goes; End
// closes it. The name may be empty.
func Begin(dst []byte, name string) []byte {
	if name != "" {
		dst = append(dst, "event: "...)
		dst = append(dst, name...)
		dst = append(dst, '\n')
	}
	return append(dst, "data: "...)
}

// End appends what closes an event.
func End(dst []byte) []byte { return append(dst, "\n\n"...) }

// AppendEvent appends a whole event. Line breaks within data become further lines of
// it, so that they arrive as line feeds.
func AppendEvent(dst []byte, name string, data []byte) []byte {
	dst = Begin(dst, name)
	for {
		i := bytes.IndexAny(data, "\r\n")
		if i < 0 {
			break
		}
		dst = append(dst, data[:i]...)
		dst = append(dst, "\ndata: "...)
		if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i++
		}
		data = data[i+1:]
	}
	dst = append(dst, data...)
	return End(dst)
}

// AppendDone appends the terminator of OpenAI's streams.
func AppendDone(dst []byte) []byte { return append(dst, "data: [DONE]\n\n"...) }

// AppendComment appends a comment, which keeps the connection alive.
func AppendComment(dst []byte) []byte { return append(dst, ":\n\n"...) }
