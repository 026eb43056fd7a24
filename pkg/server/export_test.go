package server_test

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"
)

// exported is a CSV file by its columns.
func exported(t *testing.T, r reply) (rows []map[string]string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("no CSV: %v: %s", err, r.body)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestExportOfRequests(t *testing.T) {
	_, ann, openai, groq, token := history(t)
	r := ann.get("/api/requests.csv").want(200)
	if got := r.header.Get("Content-Disposition"); got != `attachment; filename="requests-2027-05-10.csv"` {
		t.Errorf("Content-Disposition: %s", got)
	}
	if got := r.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Errorf("Content-Type: %s", got)
	}
	rows, listed := exported(t, r), ann.get("/api/requests").want(200)
	if len(rows) != 5 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []map[string]string{
		{"status": "400", "outcome": "failed", "provider": "", "keyId": "", "keyName": "", "costUsd": "0"},
		{"status": "502", "provider": "groq", "keyId": groq},
		{"status": "200", "provider": "openai", "keyId": openai, "keyName": "OpenAI", "tokenId": "", "tokenName": "", "stream": "false"},
		{"tokenId": token, "tokenName": "app", "stream": "true", "outcome": "answered"},
		{"tokenId": token, "stream": "false"},
	} {
		for _, name := range []string{"id", "createdAt", "model"} {
			want[name] = listed.text("requests." + string(rune('0'+i)) + "." + name)
		}
		for name, value := range want {
			if name == "costUsd" && rows[i][name] == "" {
				continue // unpriced
			}
			if rows[i][name] != value {
				t.Errorf("row %d: %s is %q, want %q", i, name, rows[i][name], value)
			}
		}
	}
	if n := len(exported(t, ann.get("/api/requests.csv?statusClass=2&tokenId="+token).want(200))); n != 2 {
		t.Errorf("filtered: %d rows", n)
	}
	ann.get("/api/requests.csv?statusClass=9").refused(400, "VALIDATION_ERROR", `"path":"statusClass"`)
}

// Names and models in an export cannot be formulas of a spreadsheet.
func TestExportHoldsNoFormula(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for _, begin := range []string{"=", "+", "-", "@"} {
		_, _, holder := ann.token(begin + `cmd|' /C calc'!A0`)
		holder.chat(strings.Replace(hello, "gpt-4o-mini", begin+"HYPERLINK(1)", 1)).want(400)
		w.wait(2 * time.Millisecond)
	}
	rows := exported(t, ann.get("/api/requests.csv").want(200))
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		for name, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("%s begins a formula: %s", name, cell)
			}
		}
		if !strings.HasPrefix(row["tokenName"], "'") || !strings.HasPrefix(row["model"], "'") {
			t.Errorf("not neutralised: %v", row)
		}
	}
}

// An export that needs several pages has every row once.
func TestExportHasEveryPage(t *testing.T) {
	w := newWorld(t)
	ann := w.user("ann")
	for range 203 {
		ann.chat(hello).want(400)
		w.wait(2 * time.Millisecond)
	}
	seen := map[string]bool{}
	for _, row := range exported(t, ann.get("/api/requests.csv").want(200)) {
		seen[row["id"]] = true
	}
	if len(seen) != 203 {
		t.Errorf("%d different rows, want 203", len(seen))
	}
}
