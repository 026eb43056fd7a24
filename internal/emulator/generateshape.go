package emulator

// generateShape is a request as in the discovery document; other names are refused.
func generateShape() *shape {
	part := partShape()
	contents := objectOf(fields{"role": aString(), "parts": listOf(part)})
	schema := schemaShape()
	tool := objectOf(fields{"functionDeclarations": listOf(objectOf(fields{"name": aString(), "description": aString(),
		"parameters":           schema,
		"parametersJsonSchema": anyValue(), "response": schema, "responseJsonSchema": anyValue(),
		"behavior": oneOf("UNSPECIFIED", "BLOCKING", "NON_BLOCKING")})),
		"codeExecution": anObject(), "googleSearch": anObject(), "googleSearchRetrieval": anObject(),
		"urlContext": anObject(), "fileSearch": anObject(),
		"googleMaps": anObject(), "computerUse": anObject(), "mcpServers": anyValue()})
	return objectOf(fields{
		"model": aString(), "contents": listOf(contents), "systemInstruction": contents, "tools": listOf(tool),
		"toolConfig": objectOf(fields{"functionCallingConfig": objectOf(fields{"mode": oneOf("MODE_UNSPECIFIED", "AUTO",
			"ANY", "NONE", "VALIDATED"),
			"allowedFunctionNames": listOf(aString())}), "retrievalConfig": anObject(),
			"includeServerSideToolInvocations": aBool()}),
		"safetySettings": listOf(objectOf(fields{"category": oneOf(harms()...),
			"threshold": oneOf("HARM_BLOCK_THRESHOLD_UNSPECIFIED", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE",
				"BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")})),
		"generationConfig": generationShape(schema), "cachedContent": aString(), "store": aBool(),
		"serviceTier": oneOf("UNSPECIFIED", "STANDARD", "FLEX", "PRIORITY", "unspecified", "standard", "flex",
			"priority"),
	})
}

func harms() []string {
	out := []string{"HARM_CATEGORY_UNSPECIFIED"}
	for _, s := range []string{"HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT",
		"CIVIC_INTEGRITY"} {
		out = append(out, "HARM_CATEGORY_"+s)
	}
	return out
}

func partShape() *shape {
	blob := objectOf(fields{"mimeType": aString(), "data": aString()})
	return objectOf(fields{
		"text": aString(), "thought": aBool(), "thoughtSignature": aString(), "inlineData": blob,
		"fileData":     objectOf(fields{"mimeType": aString(), "fileUri": aString()}),
		"functionCall": objectOf(fields{"id": aString(), "name": aString(), "args": anObject()}),
		"functionResponse": objectOf(fields{"id": aString(), "name": aString(), "response": anObject(),
			"willContinue": aBool(),
			"parts":        listOf(objectOf(fields{"inlineData": blob})),
			"scheduling":   oneOf("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT")}),
		"executableCode": anObject(), "codeExecutionResult": anObject(), "videoMetadata": anObject(),
		"mediaResolution": anyValue(),
		"mediaProcessing": anyValue(), "partMetadata": anObject(), "toolCall": anObject(), "toolResponse": anObject(),
	})
}

func generationShape(schema *shape) *shape {
	f := fields{
		"stopSequences": listOf(aString()), "candidateCount": anInteger(), "maxOutputTokens": anInteger(),
		"temperature": aNumber(), "topP": aNumber(),
		"topK": anInteger(), "seed": anInteger(), "presencePenalty": aNumber(), "frequencyPenalty": aNumber(),
		"responseLogprobs": aBool(),
		"logprobs":         anInteger(), "responseMimeType": aString(), "responseSchema": schema,
		"responseJsonSchema": anyValue(),
		"responseModalities": listOf(oneOf("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")),
		"mediaResolution": oneOf("MEDIA_RESOLUTION_UNSPECIFIED", "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM",
			"MEDIA_RESOLUTION_HIGH"),
		"thinkingConfig": objectOf(fields{"includeThoughts": aBool(), "thinkingBudget": anInteger(),
			"thinkingLevel": oneOf("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")}),
	}
	for _, name := range []string{"enableAffectiveDialog", "speechConfig", "translationConfig", "imageConfig",
		"enableEnhancedCivicAnswers", "responseFormat", "audioTranscriptionConfig"} {
		f[name] = anyValue()
	}
	return objectOf(f)
}

// schemaShape is the subset of a schema that parameters and responseSchema may have.
func schemaShape() *shape {
	s := &shape{kind: objectKind}
	properties := &shape{kind: objectKind, every: s}
	s.members = fields{
		"type":   oneOf("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"),
		"format": aString(), "title": aString(), "description": aString(), "nullable": aBool(),
		"enum": listOf(aString()), "items": s,
		"minItems": anInteger(), "maxItems": anInteger(), "properties": properties, "required": listOf(aString()),
		"propertyOrdering": listOf(aString()),
		"minProperties":    anInteger(), "maxProperties": anInteger(), "minimum": aNumber(), "maximum": aNumber(),
		"minLength": anInteger(),
		"maxLength": anInteger(), "pattern": aString(), "example": anyValue(), "anyOf": listOf(s),
		"default": anyValue(),
	}
	return s
}

// embedShape is one text to embed.
func embedShape() *shape {
	task := oneOf("TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY",
		"CLASSIFICATION", "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY")
	return objectOf(fields{
		"model": aString(), "content": objectOf(fields{"role": aString(),
			"parts": listOf(partShape())}), "title": aString(), "taskType": task,
		"outputDimensionality": anInteger(),
		"embedContentConfig": objectOf(fields{"documentOcr": aBool(), "audioTrackExtraction": aBool(), "taskType": task,
			"title":        aString(),
			"autoTruncate": aBool(), "outputDimensionality": anInteger()}),
	})
}
