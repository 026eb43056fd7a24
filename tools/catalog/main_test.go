package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const lists = `{"generated":"2026-11-23","sources":{"b":"list B","a":"list A as stored in docs corpus, 2026","c":"list C"},"models":[
{"p":"openai","id":"z-model","mode":"responses","in":1.5,"out":1e1,"cr":0,"caps":["reasoning","image_in","tools"],"effort":["high","none","max"],"ep":["responses"],"note":"it's new","asof":"2026-08-01","src":"a+b"},
{"p":"google","id":"old","mode":"chat","in":1,"out":2,"eol":"2026-12-01","repl":"routed:a-model","asof":"2026-08-01","src":"a"},
{"p":"google","id":"old-2026-01-31","mode":"chat","in":1,"out":2,"asof":"2026-08-01","src":"a"},
{"p":"google","id":"old-20260131","mode":"chat","in":1,"out":2,"eol":"2026-10-01","repl":"a-model","asof":"2026-08-01","src":"a"},
{"p":"google","id":"old-latest","mode":"chat","in":1,"out":2,"alias_of":"old (or so)","asof":"2026-08-01","src":"a"},
{"p":"google","id":"doubtful","mode":"chat","in":1,"out":2,"repl":"routed:a-model?","asof":"2026-08-01","src":"a"},
{"p":"google","id":"a-model","mode":"chat","ctx":1000,"max_out":10,"in":0.75,"out":3.75,"next":[{"from":"2027-01-01","in":1.5,"out":7.5}],"asof":"2026-08-01","src":"a"},
{"p":"anthropic","id":"claude-x","mode":"chat","in":3,"out":15,"cr":0.3,"cw":0.3,"tiers":[{"above":200000,"in":6,"out":22.5}],"asof":"2026-08-01","src":"a"},
{"p":"deepseek","id":"d","mode":"chat","in":0.1,"out":0.2,"win":[{"utc":"01:00-04:00,06:00-10:00","days":"Mon-Fri","in":0.2,"out":0.4}],"alias_of":"e (old)","asof":"2026-11","src":"a"},
{"p":"openrouter","id":"x/y:free","mode":"chat","in":0,"out":0,"asof":"2026-08-01","src":"a"},
{"p":"openrouter","id":"x/song","mode":"chat","in":0,"out":0,"asof":"2026-08-01","src":"a"},
{"p":"openai","id":"gpt-oss-120b","mode":"chat","in":1,"out":1,"asof":"2026-08-01","src":"a"},
{"p":"openai","id":"a-model","mode":"embedding","in":0.02,"dims":8,"svc":{"priority":{"in":0.04,"out":1},"flex":{"in":0.01,"out":0.5}},"asof":"2026-08-01","src":"a"}]}`

const want = `{"generated":"2026-11-23",
"sources":{
"a":"list A, 2026",
"b":"list B"
},
"models":[
{"id":"a-model","provider":"gemini","contextWindow":1000,"maxOutputTokens":10,"price":{"input":0.75,"output":3.75},"priceChanges":[{"from":"2027-01-01","input":1.5,"output":7.5}],"sources":["a"],"priceDate":"2026-08-01"},
{"id":"a-model","provider":"openai","mode":"embedding","dimensions":8,"price":{"input":0.02},"serviceTierPrices":{"flex":{"input":0.01,"output":0.5},"priority":{"input":0.04,"output":1}},"sources":["a"],"priceDate":"2026-08-01"},
{"id":"claude-x","provider":"anthropic","price":{"input":3,"output":15,"cacheRead":0.3,"cacheWrite":3.75,"cacheWrite1h":6,"webSearch":10},"longPromptPrices":[{"above":200000,"input":6,"output":22.5,"cacheRead":0.6,"cacheWrite":7.5,"cacheWrite1h":12,"derived":true}],"sources":["a"],"priceDate":"2026-08-01"},
{"id":"d","provider":"deepseek","price":{"input":0.1,"output":0.2},"peakPrices":[{"hours":["01:00-04:00","06:00-10:00"],"input":0.2,"output":0.4}],"aliasOf":"e","sources":["a"],"priceDate":"2026-11"},
{"id":"doubtful","provider":"gemini","price":{"input":1,"output":2},"sources":["a"],"priceDate":"2026-08-01"},
{"id":"old","provider":"gemini","price":{"input":1,"output":2},"endOfLife":"2026-12-01","routedTo":"a-model","sources":["a"],"priceDate":"2026-08-01"},
{"id":"old-2026-01-31","provider":"gemini","price":{"input":1,"output":2},"endOfLife":"2026-12-01","routedTo":"a-model","sources":["a"],"priceDate":"2026-08-01"},
{"id":"old-20260131","provider":"gemini","price":{"input":1,"output":2},"endOfLife":"2026-10-01","replacement":"a-model","sources":["a"],"priceDate":"2026-08-01"},
{"id":"old-latest","provider":"gemini","price":{"input":1,"output":2},"endOfLife":"2026-12-01","routedTo":"a-model","aliasOf":"old","sources":["a"],"priceDate":"2026-08-01"},
{"id":"x/song","provider":"openrouter","sources":["a"],"priceDate":"2026-08-01"},
{"id":"x/y:free","provider":"openrouter","price":{"input":0,"output":0},"sources":["a"],"priceDate":"2026-08-01"},
{"id":"z-model","provider":"openai","mode":"responses","price":{"input":1.5,"output":10},"reasoningEfforts":["none","high","max"],"capabilities":["tools","reasoning","image_input"],"endpoints":["responses"],"sources":["a","b"],"priceDate":"2026-08-01","note":"it's new"}
]}
`

func TestGenerate(t *testing.T) {
	var log bytes.Buffer
	out, err := generate(nil, []byte(lists), &log)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if !json.Valid(out) {
		t.Error("the catalogue is no JSON")
	}
	for _, told := range []string{"gpt-oss-120b", "x/song", "claude-x", "old-2026-01-31", "doubtful"} {
		if !strings.Contains(log.String(), told) {
			t.Errorf("nothing is said about %s in %q", told, log.String())
		}
	}
	again, err := generate(out, []byte(lists), &log)
	if err != nil || !bytes.Equal(out, again) {
		t.Errorf("the same input gave other bytes: %v", err)
	}
}

// Lines of providers that the price lists do not have are kept, in normal form.
func TestLinesKeptByHand(t *testing.T) {
	old := `{"generated":"2026-10-01","sources":{"hand":"a page, 2026-11-30","unused":"nobody's","a":"an older list A"},"models":[
		{"provider":"mine","id":"m","price":{"output":1.50,"input":5e-1},"capabilities":["reasoning","tools"],"sources":["hand"],"priceDate":"2026-11-30"},
		{"provider":"openai","id":"gone","sources":["a"],"priceDate":"2026-01-01"}]}`
	line := `{"id":"m","provider":"mine","price":{"input":0.5,"output":1.5},"capabilities":["tools","reasoning"],"sources":["hand"],"priceDate":"2026-11-30"}`
	out, err := generate([]byte(old), []byte(lists), new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Replace(want, `{"id":"old",`, line+",\n"+`{"id":"old",`, 1)
	wanted = strings.Replace(wanted, `"b":"list B"`, `"b":"list B",`+"\n"+`"hand":"a page, 2026-11-30"`, 1)
	if string(out) != wanted {
		t.Errorf("got\n%s\nwant\n%s", out, wanted)
	}
	alone, err := generate([]byte(old), nil, new(bytes.Buffer))
	if err != nil || !strings.Contains(string(alone), line+"\n]}") ||
		!strings.Contains(string(alone), `"generated":"2026-10-01"`) || strings.Contains(string(alone), "nobody") {
		t.Errorf("without price lists: %s, %v", alone, err)
	}
}

// The file in the repository is in normal form.
func TestCatalogueIsNormal(t *testing.T) {
	path := filepath.Join("..", "..", "pkg", "catalog", "models.json")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := generate(old, nil, new(bytes.Buffer)); err != nil || !bytes.Equal(out, old) {
		t.Errorf("run go -C tools run ./catalog -out ../pkg/catalog/models.json: %v", err)
	}
}

func TestGenerateRefuses(t *testing.T) {
	const source = `,"asof":"2026-11-30","src":"a"`
	for name, models := range map[string]string{
		"a model twice":   `{"p":"a","id":"x","mode":"chat"` + source + `},{"p":"a","id":"x","mode":"chat"` + source + `}`,
		"a space":         `{"p":"a","id":"x y","mode":"chat"` + source + `}`,
		"no id":           `{"p":"a","mode":"chat"` + source + `}`,
		"unknown mode":    `{"p":"a","id":"x","mode":"song"` + source + `}`,
		"unknown effort":  `{"p":"a","id":"x","mode":"chat","effort":["enormous"]` + source + `}`,
		"unknown caps":    `{"p":"a","id":"x","mode":"chat","caps":["flies"]` + source + `}`,
		"negative price":  `{"p":"a","id":"x","mode":"chat","in":-1,"out":1` + source + `}`,
		"odd days":        `{"p":"a","id":"x","mode":"chat","in":1,"out":1,"win":[{"utc":"01:00-02:00","days":"Sun","in":1,"out":1}]` + source + `}`,
		"odd hours":       `{"p":"a","id":"x","mode":"chat","in":1,"out":1,"win":[{"utc":"1-2","days":"Mon-Fri","in":1,"out":1}]` + source + `}`,
		"odd date":        `{"p":"a","id":"x","mode":"chat","in":1,"out":1,"next":[{"from":"soon","in":1,"out":1}]` + source + `}`,
		"odd end":         `{"p":"a","id":"x","mode":"chat","eol":"soon"` + source + `}`,
		"price is a text": `{"p":"a","id":"x","mode":"chat","in":"cheap"` + source + `}`,
		"no source":       `{"p":"a","id":"x","mode":"chat","asof":"2026-11-30"}`,
		"unknown source":  `{"p":"a","id":"x","mode":"chat","asof":"2026-11-30","src":"zz"}`,
		"an escape":       `{"p":"a","id":"x","mode":"chat","note":"say \"hi\""` + source + `}`,
		"only exceptions": `{"p":"a","id":"x","mode":"chat","svc":{"flex":{"in":1,"out":1}}` + source + `}`,
	} {
		if out, err := generate(nil, []byte(`{"sources":{"a":"A"},"models":[`+models+`]}`), new(bytes.Buffer)); err == nil {
			t.Errorf("%s: %s", name, out)
		}
	}
	if _, err := generate([]byte(`{"models":[{"id":"x","provider":"a","prices":{}}]}`), nil, new(bytes.Buffer)); err == nil {
		t.Error("an unknown member of a line stays")
	}
}
