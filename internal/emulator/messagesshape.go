package emulator

import (
	"maps"
	"strings"
)

// messagesShape is a request as in the OpenAPI document, which forbids all other members, nested ones too. The beta
// fields need ?beta=true or an anthropic-beta header.
func messagesShape(count, beta bool) *shape {
	cache := orNull(byType(map[string]*shape{"ephemeral": objectOf(fields{"type!": aString(),
		"ttl": oneOf("5m", "1h")})}))
	message := fields{"role!": oneOf("user", "assistant", "system"), "content!": stringOr(listOf(blockShape(cache)))}
	output := fields{
		"effort": orNull(oneOf("low", "medium", "high", "xhigh", "max")),
		"format": orNull(byType(map[string]*shape{"json_schema": objectOf(fields{"type!": aString(),
			"schema!": anObject()})})),
	}
	adaptive := fields{"type!": aString(), "display": orNull(oneOf("summarized", "omitted"))}
	if beta {
		adaptive["block_binding"] = anyValue()
		message["clear_at"], message["output_config"], output["task_budget"] = anyValue(), anyValue(), anyValue()
	}
	members := fields{
		"model!":    aString(),
		"messages!": listOf(objectOf(message)),
		"system":    stringOr(listOf(byType(map[string]*shape{"text": textBlockShape(cache)}))),
		"tools":     listOf(toolShape(cache)),
		"tool_choice": byType(map[string]*shape{
			"auto": choiceShape(nil), "any": choiceShape(nil), "none": objectOf(fields{"type!": aString()}),
			"tool": choiceShape(fields{"name!": aString()}),
		}),
		"thinking": byType(map[string]*shape{
			"enabled": objectOf(fields{"type!": aString(), "budget_tokens!": anInteger(),
				"display": orNull(oneOf("summarized", "omitted"))}),
			"adaptive": objectOf(adaptive),
			"disabled": objectOf(fields{"type!": aString()}),
			// of Sonnet 5.5, whose migration guide has it (platform.claude.com/docs/en/models)
			"between_tools": objectOf(fields{"type!": aString()}),
		}),
		"output_config": objectOf(output),
		"cache_control": cache, "speed": orNull(oneOf("standard", "fast")), // speed: of SDKs since October 2026
	}
	if beta {
		for _, name := range []string{"billing_policy", "compaction", "context_management", "fallback_credit_token", "fallbacks",
			"mcp_servers", "output_format", "user_profile_id"} {
			members[name] = anyValue()
		}
	}
	if !count {
		members["max_tokens!"], members["stream"], members["temperature"], members["top_p"],
			members["top_k"] = anInteger(), aBool(), aNumber(), aNumber(), anInteger()
		members["stop_sequences"], members["metadata"] = listOf(aString()),
			objectOf(fields{"user_id": orNull(aString())})
		members["service_tier"], members["inference_geo"] = oneOf("auto", "standard_only"), orNull(aString())
		members["container"], members["diagnostics"] = anyValue(), anyValue()
	}
	return objectOf(members)
}

func choiceShape(more fields) *shape {
	f := fields{"type!": aString(), "disable_parallel_tool_use": aBool()}
	for name, s := range more {
		f[name] = s
	}
	return objectOf(f)
}

func textBlockShape(cache *shape) *shape {
	return objectOf(fields{"type!": aString(), "text!": aString(), "cache_control": cache, "citations": anyValue()})
}

func blockShape(cache *shape) *shape {
	plain := map[string]*shape{
		"text": textBlockShape(cache),
		"image": objectOf(fields{"type!": aString(),
			"source!": sourceShape("image/jpeg", "image/png", "image/gif", "image/webp"), "cache_control": cache}),
		"document": objectOf(fields{"type!": aString(), "source!": sourceShape("application/pdf", "text/plain"),
			"title": orNull(aString()), "context": orNull(aString()), "citations": anyValue(), "cache_control": cache}),
		"search_result": anObject(),
	}
	inResults := map[string]*shape{
		"tool_reference": objectOf(fields{"type!": aString(), "tool_name!": aString(), "cache_control": cache}),
	}
	maps.Copy(inResults, plain)
	all := map[string]*shape{
		"thinking":          objectOf(fields{"type!": aString(), "thinking!": aString(), "signature!": aString()}),
		"redacted_thinking": objectOf(fields{"type!": aString(), "data!": aString()}),
		"tool_use": objectOf(fields{"type!": aString(), "id!": aString(), "name!": aString(), "input!": anObject(),
			"caller": anyValue(), "cache_control": cache}),
		"tool_result": objectOf(fields{"type!": aString(), "tool_use_id!": aString(),
			"content":  stringOr(listOf(byType(inResults))),
			"is_error": aBool(), "cache_control": cache}),
	}
	for name, s := range plain {
		all[name] = s
	}
	// Blocks of the provider's own tools, which this emulator does not run.
	for _, name := range []string{"server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
		"code_execution_tool_result", "container_upload", "tool_reference"} {
		all[name] = anObject()
	}
	return byType(all)
}

func sourceShape(types ...string) *shape {
	return byType(map[string]*shape{
		"base64":  objectOf(fields{"type!": aString(), "media_type!": oneOf(types...), "data!": aString()}),
		"url":     objectOf(fields{"type!": aString(), "url!": aString()}),
		"text":    objectOf(fields{"type!": aString(), "media_type!": oneOf("text/plain"), "data!": aString()}),
		"content": objectOf(fields{"type!": aString(), "content!": anyValue()}),
		"file":    objectOf(fields{"type!": aString(), "file_id!": aString()}),
	})
}

// toolShape is a custom tool, or one of the provider's own, which have a date in their type.
func toolShape(cache *shape) *shape {
	custom := objectOf(fields{"type": orNull(aString()), "name!": aString(), "input_schema!": anObject(),
		"description": aString(), "strict": aBool(),
		"cache_control": cache, "eager_input_streaming": orNull(aBool()), "allowed_callers": anyValue(),
		"defer_loading": aBool(), "input_examples": anyValue()})
	return &shape{kind: objectKind, choose: func(tag string) *shape {
		if tag == "" || tag == "custom" {
			return custom
		}
		for _, own := range []string{"bash_", "text_editor_", "web_search_", "web_fetch_", "code_execution_", "memory_",
			"tool_search_tool_", "computer_"} {
			if strings.HasPrefix(tag, own) {
				return anObject()
			}
		}
		return nil
	}}
}
