package emulator

import "strings"

// geminiModel is what Google's models take, by their names.
type geminiModel struct {
	version int // of gemini-2.5-flash: 25
	flash   bool
	lite    bool
	embeds  bool
	// extraHigh: it takes the level XHIGH, which Hydrogen alone is known to (BerriAI/litellm discussion 46238).
	extraHigh bool
}

func geminiModelOf(id string) geminiModel {
	m := geminiModel{flash: strings.Contains(id, "flash"), lite: strings.Contains(id, "-lite"), embeds: strings.Contains(id, "embedding"),
		extraHigh: strings.HasPrefix(id, "gemini-4-hydrogen")}
	if rest, ok := strings.CutPrefix(id, "gemini-"); ok {
		m.version = versionOf(rest)
	}
	return m
}

// levels: it takes thinkingLevel, demands signatures, and gives calls ids.
func (m geminiModel) levels() bool { return m.version >= 30 }

// budgetLeast is the smallest thinking budget but for -1, which lets the model decide;
// budgetMost the largest. Models of levels still take a budget.
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

// thinks says whether the model thinks if it is not told: all from 2.5 on, but the small ones.
func (m geminiModel) thinks() bool { return m.version >= 30 || m.version >= 25 && !m.lite }

func (m geminiModel) methods() []string {
	if m.embeds {
		return []string{"embedContent", "countTextTokens", "countTokens"}
	}
	return []string{"generateContent", "countTokens", "createCachedContent", "batchGenerateContent"}
}
