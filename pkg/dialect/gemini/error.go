package gemini

import (
	"cmp"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// DecodeError reads a failed answer (https://cloud.google.com/apis/design/errors):
//
//	{"error":{"code":400,"message","status":"INVALID_ARGUMENT","details":[..]}}
//
// or an array of that, in streams without server-sent events. Type is the status; Code
// is the reason of a google.rpc.ErrorInfo, else the quotaId of a QuotaFailure, else the code; Param is the
// first field of a BadRequest.
func (Client) DecodeError(data []byte) *chat.Error {
	return errorOf(body.ReadError(data).Get("error"))
}

func errorOf(v jsonx.Value) *chat.Error {
	e := new(chat.Error)
	if v.Kind() == jsonx.String {
		e.Message = body.Clip(v.Str())
		return e
	}
	e.Status = body.ReadStatus(v.Get("code"))
	e.Type, e.Message = body.Word(v.Get("status")), body.Clip(v.Get("message").Str())
	quota := ""
	for d := v.Get("details").First(); d.Exists(); d = d.Next() {
		e.Code = cmp.Or(e.Code, body.Word(d.Get("reason")))
		quota = cmp.Or(quota, body.Word(d.Get("violations").First().Get("quotaId")))
		e.Param = cmp.Or(e.Param, body.Word(d.Get("fieldViolations").First().Get("field")))
	}
	e.Code = cmp.Or(e.Code, quota, body.Word(v.Get("code")))
	return e
}

// errorIn returns the error in an answer of status 200; nil if there is none.
func errorIn(root jsonx.Value) *chat.Error {
	if v := root.Get("error"); body.HasError(v) {
		return errorOf(v)
	}
	return nil
}
