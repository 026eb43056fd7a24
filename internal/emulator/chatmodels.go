package emulator

// models returns the list of models in the provider's own shape.
func (p *profile) models() any {
	var list []any
	for _, id := range p.ids {
		m := object{"id": id, "object": "model", "created": 1700000000, "owned_by": p.id}
		switch p.id {
		case "together":
			m = object{"id": id, "object": "model", "created": 1700000000, "type": "chat", "display_name": id,
				"context_length": 131072,
				"pricing":        object{"hourly": 0, "input": 0.88, "output": 0.88, "base": 0, "finetune": 0}}
		case "mistral":
			m["capabilities"], m["aliases"], m["max_context_length"] = object{"completion_chat": true,
				"function_calling": true}, []string{}, 262144
		case "openrouter":
			m = object{"id": id, "canonical_slug": id, "name": id, "created": 1700000000, "context_length": 200000,
				"pricing":              object{"prompt": "0.00000015", "completion": "0.0000006"},
				"supported_parameters": []string{"tools", "temperature"}}
		}
		list = append(list, m)
	}
	if p.id == "together" {
		return list // a bare array
	}
	return object{"object": "list", "data": list}
}

// accountBody is the answer of GET account to a valid key.
func (p *profile) accountBody() any {
	if p.accountAs != nil {
		return p.accountAs
	}
	if p.id == "openrouter" {
		return object{"data": object{"label": "sk-or-...emu", "limit": 10, "limit_remaining": 9.5, "usage": 0.5,
			"is_free_tier": false}}
	}
	return object{"is_available": true, "balance_infos": []any{object{"currency": "USD", "total_balance": "9.50"}}}
}
