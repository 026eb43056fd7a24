package emulator

import "encoding/base64"

// unsigned is Google's documented substitute for a lost signature.
const unsigned = "skip_thought_signature_validator"

// callSignature returns the signature of a call, which is valid only on that call.
func (x *exchange) callSignature(c call) string {
	return base64.StdEncoding.EncodeToString(newState("gemini", x.serial, callBinding(c.name, []byte(c.arguments))))
}

func (x *exchange) textSignature() string {
	return base64.StdEncoding.EncodeToString(newState("gemini", x.serial, ""))
}

func callBinding(name string, args []byte) string {
	if len(args) == 0 {
		args = []byte("{}")
	}
	return name + canonical(args)
}

// refuseSignatures: from Gemini 3 on, each step of the current turn must have a signature on its first call; the turn
// begins with the last user content that is not a function response (ai.google.dev, thought signatures). A signature
// that the provider did not make is refused everywhere.
func (g *generateRequest) refuseSignatures(x *exchange) *failure {
	turn := 0
	for i, c := range g.Contents {
		if c.Role != "model" && c.said() != "" {
			turn = i
		}
	}
	for i, c := range g.Contents {
		first := true
		for j, p := range c.Parts {
			if s := p.ThoughtSignature; s != "" && s != unsigned {
				raw, _ := unbase64(s)
				bound := ""
				if p.FunctionCall != nil {
					bound = callBinding(p.FunctionCall.Name, p.FunctionCall.Args)
				}
				if made, fits := verifyState("gemini", raw, bound); !made || p.FunctionCall != nil && !fits {
					return x.badGoogle("Thought signature is not valid.")
				}
			}
			if p.FunctionCall == nil {
				continue
			}
			if first && p.ThoughtSignature == "" && i > turn && g.model.levels() {
				return x.badGoogle("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:%s` , position %d. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.", p.FunctionCall.Name, j+1)
			}
			first = false
		}
	}
	return nil
}
