package gemini

import "github.com/alicetears/llm-gateway/pkg/chat"

// finishReason maps Google's reason; some are failures in disguise
// (https://ai.google.dev/api/generate-content#FinishReason).
func finishReason(reason string) (chat.FinishReason, *chat.Error) {
	class := chat.Class("")
	switch reason {
	case "MAX_TOKENS", "CONTINUATION":
		return chat.FinishLength, nil
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION",
		"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		return chat.FinishContentFilter, nil
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS":
		class = chat.BadToolCall
	case "MISSING_THOUGHT_SIGNATURE":
		class = chat.BadRequest
	case "MALFORMED_RESPONSE":
		class = chat.Transport
	default: // STOP, LANGUAGE, OTHER, NO_IMAGE, and any that is not known
		return chat.FinishStop, nil
	}
	// finishMessage repeats what the model wrote, which has no place in an error.
	return "", &chat.Error{Class: class, Code: reason, Message: "the provider ended the answer with " + reason}
}

// finishName returns Google's name of the reason.
func finishName(reason chat.FinishReason) string {
	switch reason {
	case chat.FinishLength:
		return "MAX_TOKENS"
	case chat.FinishContentFilter:
		return "SAFETY"
	}
	return "STOP"
}
