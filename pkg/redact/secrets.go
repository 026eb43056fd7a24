package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// minSecret is the shortest secret that is looked for, in bytes: a shorter one would tear words apart.
	minSecret = 4
	// piece is the length of the shortest piece of a secret that is found, in bytes.
	piece = 8
)

// appendSecrets finds the secrets in every form that forms lists.
func appendSecrets(found []span, text string, secrets []string) []span {
	if len(text) < minSecret {
		return found
	}
	var all []string
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			all = append(all, forms(secret)...)
		}
	}
	folded := fold(text)
	found = appendForms(found, folded, all)
	if joined, places := withoutSpaces(folded); len(joined) < len(folded) {
		for _, s := range appendForms(nil, joined, all) {
			found = append(found, span{places[s.from], places[s.to-1] + 1})
		}
	}
	return found
}

// withoutSpaces returns the text without what a reader does not see between its letters: white space, as in a key in
// groups of four or base64 in lines, and characters without width. places says where in the text each byte stands.
func withoutSpaces(text string) (joined string, places []int) {
	if !strings.ContainsFunc(text, isSpace) {
		return text, nil
	}
	b := make([]byte, 0, len(text))
	places = make([]int, 0, len(text))
	for at, r := range text {
		if isSpace(r) {
			continue
		}
		size := 1
		if r >= utf8.RuneSelf {
			_, size = utf8.DecodeRuneInString(text[at:])
		}
		for i := at; i < at+size; i++ {
			b, places = append(b, text[i]), append(places, i)
		}
	}
	return string(b), places
}

func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r == '\u00ad' || r == '\ufeff' || '\u200b' <= r && r <= '\u200d' || r == '\u2060'
}

// forms lists how somebody may show a secret, folded: as it is, as a URL or JSON writes it, in hexadecimal, with every
// byte in percent, and in base64 after zero, one or two bytes, as in "user:key".
func forms(secret string) []string {
	digits := hex.EncodeToString([]byte(secret))
	var percent strings.Builder
	for i := 0; i < len(digits); i += 2 {
		percent.WriteString("%" + digits[i:i+2])
	}
	all := []string{fold(secret), digits, percent.String()}
	for _, other := range []string{url.QueryEscape(secret), url.PathEscape(secret), jsonEscape(secret)} {
		if other != secret {
			all = append(all, fold(other))
		}
	}
	for before, shared := range []int{0, 2, 3} { // characters that depend on the bytes before
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))[shared:]
		all = append(all, fold(text))
		if urlSafe := strings.NewReplacer("+", "-", "/", "_").Replace(text); urlSafe != text {
			all = append(all, fold(urlSafe))
		}
	}
	return all
}

func jsonEscape(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(quoted[1 : len(quoted)-1])
}

// fold makes ASCII letters lower case. Every byte stays where it is.
func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// appendForms finds pieces of the forms, and forms shorter than a piece as a whole. All are folded.
func appendForms(found []span, text string, forms []string) []span {
	for _, form := range forms {
		if len(form) < piece && len(form) >= minSecret {
			found = appendOccurrences(found, text, form)
		}
	}
	return appendPieces(found, text, forms)
}

// appendOccurrences finds overlapping occurrences, too ("abab" in "ababab").
func appendOccurrences(found []span, text, word string) []span {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return found
		}
		from := at + i
		found = append(found, span{from, from + len(word)})
		at = from + 1
	}
}

// appendPieces finds every piece of the forms. It notes the windows of the text in a small filter, which nearly always
// says at once that none is a window of a form.
func appendPieces(found []span, text string, forms []string) []span {
	if len(text) < piece {
		return found
	}
	var filter [1 << 10]uint64
	windows(text, func(_ int, w uint64) {
		bit := w * spread >> 48
		filter[bit>>6] |= 1 << (bit & 63)
	})
	var known map[uint64]bool
	for _, form := range forms {
		windows(form, func(_ int, w uint64) {
			if bit := w * spread >> 48; filter[bit>>6]&(1<<(bit&63)) != 0 {
				if known == nil {
					known = map[uint64]bool{}
				}
				known[w] = true
			}
		})
	}
	if known == nil {
		return found
	}
	windows(text, func(at int, w uint64) {
		if !known[w] {
			return
		}
		if n := len(found); n > 0 && found[n-1].from <= at && found[n-1].to >= at {
			found[n-1].to = max(found[n-1].to, at+piece)
			return
		}
		found = append(found, span{at, at + piece})
	})
	return found
}

// spread is 2^64 over the golden ratio: the upper bits of a product with it depend on all bits of the other factor.
const spread = 0x9e3779b97f4a7c15

// windows calls f with each piece of s, as a number, and where it begins.
func windows(s string, f func(at int, w uint64)) {
	var w uint64
	for i := range len(s) {
		w = w<<8 | uint64(s[i])
		if i >= piece-1 {
			f(i-piece+1, w)
		}
	}
}
