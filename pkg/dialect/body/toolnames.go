package body

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/alicetears/llm-gateway/pkg/dialect"
)

// nameFits reports whether the provider takes the name of a function.
func nameFits(name string, form dialect.ToolNameForm) bool {
	switch form {
	case dialect.ToolNames64:
		return MadeOf(name, 64, "_-")
	case dialect.ToolNames128:
		return MadeOf(name, 128, "_-")
	case dialect.ToolNamesDotted:
		return MadeOf(name, 128, "_-.:") && (name[0] == '_' || name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z')
	}
	return true
}

// fitName returns the name as the provider takes it: other characters become underscores, and a digest of the whole
// name keeps names distinct. A name always becomes the same, so that prompts stay in caches.
func fitName(name string, form dialect.ToolNameForm) string {
	if nameFits(name, form) {
		return name
	}
	return digestedName(name, form)
}

// digestedName is fitName for a name that must change.
func digestedName(name string, form dialect.ToolNameForm) string {
	limit, extra := 128, "_-"
	switch form {
	case dialect.ToolNames64:
		limit = 64
	case dialect.ToolNamesDotted:
		extra = "_-.:"
	}
	sum := sha256.Sum256([]byte(name))
	digest := "_" + hex.EncodeToString(sum[:4])
	out := []byte(name)
	for i := range out {
		if !MadeOf(name[i:i+1], 1, extra) {
			out[i] = '_'
		}
	}
	if form == dialect.ToolNamesDotted && len(out) > 0 && !nameFits(string(out[:1]), form) {
		out = append([]byte("_"), out...)
	}
	return string(out[:min(len(out), limit-len(digest))]) + digest
}
