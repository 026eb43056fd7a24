package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// geminiCaller returns a caller of generateContent. The query selects the format of a stream.
func geminiCaller(name, query string) *caller {
	s := &caller{name: name, auth: func(token string) []string { return []string{"X-Goog-Api-Key", token} }, finish: finishGemini,
		write: func(a *request) (string, []byte) { return writeGemini(a, query) },
		whole: func(body []byte) (answer, error) { return readGemini([]json.RawMessage{body}) }}
	s.stream, s.failed = streamGemini, failedGemini
	if query == "" {
		s.stream, s.failed = arrayGemini, func(body []byte) (failure, error) {
			var list []json.RawMessage // of a request that streams
			if json.Unmarshal(body, &list) == nil && len(list) == 1 {
				body = list[0]
			}
			return failedGemini(body)
		}
	}
	return s
}

func finishGemini(s *answer) string {
	switch {
	case s.finish == "STOP" && len(s.calls) > 0:
		return "tool_calls"
	case s.finish == "STOP":
		return "stop"
	case s.finish == "MAX_TOKENS":
		return "length"
	case s.finish == "SAFETY", s.finish == "PROHIBITED_CONTENT":
		return "content_filter"
	}
	return "unknown: " + s.finish
}

func writeGemini(a *request, query string) (string, []byte) {
	b, config := object{}, object{}
	if a.system != "" {
		b["systemInstruction"] = object{"parts": []any{object{"text": a.system}}}
	}
	var contents []any
	for _, t := range a.turns {
		switch {
		case t.model != nil:
			contents = append(contents, object{"role": "model", "parts": t.model})
		case t.results != nil:
			var parts []any
			for _, r := range t.results {
				parts = append(parts, object{"functionResponse": object{"id": r.id, "name": r.name, "response": object{"output": r.text}}})
			}
			contents = append(contents, object{"role": "user", "parts": parts})
		case t.image != "":
			contents = append(contents, object{"role": "user", "parts": []any{object{"text": t.text}, object{"inlineData": object{"mimeType": "image/png", "data": t.image}}}})
		default:
			contents = append(contents, object{"role": "user", "parts": []any{object{"text": t.text}}})
		}
	}
	b["contents"] = contents
	var functions []any
	for _, t := range a.tools {
		f := object{"name": t.name}
		if t.schema != "" {
			f["parametersJsonSchema"] = schemaOf(t.schema)
		}
		functions = append(functions, f)
	}
	if functions != nil {
		b["tools"] = []any{object{"functionDeclarations": functions}}
	}
	if mode := map[string]string{"required": "ANY", "none": "NONE", "auto": "AUTO"}[a.choice]; mode != "" {
		b["toolConfig"] = object{"functionCallingConfig": object{"mode": mode}}
	}
	if a.schema != "" {
		config["responseMimeType"], config["responseJsonSchema"] = "application/json", schemaOf(a.schema)
	}
	if a.effort != "" {
		config["thinkingConfig"] = object{"includeThoughts": true, "thinkingLevel": strings.ToUpper(a.effort)}
	}
	if a.limit > 0 {
		config["maxOutputTokens"] = a.limit
	}
	if a.stop != "" {
		config["stopSequences"] = []string{a.stop}
	}
	if len(config) > 0 {
		b["generationConfig"] = config
	}
	path := "/v1beta/models/" + a.model
	if a.streamed {
		return path + ":streamGenerateContent" + query, encode(b)
	}
	return path + ":generateContent", encode(b)
}

func streamGemini(body []byte) (answer, error) {
	events, err := eventsOf(body)
	if err != nil {
		return answer{}, err
	}
	var chunks []json.RawMessage
	for _, e := range events {
		if e.name != "" {
			return answer{}, fmt.Errorf("an event with the name %q", e.name)
		}
		chunks = append(chunks, json.RawMessage(e.data))
	}
	return readGemini(chunks)
}

func arrayGemini(body []byte) (answer, error) {
	var chunks []json.RawMessage
	if err := json.Unmarshal(body, &chunks); err != nil {
		return answer{}, err
	}
	return readGemini(chunks)
}

// readGemini reads an answer, or the chunks of one.
func readGemini(chunks []json.RawMessage) (answer, error) {
	var s answer
	var kept, bare []any
	for i, chunk := range chunks {
		var v struct {
			Candidates []struct {
				Content struct {
					Role  string
					Parts []map[string]any
				}
				FinishReason string
				Index        int
			}
			UsageMetadata *struct {
				PromptTokenCount, CandidatesTokenCount, ThoughtsTokenCount, TotalTokenCount, CachedContentTokenCount int64
			}
			ModelVersion, ResponseID string
			PromptFeedback           *struct{ BlockReason string }
			Error                    json.RawMessage
		}
		if err := json.Unmarshal(chunk, &v); err != nil {
			return s, err
		}
		if v.Error != nil {
			f, err := failedGemini(chunk)
			if err != nil || i < len(chunks)-1 {
				return s, errors.Join(err, errors.New("a bad error"))
			}
			s.failed = &f
			break
		}
		if v.ModelVersion == "" || v.ResponseID == "" {
			return s, fmt.Errorf("no modelVersion or responseId: %s", chunk)
		}
		if u := v.UsageMetadata; u != nil && u.TotalTokenCount > 0 {
			s.usage = usage{"input": u.PromptTokenCount, "output": u.CandidatesTokenCount + u.ThoughtsTokenCount, "reasoning": u.ThoughtsTokenCount, "cached": u.CachedContentTokenCount}
		}
		if v.PromptFeedback != nil && v.PromptFeedback.BlockReason != "" {
			s.finish, s.terminated = v.PromptFeedback.BlockReason, true
		}
		for _, c := range v.Candidates {
			for _, p := range c.Content.Parts {
				plain := object{}
				for k, value := range p {
					if k != "thoughtSignature" && k != "thought" {
						plain[k] = value
					}
				}
				text, _ := p["text"].(string)
				thought, _ := p["thought"].(bool)
				switch f, ok := p["functionCall"].(map[string]any); {
				case ok:
					id, _ := f["id"].(string)
					name, _ := f["name"].(string)
					if f["args"] == nil {
						f["args"] = object{}
					}
					s.calls = append(s.calls, call{id, name, string(encode(f["args"]))})
				case thought:
					s.reasoning += text
				default:
					s.text += text
				}
				kept = append(kept, p)
				if !thought && (text != "" || len(plain) > 0 && plain["text"] == nil) {
					bare = append(bare, plain)
				}
			}
			if c.FinishReason != "" {
				if s.finish != "" {
					return s, errors.New("two finish reasons")
				}
				s.finish = c.FinishReason
				s.terminated = true
			}
		}
	}
	s.kept, s.bare = encode(kept), encode(bare)
	return s, nil
}

// requestInfo is the detail that differs in each answer.
var requestInfo = regexp.MustCompile(`,\{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"[0-9a-f-]{36}"\}`)

func failedGemini(body []byte) (failure, error) {
	var v struct {
		Error struct {
			Code            int
			Message, Status string
			Details         json.RawMessage
		}
	}
	err := json.Unmarshal(body, &v)
	if err == nil && (v.Error.Code < 400 || v.Error.Status == "" || v.Error.Message == "") {
		err = errors.New("not the shape of an error")
	}
	return failure{v.Error.Status, fmt.Sprint(v.Error.Code), v.Error.Message, requestInfo.ReplaceAllString(string(v.Error.Details), "")}, err
}
