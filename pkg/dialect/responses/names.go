package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// madeMark begins, behind the kind of the object, an id that the gateway made. OpenAI's are hexadecimal.
const madeMark = "llm_"

// made says whether an id is one that the gateway made.
func made(id string) bool {
	_, rest, _ := strings.Cut(id, "_")
	return strings.HasPrefix(rest, madeMark)
}

// rootOf is what the ids of an answer have in common: the request's id, if it looks like
// one and leaves an item's id within the 64 characters that OpenAI allows, or a digest of it.
func rootOf(requestID string) string {
	if body.MadeOf(requestID, 40, "-_") {
		return requestID
	}
	sum := sha256.Sum256([]byte(requestID))
	return hex.EncodeToString(sum[:16])
}

// responseID is the id of an answer.
func responseID(root string) string { return "resp_" + madeMark + root }

// itemID is the id of the nth item of an answer; kind is such as "msg".
func itemID(kind, root string, n int) string {
	return kind + "_" + madeMark + root + "_" + strconv.Itoa(n)
}
