package main

import (
	"bytes"
	"strings"
	"testing"
)

const sample = `{"generated":"2026-11-23","sources":{"b":"list B","a":"list A"},"models":[
{"p":"openai","id":"z-model","mode":"responses","in":1.5,"out":1e1,"cr":0,"caps":["tools","reasoning"],"effort":["high","none","max"],"ep":["responses"],"asof":"2026-08-01","src":"a+b"},
{"p":"google","id":"old","mode":"chat","in":1,"out":2,"eol":"2026-12-01","repl":"routed:a-model","asof":"2026-08-01","src":"a"},
{"p":"google","id":"old-2026-01-31","mode":"chat","in":1,"out":2,"asof":"2026-08-01","src":"a"},
{"p":"google","id":"old-20260131","mode":"chat","in":1,"out":2,"eol":"2026-10-01","asof":"2026-08-01","src":"a"},
{"p":"google","id":"old-latest","mode":"chat","in":1,"out":2,"alias_of":"old (or so)","asof":"2026-08-01","src":"a"},
{"p":"google","id":"doubtful","mode":"chat","in":1,"out":2,"repl":"routed:a-model?","asof":"2026-08-01","src":"a"},
{"p":"google","id":"a-model","mode":"chat","ctx":1000,"max_out":10,"in":0.75,"out":3.75,"next":[{"from":"2027-01-01","in":1.5,"out":7.5}],"asof":"2026-08-01","src":"a"},
{"p":"anthropic","id":"claude-x","mode":"chat","in":3,"out":15,"cr":0.3,"cw":0.3,"tiers":[{"above":200000,"in":6,"out":22.5}],"asof":"2026-08-01","src":"a"},
{"p":"deepseek","id":"d","mode":"chat","in":0.1,"out":0.2,"win":[{"utc":"01:00-04:00,06:00-10:00","days":"Mon-Fri","in":0.2,"out":0.4}],"alias_of":"e (old)","asof":"2026-11","src":"a"},
{"p":"openrouter","id":"x/y:free","mode":"chat","in":0,"out":0,"asof":"2026-08-01","src":"a"},
{"p":"openrouter","id":"x/song","mode":"chat","in":0,"out":0,"asof":"2026-08-01","src":"a"},
{"p":"openai","id":"gpt-oss-120b","mode":"chat","in":1,"out":1,"asof":"2026-08-01","src":"a"},
{"p":"openai","id":"a-model","mode":"embedding","in":0.02,"dims":8,"svc":{"priority":{"in":0.04,"out":1},"flex":{"in":0.01,"out":0.5}},"asof":"2026-08-01","src":"a"}]}`

const want = `a-model gemini c=1000 o=10 p=i0.75o3.75 n=2027-01-01:i1.5o7.5 f=a@2026-08-01
a-model openai m=e d=8 p=i0.02 s=flex:i0.01o0.5,priority:i0.04o1 f=a@2026-08-01
claude-x anthropic p=i3o15r0.3w3.75W6 t=200000:i6o22.5r0.6w7.5W12~ f=a@2026-08-01
d deepseek p=i0.1o0.2 w=01:00-04:00+06:00-10:00=i0.2o0.4 a=e f=a@2026-11
doubtful gemini p=i1o2 f=a@2026-08-01
old gemini p=i1o2 z=2026-12-01 y=a-model f=a@2026-08-01
old-2026-01-31 gemini p=i1o2 z=2026-12-01 y=a-model f=a@2026-08-01
old-20260131 gemini p=i1o2 z=2026-10-01 f=a@2026-08-01
old-latest gemini p=i1o2 z=2026-12-01 y=a-model a=old f=a@2026-08-01
x/song openrouter f=a@2026-08-01
x/y:free openrouter p=i0o0 f=a@2026-08-01
z-model openai m=r p=i1.5o10 e=nhX k=tr x=r f=a+b@2026-08-01
`

func TestGenerate(t *testing.T) {
	var log bytes.Buffer
	out, err := generate([]byte(sample), &log)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for l := range strings.Lines(string(out)) {
		if l[0] != '#' {
			lines.WriteString(l)
		}
	}
	if lines.String() != want {
		t.Errorf("got\n%s\nwant\n%s", lines.String(), want)
	}
	head := string(out[:len(out)-lines.Len()])
	if !strings.Contains(head, "2026-11-23") || strings.Index(head, "#   a  list A\n") > strings.Index(head, "#   b  list B\n") || !strings.Contains(head, "list A") {
		t.Errorf("the head is\n%s", head)
	}
	for _, told := range []string{"gpt-oss-120b", "x/song", "claude-x", "old-2026-01-31", "doubtful"} {
		if !strings.Contains(log.String(), told) {
			t.Errorf("nothing is said about %s in %q", told, log.String())
		}
	}
	again, _ := generate([]byte(sample), &log)
	if !bytes.Equal(out, again) {
		t.Error("the same input gave other bytes")
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, models := range map[string]string{
		"a model twice":   `{"p":"a","id":"x","mode":"chat"},{"p":"a","id":"x","mode":"chat"}`,
		"a space":         `{"p":"a","id":"x y","mode":"chat"}`,
		"no id":           `{"p":"a","mode":"chat"}`,
		"unknown mode":    `{"p":"a","id":"x","mode":"song"}`,
		"unknown effort":  `{"p":"a","id":"x","mode":"chat","effort":["enormous"]}`,
		"unknown caps":    `{"p":"a","id":"x","mode":"chat","caps":["flies"]}`,
		"negative price":  `{"p":"a","id":"x","mode":"chat","in":-1,"out":1}`,
		"odd days":        `{"p":"a","id":"x","mode":"chat","in":1,"out":1,"win":[{"utc":"01:00-02:00","days":"Sun","in":1,"out":1}]}`,
		"price is a text": `{"p":"a","id":"x","mode":"chat","in":"cheap"}`,
	} {
		if out, err := generate([]byte(`{"models":[`+models+`]}`), new(bytes.Buffer)); err == nil {
			t.Errorf("%s: %q", name, out)
		}
	}
}
