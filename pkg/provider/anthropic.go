package provider

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/anthropic"
)

// anthropicRow returns the row of Anthropic. It has its own dialect. Sources:
// platform.claude.com/docs/en/api/errors and /rate-limits, and recorded errors.
func anthropicRow() Provider {
	return Provider{
		ID: "anthropic", Name: "Anthropic", BaseURL: "https://api.anthropic.com",
		Auth: XAPIKey, RequestID: "Request-Id",
		// inference_geo may be a setting of the workspace ("Data residency"). A picture counts 4,784 tokens at most ("Vision").
		Billing:                 Billing{Percent: 110, ImageTokens: 4784},
		Header:                  map[string]string{"Anthropic-Version": "2023-06-01"},
		ForwardedRequestHeaders: []string{"Anthropic-Version", "Anthropic-Beta"},
		modelIDs:                modelIDs{prefixes: []string{"claude-"}},
		check:                   check{path: "/v1/models?limit=1", list: "/v1/models?limit=1000", proves: listed},
		Client: anthropic.Client{Rules: &anthropic.Rules{
			CommonRules: dialect.CommonRules{
				Clamp:     map[string]dialect.Range{"temperature": {Min: 0, Max: 1}, "top_p": {Min: 0, Max: 1}},
				ToolNames: dialect.ToolNames128,
				// "input_schema does not support oneOf, allOf, or anyOf at the top level" (langchain-ai/langchain issue 39271).
				PlainParameters: true,
				MaxOutput:       maxOutput("anthropic"),
				Turns:           claudeTurns,
			},
			CacheMarks: true,
			Models:     claudeModels(),
		}},
		limits: []limitHeader{
			{"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
			{"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
			{"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
			{"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
		},
		errors: formatAnthropic,
		signals: []signal{
			// The types and error codes are the contract; the texts may change.
			// Monthly limits that the account's owner set; they end with the month. The 429
			// comes without retry-after.
			{word: "enforced_spend_limit_reached", class: chat.OutOfMoney, reset: resetMonth},
			{word: "contract_spend_limit_reached", class: chat.OutOfMoney, reset: resetMonth},
			{word: "linked_organization_spend_limit_reached", class: chat.OutOfMoney, reset: resetMonth},
			{word: "linked_organization_billing_unavailable", class: chat.OutOfMoney},
			{word: "organization_on_hold", class: chat.Forbidden, scope: chat.ScopeKey},
			// The organisation's use grows too fast, whatever the model; limits are kept per model otherwise.
			{word: "ramp_limit_exceeded", class: chat.RateLimited, scope: chat.ScopeKey},
			{word: "image_dimensions_too_large", class: chat.TooLarge},
			{status: 400, text: "you have reached your specified", class: chat.OutOfMoney, reset: resetMonth},
			{status: 400, text: "workspace api usage limits", class: chat.OutOfMoney, reset: resetMonth},
			{status: 400, text: "credit balance is too low", class: chat.OutOfMoney},
			{status: 400, text: "exceed context limit", class: chat.ContextLength},
			{text: "blocked by content filtering policy", class: chat.ContentPolicy},
			{word: "permission_error", text: "model", class: chat.Forbidden},
			{word: "permission_error", class: chat.Forbidden, scope: chat.ScopeKey},
		},
	}
}

// claudeTurns are the rules of all models: "tool_use ids were found without tool_result blocks immediately after",
// "unexpected tool_use_id found in tool_result blocks", "tool_use ids must be unique".
var claudeTurns = dialect.TurnRules{Pairs: true, CallIDs: dialect.CallIDsWord, DistinctCallIDs: true}

// claudeNoPrefill are those of Claude 4.6 and later: "This model does not support assistant message prefill. The
// conversation must end with a user message." (platform.claude.com/docs/en/about-claude/models/migration-guide).
var claudeNoPrefill = &dialect.TurnRules{Pairs: true, CallIDs: dialect.CallIDsWord, DistinctCallIDs: true,
	Ends: dialect.EndsAnyButOwn}

// claudeModels are the generations, the newest first; what nobody has heard of counts as the
// newest. Sources: platform.claude.com/docs/en/models/*/migration-guide of opus-5-5, sonnet-5-5,
// haiku-5-5, fable-5-1 and fable-5, /build-with-claude/adaptive-thinking, /effort,
// /mid-conversation-system-messages and /structured-outputs, the OpenAPI document, and the catalogue.
//
//	             thinks by        off by          sampling  must call       system turns
//	opus 5.5     itself           never           no        never           yes
//	fable 5.1    itself           never           no        never           yes
//	sonnet 5.5   itself           between_tools   no        never           yes
//	haiku 5.5    itself           disabled        no        unless it thinks yes
//	fable 5      itself           never           no        always          yes
//	opus 5       itself           disabled        no        unless it thinks yes
//	opus 4.8     being told       -               no        unless it thinks yes
//	opus 4.7     being told       -               no        unless it thinks no
//	4.6          being told       -               yes       unless it thinks no
//	3.7 to 4.5   a budget         -               yes       unless it thinks no
func claudeModels() []anthropic.ModelRules {
	sampling := []string{"temperature", "top_p", "top_k"}
	efforts := []string{"low", "medium", "high", "xhigh", "max"}
	newest := anthropic.ModelRules{Drop: sampling, Efforts: efforts,
		ThinkingOff: anthropic.OffNever, ForcedTools: anthropic.ForcedRefused, Turns: claudeNoPrefill}
	with := func(match func(string) bool, off anthropic.ThinkingOffForm, forced anthropic.ForcedToolsForm) anthropic.ModelRules {
		m := newest
		m.Match, m.ThinkingOff, m.ForcedTools = match, off, forced
		return m
	}
	folded := func(m anthropic.ModelRules, efforts ...string) anthropic.ModelRules {
		m.FoldsSystemTurns, m.Efforts = true, efforts
		return m
	}
	four7 := folded(with(claude(407), anthropic.OffByDefault, anthropic.ForcedWithoutThinking), efforts...)
	four6 := folded(with(claude(406), anthropic.OffByDefault, anthropic.ForcedWithoutThinking), "low", "medium", "high", "max")
	four6.Drop = nil
	four5 := folded(with(claude(405), anthropic.OffByDefault, anthropic.ForcedWithoutThinking))
	four5.Drop, four5.Thinking, four5.Turns = nil, anthropic.ThinkingBudget, nil
	opus45 := four5 // the first that takes an effort
	opus45.Match, opus45.Efforts = claude(405, "opus"), []string{"low", "medium", "high"}
	three7 := four5
	three7.Match, three7.Drop = claude(307), []string{"output_config"} // schemas came with 4.5
	oldest := three7
	oldest.Match, oldest.Thinking, oldest.ForcedTools = claude(0), anthropic.ThinkingNever, anthropic.ForcedAny
	newest.Match = idPrefix("")
	return []anthropic.ModelRules{
		with(claude(505, "sonnet"), anthropic.OffBetweenTools, anthropic.ForcedRefused),
		with(claude(505, "haiku"), anthropic.OffDisabled, anthropic.ForcedWithoutThinking),
		with(claude(505), anthropic.OffNever, anthropic.ForcedRefused),
		with(claude(501, "fable", "mythos"), anthropic.OffNever, anthropic.ForcedRefused),
		with(claude(0, "fable", "mythos"), anthropic.OffNever, anthropic.ForcedAny),
		with(claude(500), anthropic.OffDisabled, anthropic.ForcedWithoutThinking),
		with(claude(408), anthropic.OffByDefault, anthropic.ForcedWithoutThinking),
		four7, four6, opus45, four5, three7, oldest,
		newest,
	}
}

// claude fits the models of at least that version, 405 being 4.5, and of the families, if there are any.
func claude(from int, families ...string) func(string) bool {
	return func(model string) bool {
		family, version, ok := claudeVersion(model)
		return ok && version >= from && (len(families) == 0 || slices.Contains(families, family))
	}
}

// newestClaude is the version of names without one, such as claude-opus-latest.
const newestClaude = 9999

// claudeVersion reads claude-opus-4-5-20251101, claude-3-7-sonnet-latest, claude-2.1, claude-4.6-opus:thinking and the
// like; a family without a version has that of the newest, but claude-mythos-preview 0.
func claudeVersion(model string) (family string, version int, ok bool) {
	rest, ok := strings.CutPrefix(model, "claude-")
	if !ok {
		return "", 0, false
	}
	numbers := 0
	for _, word := range strings.FieldsFunc(rest, separatesVersion) {
		n, err := strconv.Atoi(strings.TrimPrefix(word, "v"))
		switch {
		case err != nil && family == "":
			family = word
		case err != nil || n > 99: // a date, latest, preview
		case numbers == 0:
			version += n * 100
			numbers++
		case numbers == 1:
			version += n
			numbers++
		}
	}
	if numbers == 0 && family != "mythos" && family != "fable" {
		version = newestClaude
	}
	return family, version, family != "" || numbers > 0
}

func separatesVersion(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9')
}
