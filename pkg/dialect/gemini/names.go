package gemini

import (
	"strings"

	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// camel returns a member's name in camel case: proto JSON also takes the names of the .proto files, in snake case.
func camel(m jsonx.Value) string {
	s := string(m.Key())
	if strings.IndexByte(s, '_') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '_' && i > 0 && i+1 < len(s) && s[i+1] >= 'a' && s[i+1] <= 'z' {
			i++
			b.WriteByte(s[i] - 'a' + 'A')
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// serverTool says whether the tool is one that Google runs.
func serverTool(name string) bool {
	switch name {
	case "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "fileSearch", "computerUse", "mcpServers":
		return true
	}
	return false
}
