package gemini

import (
	"bytes"

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
func (Client) DecodeError(body []byte) *chat.Error {
	root, err := jsonx.Parse(bytes.TrimSpace(body), jsonx.Lenient)
	if err != nil {
		return new(chat.Error)
	}
	if root.Kind() == jsonx.Array {
		root = root.First()
	}
	return errorOf(root.Get("error"))
}

func errorOf(v jsonx.Value) *chat.Error {
	e := new(chat.Error)
	if v.Kind() == jsonx.String {
		e.Message = body.Clip(v.Str())
		return e
	}
	code := v.Get("code")
	if n, ok := code.Int64(); ok && n >= 400 && n <= 599 {
		e.Status = int(n)
	}
	e.Type, e.Message = body.Word(v.Get("status")), body.Clip(v.Get("message").Str())
	quota := ""
	for d := v.Get("details").First(); d.Exists(); d = d.Next() {
		if reason := body.Word(d.Get("reason")); e.Code == "" {
			e.Code = reason
		}
		if id := body.Word(d.Get("violations").First().Get("quotaId")); quota == "" {
			quota = id
		}
		if field := body.Word(d.Get("fieldViolations").First().Get("field")); e.Param == "" {
			e.Param = field
		}
	}
	if e.Code == "" {
		e.Code = quota
	}
	if e.Code == "" {
		e.Code = body.Word(code)
	}
	return e
}

// errorIn returns the error in an answer of status 200; nil if there is none.
func errorIn(root jsonx.Value) *chat.Error {
	if v := root.Get("error"); body.HasError(v) {
		return errorOf(v)
	}
	return nil
}
