package catalog

import (
	"slices"
	"strings"
)

// family says which ids look like a provider's own.
type family struct {
	provider string
	// prefixes and own fit ids that are the provider's and nobody else's.
	prefixes []string
	own      func(id string) bool
	// guess fits ids that the provider probably serves. It counts only for ids that no
	// provider is known to have: org/model is ambiguous between three of them.
	guess func(id string) bool
	// authors are the first segments of the provider's ids that are also names of
	// providers: "openai/x" need not mean the provider openai.
	authors []string
}

func (f *family) owns(id string) bool {
	return hasPrefix(id, f.prefixes) || f.own != nil && f.own(id)
}

// families are in the order in which Providers answers; they never change. The
// patterns are those of the providers' documented ids.
var families = [...]family{
	{provider: "openai", own: ownOpenAI},
	{provider: "anthropic", prefixes: []string{"claude-"}},
	{provider: "openrouter", guess: lowerSlug, authors: []string{"openai", "anthropic", "deepseek"}},
	{provider: "gemini", prefixes: []string{"gemini-", "gemma-", "learnlm-", "imagen-", "veo-"}},
	{provider: "mistral", prefixes: []string{"mistral-", "ministral-", "open-mistral", "open-mixtral", "magistral-",
		"codestral", "devstral", "pixtral", "voxtral", "labs-"}},
	{provider: "groq", prefixes: []string{"groq/compound", "llama-3."}},
	{provider: "together", guess: mixedSlug},
	{provider: "fireworks", own: ownFireworks},
	{provider: "deepseek", own: ownDeepSeek},
}

// ProviderIDs returns the ids of all providers, in a fixed order.
func ProviderIDs() []string {
	ids := make([]string, len(families))
	for i := range families {
		ids[i] = families[i].provider
	}
	return ids
}

// Providers returns the providers that may serve the model, the most likely first:
// the one that the id names as its prefix, then those known to have it, then those
// whose ids look like it. It is empty if there are none.
func Providers(model string) []string {
	var out []string
	if p, _, ok := Split(model); ok {
		out = append(out, p)
	}
	for i := range families {
		p := families[i].provider
		if _, ok := Serves(p, model); ok && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Serves says whether the provider may serve the model, and by which id it knows it:
// without the explicit prefix, and without Gemini's "models/".
func Serves(provider, model string) (id string, ok bool) {
	if known(provider, model) {
		return model, true
	}
	if p, rest, ok := Split(model); ok && p == provider {
		return bare(p, rest), true
	}
	f := familyOf(provider)
	id = bare(provider, model)
	switch {
	case f == nil:
		return "", false
	case id != model && known(provider, id), f.owns(id):
		return id, true
	case f.guess != nil && f.guess(id) && !anybody(id) && !owned(id) && !explicit(id):
		return id, true
	}
	return "", false
}

// Split reads an explicit "provider/model". The prefix counts if the provider is
// known to serve the rest. If it is not, it still counts, the caller having said so,
// unless the whole is a known id (openai/gpt-oss-120b, anthropic/claude-haiku-4.5) or
// may be one of OpenRouter's (openai/x) while the rest does not look like the provider's.
func Split(model string) (provider, rest string, ok bool) {
	provider, rest, ok = strings.Cut(model, "/")
	if !ok || rest == "" {
		return "", "", false
	}
	f := familyOf(provider)
	if f == nil || f.owns(model) || known(provider, model) {
		return "", "", false
	}
	if known(provider, bare(provider, rest)) {
		return provider, rest, true
	}
	if anybody(model) || isAuthor(provider) && !f.owns(bare(provider, rest)) {
		return "", "", false
	}
	return provider, rest, true
}

func owned(id string) bool {
	return slices.ContainsFunc(families[:], func(f family) bool { return f.owns(id) })
}

func explicit(model string) bool {
	_, _, ok := Split(model)
	return ok
}

// known says whether the catalogue has the id for the provider, as such or as the
// base of a snapshot or variant.
func known(provider, id string) bool {
	_, ok := Related(provider, id)
	return ok
}

// anybody says whether the catalogue has the id for some provider.
func anybody(id string) bool {
	for range linesOf(id) {
		return true
	}
	base := undated(id)
	if base == id {
		return false
	}
	for range linesOf(base) {
		return true
	}
	return false
}

func familyOf(provider string) *family {
	for i := range families {
		if families[i].provider == provider {
			return &families[i]
		}
	}
	return nil
}

func isAuthor(name string) bool {
	return slices.ContainsFunc(families[:], func(f family) bool { return slices.Contains(f.authors, name) })
}

// bare takes Gemini's resource prefix away: its list says models/gemini-x.
func bare(provider, id string) string {
	if provider == "gemini" {
		return strings.TrimPrefix(id, "models/")
	}
	return id
}

// undated takes away the date of a snapshot, OpenRouter's routing variant, or the deployment that follows
// Fireworks' "model#" (docs.fireworks.ai/guides/ondemand-deployments, "Creating & querying deployments").
func undated(id string) string {
	if base, _, ok := strings.Cut(id, "#"); ok {
		return base
	}
	if base, _, ok := strings.Cut(id, ":"); ok && strings.Contains(base, "/") {
		return base
	}
	for _, n := range [...]int{len("-2026-01-31"), len("-20260131")} {
		if i := len(id) - n; i > 0 && id[i] == '-' && isDate(id[i+1:]) {
			return id[:i]
		}
	}
	return id
}

func isDate(s string) bool {
	if !strings.HasPrefix(s, "20") {
		return false
	}
	for i := range len(s) {
		if dash := len(s) == 10 && (i == 4 || i == 7); dash != (s[i] == '-') || !dash && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

func hasPrefix(id string, list []string) bool {
	for _, p := range list {
		if strings.HasPrefix(id, p) {
			return true
		}
	}
	return false
}

// ownOpenAI leaves gpt-oss out: open weights, which OpenAI's API does not serve.
func ownOpenAI(id string) bool {
	if strings.HasPrefix(id, "gpt-oss") {
		return false
	}
	if len(id) >= 2 && id[0] == 'o' && id[1] >= '1' && id[1] <= '9' && (len(id) == 2 || id[2] == '-') {
		return true
	}
	return hasPrefix(id, openAIPrefixes)
}

var openAIPrefixes = []string{"gpt-", "ft:gpt-", "ft:o", "chatgpt-", "text-embedding-", "codex-", "davinci", "babbage", "omni-moderation"}

// ownFireworks fits accounts/ACCOUNT/models/NAME and its like.
func ownFireworks(id string) bool {
	rest, ok := strings.CutPrefix(id, "accounts/")
	if !ok {
		return false
	}
	account, rest, _ := strings.Cut(rest, "/")
	kind, name, _ := strings.Cut(rest, "/")
	switch kind {
	case "models", "deployedModels", "deployments", "routers":
		return account != "" && name != ""
	}
	return false
}

func ownDeepSeek(id string) bool {
	rest, ok := strings.CutPrefix(id, "deepseek-")
	if !ok || strings.Contains(id, "/") {
		return false
	}
	for _, name := range [...]string{"chat", "reasoner", "flash"} {
		if strings.HasPrefix(rest, name) {
			return true
		}
	}
	return len(rest) >= 2 && rest[0] == 'v' && rest[1] >= '0' && rest[1] <= '9'
}

// lowerSlug fits OpenRouter's author/model[:variant].
func lowerSlug(id string) bool {
	author, name, ok := strings.Cut(id, "/")
	return ok && author != "" && name != "" && author != "accounts" && author != "models" && id == strings.ToLower(id) && !strings.Contains(name, "/")
}

// mixedSlug fits Together's ids, which are those of Hugging Face: Org/Model-Name.
func mixedSlug(id string) bool {
	org, name, ok := strings.Cut(id, "/")
	return ok && org != "" && name != "" && id != strings.ToLower(id) && !strings.Contains(name, "/")
}
