package emulator

import (
	"slices"
	"strings"
)

// openAIModel holds what an OpenAI model accepts, by its name (SDK types, API reference, openai-openapi issue 541).
type openAIModel struct {
	reasons bool
	version int // of gpt-N.M: 10*N+M; of the o series 0
	efforts []string
	// reasonsOnRequest: the model reasons only if the request sets an effort.
	reasonsOnRequest bool
	// stopless: the model refuses stop sequences.
	stopless bool
	// responsesOnly: /v1/chat/completions does not serve it.
	responsesOnly bool
	maxOutput     int // tokens; 0: unknown
}

func openAIModelOf(id string) openAIModel {
	m := openAIModel{}
	if strings.HasPrefix(id, "gpt-4o") {
		m.maxOutput = 16384
	}
	switch {
	case len(id) > 1 && id[0] == 'o' && id[1] >= '1' && id[1] <= '9':
		m.reasons, m.efforts, m.stopless = true, []string{"low", "medium", "high"}, id[1] > '2'
	case strings.HasPrefix(id, "gpt-") && !strings.HasPrefix(id, "gpt-oss") && !strings.HasPrefix(id, "gpt-5-chat"):
		m.version = versionOf(id[len("gpt-"):])
		m.reasons = m.version >= 50
		if m.reasons {
			m.efforts, m.reasonsOnRequest, m.stopless = gptEfforts(id, m.version), m.version >= 51 &&
				m.version <= 54, true
		}
	}
	m.reasonsOnRequest = m.reasonsOnRequest && slices.Contains(m.efforts, "none")
	m.responsesOnly = strings.Contains(id, "-pro") || strings.Contains(id, "deep-research") ||
		strings.Contains(id, "codex") && !strings.Contains(id, "codex-spark")
	return m
}

func gptEfforts(id string, version int) []string {
	all := []string{"none", "low", "medium", "high", "xhigh", "max"}
	switch {
	case strings.Contains(id, "-chat"):
		return all[2:3]
	case strings.HasPrefix(id, "gpt-5-pro"):
		return all[3:4]
	case strings.Contains(id, "-pro"):
		return all[1:5]
	case strings.HasPrefix(id, "gpt-6-sol"), strings.HasPrefix(id, "gpt-6-luna"), version == 56:
		return all
	case version >= 60:
		return all[1:]
	case strings.Contains(id, "codex") && !strings.Contains(id, "spark"):
		return []string{"minimal", "low", "medium", "high", "xhigh"}
	case version >= 52:
		return all[:5]
	case version == 51:
		return all[:4]
	}
	return []string{"minimal", "low", "medium", "high"}
}

// versionOf reads "5.4-mini" as 54, and "4o" as 40.
func versionOf(s string) int {
	major, minor, n := 0, 0, 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' && major < 100 {
		major = major*10 + int(s[n]-'0')
		n++
	}
	if n+1 < len(s) && s[n] == '.' && s[n+1] >= '0' && s[n+1] <= '9' {
		minor = int(s[n+1] - '0')
	}
	return major*10 + minor
}

// thinks reports whether the model reasons at the effort; empty is the model's default.
func (m openAIModel) thinks(effort string) bool {
	return m.reasons && effort != "none" && (effort != "" || !m.reasonsOnRequest)
}

// unsupported returns the first of the fields that the model refuses at the effort.
func (m openAIModel) unsupported(effort string, has func(name string) bool) string {
	if !m.reasons {
		return ""
	}
	names := []string{"presence_penalty", "frequency_penalty", "logit_bias"}
	if m.thinks(effort) {
		names = append(names, "temperature", "top_p", "logprobs", "top_logprobs")
	}
	if m.stopless {
		names = append(names, "stop")
	}
	for _, n := range names {
		if has(n) {
			return n
		}
	}
	return ""
}
