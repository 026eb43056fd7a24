package server

import "bytes"

// What a request takes while it is decoded and written anew for a provider, measured by tests/memory: its texts twice
// more, and for each JSON value an entry in the index and a part of a message, or its like.
const (
	textCopies = 2
	valueBytes = 256
	// light is a body whose weight is not worth counting, in bytes.
	light = 16 << 10
)

// holdDecoded takes from the budget what the body takes beyond its own bytes. Error: Unavailable.
func (c *call) holdDecoded(body []byte) error {
	if len(body) <= light {
		return nil
	}
	n, err := c.budget.grow(c.owner, c.held, textCopies*int64(len(body))+valueBytes*int64(countValues(body)))
	c.held += n
	return err
}

// countValues counts the values of a JSON text, give or take the empty containers. Of other texts it returns anything.
func countValues(text []byte) int {
	n := 1
	for len(text) > 0 {
		i := bytes.IndexByte(text, '"')
		outside := text
		if i >= 0 {
			outside = text[:i]
		}
		for _, b := range outside {
			if b == ',' || b == '[' || b == '{' {
				n++
			}
		}
		if i < 0 {
			break
		}
		text = afterString(text[i+1:])
	}
	return n
}

// afterString returns what follows the closing quote of the string in which the text begins.
func afterString(text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return nil
		}
		backslashes := 0
		for j := i - 1; j >= 0 && text[j] == '\\'; j-- {
			backslashes++
		}
		text = text[i+1:]
		if backslashes%2 == 0 {
			return text
		}
	}
}
