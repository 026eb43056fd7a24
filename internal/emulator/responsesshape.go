package emulator

// responsesShape is a request as in the OpenAPI document; other names are 400 unknown_parameter (recorded with chat
// completions).
func responsesShape() *shape {
	n := orNull
	tool := &shape{kind: objectKind, choose: func(tag string) *shape {
		switch tag {
		case "function":
			return objectOf(fields{"type!": aString(), "name!": aString(), "description": n(aString()),
				"parameters": n(anObject()),
				"strict":     n(aBool()), "output_schema": n(anObject()), "defer_loading": aBool(),
				"allowed_callers": anyValue()})
		case "custom", "web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp",
			"computer", "computer_use_preview",
			"local_shell", "shell", "apply_patch", "tool_search", "namespace":
			return anObject()
		}
		return nil
	}}
	return objectOf(fields{
		"model!": aString(), "input": stringOr(listOf(itemShape())), "instructions": n(aString()), "stream": n(aBool()),
		"store":             n(aBool()),
		"max_output_tokens": n(anInteger()), "temperature": n(aNumber()), "top_p": n(aNumber()),
		"top_logprobs":        n(anInteger()),
		"parallel_tool_calls": n(aBool()), "previous_response_id": n(aString()), "conversation": anyValue(),
		"background":     n(aBool()),
		"max_tool_calls": n(anInteger()), "metadata": n(anObject()), "user": n(aString()),
		"safety_identifier": n(aString()),
		"prompt_cache_key":  n(aString()), "prompt_cache_retention": n(oneOf("in_memory", "24h")),
		"prompt_cache_options": anyValue(),
		"client_metadata":      anyValue(), // Codex sends it to all servers of Responses
		"prompt":               anyValue(), "moderation": anyValue(), "context_management": anyValue(),
		"service_tier": n(oneOf("auto", "default", "flex", "scale", "priority", "fast")),
		"truncation":   n(oneOf("auto", "disabled")),
		"include": n(listOf(oneOf("file_search_call.results", "web_search_call.results",
			"web_search_call.action.sources", "message.input_image.image_url",
			"computer_call_output.output.image_url", "code_interpreter_call.outputs", "reasoning.encrypted_content",
			"message.output_text.logprobs"))),
		"reasoning": n(objectOf(fields{"effort": n(oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max")),
			"mode":             n(aString()),
			"summary":          n(oneOf("auto", "concise", "detailed")),
			"generate_summary": n(oneOf("auto", "concise", "detailed")),
			"context":          n(oneOf("auto", "current_turn", "all_turns"))})),
		"text": objectOf(fields{"verbosity": n(oneOf("low", "medium", "high")), "format": byType(map[string]*shape{
			"text": objectOf(fields{"type!": aString()}), "json_object": objectOf(fields{"type!": aString()}),
			"json_schema": objectOf(fields{"type!": aString(), "name!": aString(), "schema!": anObject(),
				"description": aString(), "strict": n(aBool())}),
		})}),
		"tools": listOf(tool), "tool_choice": &shape{kind: stringKind, words: []string{"none", "auto", "required"},
			or: anObject()},
		"stream_options": n(objectOf(fields{"include_obfuscation": aBool()})),
	})
}

// countShape is a request of POST /responses/input_tokens (API reference, get input token counts).
func countShape() *shape {
	all, kept := responsesShape().members, fields{}
	for _, name := range []string{"model!", "input", "instructions", "previous_response_id", "conversation", "tools",
		"tool_choice",
		"parallel_tool_calls", "reasoning", "text", "truncation"} {
		kept[name] = all[name]
	}
	return objectOf(kept)
}

// compactShape is a request of POST /responses/compact.
func compactShape() *shape {
	all, kept := responsesShape().members, fields{}
	for _, name := range []string{"model!", "input", "instructions", "previous_response_id", "prompt_cache_key", "prompt_cache_retention"} {
		kept[name] = all[name]
	}
	return objectOf(kept)
}

// itemShape is an item of the input. One without a type is a message.
func itemShape() *shape {
	n := orNull
	detail := n(oneOf("low", "high", "auto", "original"))
	in := byType(map[string]*shape{
		"input_text": objectOf(fields{"type!": aString(), "text!": aString(), "prompt_cache_breakpoint": anyValue()}),
		"input_image": objectOf(fields{"type!": aString(), "image_url": n(aString()), "file_id": n(aString()),
			"detail": detail, "prompt_cache_breakpoint": anyValue()}),
		"input_file": objectOf(fields{"type!": aString(), "file_id": n(aString()), "filename": aString(),
			"file_data": aString(), "file_url": aString(),
			"detail": detail, "prompt_cache_breakpoint": anyValue()}),
	})
	out := map[string]*shape{
		"output_text": objectOf(fields{"type!": aString(), "text!": aString(), "annotations": anyValue(),
			"logprobs": anyValue()}),
		"refusal": objectOf(fields{"type!": aString(), "refusal!": aString()}),
	}
	either := &shape{kind: objectKind, choose: func(tag string) *shape {
		if s := out[tag]; s != nil {
			return s
		}
		return in.choose(tag)
	}}
	status := n(oneOf("in_progress", "completed", "incomplete"))
	known := map[string]*shape{
		"message": objectOf(fields{"type": aString(), "id": aString(),
			"role!":    oneOf("user", "assistant", "system", "developer"),
			"content!": stringOr(listOf(either)), "status": status, "phase": n(aString())}),
		"function_call": objectOf(fields{"type!": aString(), "id": aString(), "call_id!": aString(), "name!": aString(),
			"arguments!": aString(),
			"status":     status, "caller": anyValue(), "namespace": aString()}),
		"function_call_output": objectOf(fields{"type!": aString(), "id": n(aString()), "call_id!": aString(),
			"output!": stringOr(listOf(in)),
			"status":  status, "name": n(aString()), "caller": anyValue(), "namespace": n(aString())}),
		"reasoning": objectOf(fields{"type!": aString(), "id!": aString(), "encrypted_content": n(aString()),
			"status":   status,
			"summary!": listOf(objectOf(fields{"type!": oneOf("summary_text"), "text!": aString()})),
			"content":  listOf(objectOf(fields{"type!": oneOf("reasoning_text"), "text!": aString()}))}),
		"compaction": objectOf(fields{"type!": aString(), "id": n(aString()), "encrypted_content!": aString()}),
		// Codex 0.169 sends tools within the conversation, for the models that it knows; the emulator calls none of
		// them.
		"additional_tools": objectOf(fields{"type!": aString(), "id": aString(), "role!": oneOf("developer"),
			"tools!": listOf(anObject())}),
		"item_reference": objectOf(fields{"type": aString(), "id!": aString()}),
	}
	return &shape{kind: objectKind, choose: func(tag string) *shape {
		if tag == "" {
			tag = "message"
		}
		return known[tag]
	}}
}
