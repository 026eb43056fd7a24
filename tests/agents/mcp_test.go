package agents

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// stampServer, in the environment, makes the test's binary an MCP server on its standard input and output, with one tool
// that returns its text with a stamp.
const stampServer = "LLM_GATEWAY_STAMP_SERVER"

// stamped is what the tool stamp makes of a text.
func stamped(text string) string { return "stamped 4711 " + text }

// serveStamps speaks MCP (2025-06-18, the part for tools) until its input ends.
func serveStamps() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var m struct {
			ID     json.RawMessage
			Method string
			Params struct {
				ProtocolVersion string
				Arguments       struct{ Text string }
			}
		}
		if json.Unmarshal(in.Bytes(), &m) != nil || len(m.ID) == 0 {
			continue // a notification
		}
		var result any
		switch m.Method {
		case "initialize":
			result = map[string]any{"protocolVersion": m.Params.ProtocolVersion, "capabilities": map[string]any{"tools": map[string]any{}},
				"serverInfo": map[string]any{"name": "stamps", "version": "1"}}
		case "tools/list":
			result = map[string]any{"tools": []any{map[string]any{"name": "stamp", "description": "Stamps a text.", "inputSchema": map[string]any{
				"type": "object", "properties": map[string]any{"text": map[string]any{"type": "string"}}, "required": []string{"text"}}}}}
		case "tools/call":
			result = map[string]any{"content": []any{map[string]any{"type": "text", "text": stamped(m.Params.Arguments.Text)}}}
		case "resources/list":
			result = map[string]any{"resources": []any{}}
		case "resources/templates/list":
			result = map[string]any{"resourceTemplates": []any{}}
		case "prompts/list":
			result = map[string]any{"prompts": []any{}}
		default:
			result = map[string]any{}
		}
		text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": result})
		if err != nil {
			return
		}
		fmt.Printf("%s\n", text)
	}
}
