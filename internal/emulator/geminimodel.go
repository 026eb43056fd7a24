package emulator

import "strings"

// geminiModel holds what a Google model accepts, by its name.
type geminiModel struct {
	version int // of gemini-2.5-flash: 25
	flash   bool
	lite    bool
	embeds  bool
	// extraHigh: the model accepts the level XHIGH, which only Hydrogen is known to (BerriAI/litellm discussion
	// 46238).
	extraHigh bool
}

func geminiModelOf(id string) geminiModel {
	m := geminiModel{flash: strings.Contains(id, "flash"), lite: strings.Contains(id, "-lite"),
		embeds:    strings.Contains(id, "embedding"),
		extraHigh: strings.HasPrefix(id, "gemini-4-hydrogen")}
	if rest, ok := strings.CutPrefix(id, "gemini-"); ok {
		m.version = versionOf(rest)
	}
	return m
}

// levels: the model accepts thinkingLevel, requires signatures, and gives calls ids.
func (m geminiModel) levels() bool { return m.version >= 30 }

// budgetLeast is the smallest thinking budget except -1, which lets the model decide; budgetMost is the largest.
// Models with levels accept a budget too.
func (m geminiModel) budgetLeast() int {
	if m.flash {
		return 0
	}
	return 128
}

func (m geminiModel) budgetMost() int {
	if m.flash {
		return 24576
	}
	return 32768
}

// thinks reports whether the model thinks by default: all from 2.5 on, except the small ones.
func (m geminiModel) thinks() bool { return m.version >= 30 || m.version >= 25 && !m.lite }

func (m geminiModel) methods() []string {
	if m.embeds {
		return []string{"embedContent", "countTextTokens", "countTokens"}
	}
	return []string{"generateContent", "countTokens", "createCachedContent", "batchGenerateContent"}
}
