package emulator

import (
	"slices"
	"strconv"
	"strings"
)

// claude holds what an Anthropic model accepts, by its name (Anthropic's documentation, SDK types, recorded errors).
type claude struct {
	version int // of claude-opus-4-8: 48
	// thinks always: reasoning cannot be turned off (fable and mythos).
	thinksAlways bool
	efforts      []string
	maxOutput    int
	// bound: a thinking block is valid only in the conversation in which it was made.
	bound bool
	// owned: a thinking block is valid only for the account for which it was made.
	owned bool
}

func claudeOf(id string) claude {
	m := claude{version: claudeVersion(id), maxOutput: 128000,
		efforts: []string{"low", "medium", "high", "xhigh", "max"}}
	large := strings.Contains(id, "fable") || strings.Contains(id, "mythos")
	m.thinksAlways = large
	m.bound = m.version >= 55 || large && m.version >= 51
	m.owned = m.version >= 55 && (strings.Contains(id, "sonnet") || strings.Contains(id, "haiku"))
	switch v := m.version; {
	case v >= 47:
	case v == 46:
		m.efforts = []string{"low", "medium", "high", "max"}
	case v == 45 && strings.Contains(id, "opus"):
		m.efforts, m.maxOutput = []string{"low", "medium", "high"}, 64000
	default:
		m.efforts, m.maxOutput = nil, 64000
		switch {
		case v < 35:
			m.maxOutput = 4096
		case v < 37:
			m.maxOutput = 8192
		case v < 45 && strings.Contains(id, "opus"):
			m.maxOutput = 32000
		}
	}
	return m
}

// claudeVersion reads claude-opus-4-1-20250805 as 41, claude-sonnet-5 as 50 and
// claude-3-7-sonnet-latest as 37.
func claudeVersion(id string) int {
	var digits []int
	for part := range strings.SplitSeq(id, "-") {
		n, err := strconv.Atoi(part)
		switch {
		case err == nil && n < 100:
			digits = append(digits, n)
		case len(digits) > 0:
			return versionNumber(digits)
		}
	}
	return versionNumber(digits)
}

func versionNumber(digits []int) int {
	digits = append(slices.Clone(digits), 0, 0)
	return digits[0]*10 + min(digits[1], 9)
}

// adaptive: the model accepts thinking.type adaptive, and effort with it.
func (m claude) adaptive() bool { return m.version >= 46 }

// budgets: the model accepts thinking.type enabled, with a budget.
func (m claude) budgets() bool { return m.version >= 37 && m.version < 47 }

// samples: the model accepts temperature, top_p and top_k.
func (m claude) samples() bool { return m.version < 47 }

// prefills: the last message may be the assistant's, which the model continues.
func (m claude) prefills() bool { return m.version > 0 && m.version < 46 }

// formats: the model accepts output_config.format and strict tools.
func (m claude) formats() bool { return m.version >= 45 }

// systemTurns: messages may have the role system (recorded of opus-4-8).
func (m claude) systemTurns() bool { return m.version >= 48 }
