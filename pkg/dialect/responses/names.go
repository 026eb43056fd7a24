package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/dialect/body"
)

// madePrefix follows the object's kind in ids that the gateway made. OpenAI's go on with hexadecimal digits.
const madePrefix = "llm_"

// made says whether the gateway made the id.
func made(id string) bool {
	_, rest, _ := strings.Cut(id, "_")
	return strings.HasPrefix(rest, madePrefix)
}

// rootOf returns the common part of the ids of an answer: the request's id or, if it has other characters or
// leaves no room in the 64 characters that OpenAI allows, a digest of it.
func rootOf(requestID string) string {
	if body.MadeOf(requestID, 40, "-_") {
		return requestID
	}
	sum := sha256.Sum256([]byte(requestID))
	return hex.EncodeToString(sum[:16])
}

// responseID returns the id of an answer.
func responseID(root string) string { return "resp_" + madePrefix + root }

// itemID returns the id of the nth item of an answer; kind is its prefix, such as "msg".
func itemID(kind, root string, n int) string {
	return kind + "_" + madePrefix + root + "_" + strconv.Itoa(n)
}
