package provider

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
)

// sizeText is a form of words in which a provider says how many tokens it takes and how many the request
// asks for. A request that asks for more is of the class, whatever the status and the codes are.
type sizeText struct {
	pattern *regexp.Regexp // of the message in lower case; all groups but the group limit are requested
	class   chat.Class
	scope   chat.Scope
}

// sizeTexts are the known forms of all providers: servers of the same models share them.
var sizeTexts = []sizeText{
	// Anthropic: "prompt is too long: 208310 tokens > 200000 maximum", and "input length and `max_tokens` exceed
	// context limit: 188240 + 21333 > 200000".
	ofContext(`prompt is too long: N tokens > L maximum`),
	ofContext(`exceed context limit: N \+ N > L`),
	// OpenAI, DeepSeek, OpenRouter, vLLM: "maximum context length is 128000 tokens. However, your messages resulted
	// in 130011 tokens", "However, you requested (about) 140000 tokens".
	ofContext(`maximum context length is L tokens\b.{0,40}?(?:resulted in|requested|request has) (?:about )?N\b`),
	// Gemini: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)".
	ofContext(`token count \(?N\)? exceeds the maximum number of tokens allowed \(?L\b`),
	// Mistral: "Prompt contains 140000 tokens and 0 draft tokens, too large for model with 131072 maximum context length".
	ofContext(`prompt contains N tokens\b.{0,40}? too large for model with L maximum`),
	// Fireworks: "The prompt is too long: 140000, model maximum context length: 131072".
	ofContext(`prompt is too long: N, model maximum context length: L\b`),
	// Together: "`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens and 512 `max_new_tokens`".
	ofContext("must be <= L\\. given: N `?inputs`? tokens and N\\b"),
	// xAI: "This model's maximum prompt length is 131072 but the request contains 140000 tokens".
	ofContext(`maximum prompt length is L but the request contains N tokens`),
	// Cerebras: "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192".
	ofContext(`current length is N while limit is L\b`),

	// OpenAI and Groq, of the tokens that a key has a minute or a day: "Limit 8000, Used 12, Requested 9300".
	ofKey(`\blimit:? L\b.{0,40}?\brequested:? N\b`),
	// OpenRouter, of what the key has left: "You requested up to 32000 tokens, but can only afford 1480", "Prompt tokens
	// limit exceeded: 12030 > 8004".
	ofKey(`requested up to N tokens\b.{0,20}? only afford L\b`),
	ofKey(`tokens limit exceeded: N > L\b`),
}

func ofContext(form string) sizeText {
	return sizeText{sizePattern(form), chat.ContextLength, chat.ScopeRequest}
}

func ofKey(form string) sizeText {
	return sizeText{sizePattern(form), chat.TooLarge, chat.ScopeAttempt}
}

// sizePattern compiles a form in which L is the limit and each N a number that is requested.
func sizePattern(form string) *regexp.Regexp {
	const number = `\d{1,12}(?:,\d{3}){0,3}`
	return regexp.MustCompile(strings.NewReplacer("L", "(?P<limit>"+number+")", "N", "("+number+")").Replace(form))
}

// readSize fills Limit and Requested from the message, and returns the form if the request asks for more
// than a limit that is not zero: nothing fits a limit of zero, which says that there is no money or no access.
func readSize(err *chat.Error, text string) *sizeText {
	for i := range sizeTexts {
		s := &sizeTexts[i]
		m := s.pattern.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		var limit, requested int64
		for group, name := range s.pattern.SubexpNames()[1:] {
			n, _ := strconv.ParseInt(strings.ReplaceAll(m[group+1], ",", ""), 10, 64)
			if name == "limit" {
				limit = n
			} else {
				requested += n
			}
		}
		if limit > 0 && requested > limit {
			err.Limit, err.Requested = limit, requested
			return s
		}
	}
	return nil
}
