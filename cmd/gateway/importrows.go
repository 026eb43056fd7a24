package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/saved"
)

// maxLogLine bounds a line of a log, in bytes.
const maxLogLine = 1 << 20

// importRows writes the usage that a log holds because the database was away. It may read a log again.
func importRows(ctx context.Context, t *terminal, args []string) error {
	operands, err := parse(noFlags("import-rows"), args, "FILE")
	if err != nil {
		return err
	}
	in, err := t.open(operands[0])
	if err != nil {
		return err
	}
	defer in.Close()
	return with(ctx, t, func(ctx context.Context, gw *installation) error {
		c, err := gw.importLog(ctx, t, in)
		t.printf("%d requests were written, %d had been written before\n", c.added, c.known)
		if err == nil && c.refused > 0 {
			err = fmt.Errorf("%d rows were not written", c.refused)
		}
		return err
	})
}

// importRecord reports whether the record was not there yet.
func importRecord(ctx context.Context, db store.Runner, r store.Record) (isNew bool, err error) {
	err = db.Run(ctx, store.Settle([]store.Record{r}, time.Now().UnixMilli())...)
	if store.CodeOf(err) == store.CodeConflict {
		return false, nil
	}
	return err == nil, err
}

type imported struct{ added, known, refused int }

func (in *installation) importLog(ctx context.Context, t *terminal, log io.Reader) (c imported, err error) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLogLine)
	for n := 1; lines.Scan(); n++ {
		for _, token := range saved.FindTokens(lines.Text()) {
			r, err := saved.ParseToken(token, in.app.Secrets)
			if err != nil {
				c.refused++
				fmt.Fprintf(t.err, "line %d: a row is not used: %s\n", n, err)
				continue
			}
			isNew, err := importRecord(ctx, in.db, r)
			switch {
			case err != nil:
				return c, fmt.Errorf("line %d: %w", n, err)
			case isNew:
				c.added++
			default:
				c.known++
			}
		}
	}
	if err := lines.Err(); err != nil {
		return c, fmt.Errorf("the log cannot be read: %w", err)
	}
	return c, nil
}
