package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// exportColumns are the columns of the exported request log.
const exportColumns = "id,createdAt,status,outcome,provider,model,keyId,keyName,tokenId,tokenName,stream,attempts,latencyMs,firstByteMs," +
	"inputTokens,cachedTokens,cacheWriteTokens,outputTokens,reasoningTokens,estimated,costUsd"

// exportRequests streams all pages of listRequests as CSV (RFC 4180). A failure after the first page closes the
// connection, so that a file that ends early does not look whole.
func (a *App) exportRequests(c *call) error {
	q := c.query()
	page := page{limit: maxPage}
	filter := q.requestFilter(page)
	if err := q.err(); err != nil {
		return err
	}
	ctx, user := c.r.Context(), c.who.user.ID
	names, err := a.exportNames(ctx, user)
	if err != nil {
		return err
	}
	rows, err := store.Requests(ctx, a.DB, user, filter)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="requests-`+c.begun.UTC().Format("2006-01-02")+`.csv"`)
	out := c.stream("text/csv; charset=utf-8")
	text := []byte(exportColumns + "\r\n")
	for {
		shown, next := cut(rows, page, func(q store.Request) store.ID { return q.ID })
		if err := out.write(append(text, names.table(shown)...)); err != nil || next == nil || c.w.head {
			return err
		}
		text, filter.Before = nil, *next
		if rows, err = store.Requests(ctx, a.DB, user, filter); err != nil {
			a.logFault(c, c.faultOf(err))
			panic(http.ErrAbortHandler)
		}
	}
}

// exportNames holds the names of a user's keys and tokens. Deleted ones have none.
type exportNames map[store.ID]string

func (a *App) exportNames(ctx context.Context, user store.ID) (exportNames, error) {
	names := exportNames{}
	keys, err := store.Keys(ctx, a.DB, user, store.KeyFilter{}, 0)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		names[k.ID] = k.Name
	}
	tokens, err := store.Tokens(ctx, a.DB, user)
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		names[t.ID] = t.Name
	}
	return names, nil
}

// table writes rows as CSV.
func (n exportNames) table(rows []store.Request) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, q := range rows {
		w.Write(n.row(viewRequest(q))) // writing to a buffer does not fail
	}
	w.Flush()
	return b.Bytes()
}

func (n exportNames) row(v requestView) []string {
	number := func(i int64) string { return strconv.FormatInt(i, 10) }
	var provider, keyID, keyName, tokenID, tokenName, firstByte, cost string
	if v.Provider != nil {
		provider = *v.Provider
	}
	if v.KeyID != nil {
		keyID, keyName = v.KeyID.String(), n[*v.KeyID]
	}
	if v.TokenID != nil {
		tokenID, tokenName = v.TokenID.String(), n[*v.TokenID]
	}
	if v.FirstByteMs != nil {
		firstByte = number(*v.FirstByteMs)
	}
	if v.CostUSD != nil {
		cost = v.CostUSD.String()
	}
	return []string{
		v.ID.String(), v.CreatedAt.String(), strconv.Itoa(v.Status), v.Outcome, provider, harmless(v.Model), keyID, harmless(keyName), tokenID,
		harmless(tokenName), strconv.FormatBool(v.Stream), strconv.Itoa(v.Attempts), number(v.LatencyMs), firstByte, number(v.InputTokens),
		number(v.CachedTokens), number(v.CacheWriteTokens), number(v.OutputTokens), number(v.ReasoningTokens), strconv.FormatBool(v.Estimated), cost,
	}
}

// formulaStarts are the characters with which a spreadsheet begins a formula, in full width too, and those that it may
// take for the end of the cell before (owasp.org/www-community/attacks/CSV_Injection).
const formulaStarts = "=+-@%\t\r\n;|,＝＋－＠％；｜，\u00a0\u3000"

// harmless keeps spreadsheets from running a text as a formula. Callers choose the names of models.
func harmless(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune(formulaStarts, first) {
		return "'" + text
	}
	return text
}
