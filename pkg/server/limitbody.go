package server

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/alicetears/llm-gateway/pkg/fault"
	"github.com/alicetears/llm-gateway/pkg/gateway"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// limitBody is the body by which a limit is set.
type limitBody struct {
	Subject struct {
		Type  string                 `json:"type" jsonx:"required"`
		Token jsonx.Optional[string] `json:"token"` // of an end user
		ID    jsonx.Optional[string] `json:"id"`
	} `json:"subject" jsonx:"required"`
	Metric    string                          `json:"metric" jsonx:"required"`
	Window    string                          `json:"window" jsonx:"required"`
	Amount    jsonx.Optional[json.RawMessage] `json:"amount" jsonx:"required"`
	Models    jsonx.Optional[[]string]        `json:"models"`
	Strict    jsonx.Optional[bool]            `json:"strict"`
	OnReached jsonx.Optional[limitOnReached]  `json:"onReached"`
}

type limitOnReached struct {
	Model string `json:"model" jsonx:"required"`
}

// limitChange is the body by which a limit is changed.
type limitChange struct {
	Amount    jsonx.Optional[json.RawMessage] `json:"amount"`
	Models    jsonx.Optional[[]string]        `json:"models"`
	Strict    jsonx.Optional[bool]            `json:"strict"`
	OnReached jsonx.Optional[limitOnReached]  `json:"onReached"`
}

const (
	subjectTypes = "token, key, user, endUser or gateway"
	metricTypes  = "requests, tokens or cost"
	windowTypes  = "minute, hour, day, week, month or total"
)

// limit returns the limit that the body describes, and notes what is wrong with it.
func (b *limitBody) limit(issues *fault.Issues, a *App, c *call) store.Limit {
	l := store.Limit{ID: store.NewID(c.now()), User: c.who.user.ID, CreatedAt: c.now(), UpdatedAt: c.now()}
	var ok bool
	if l.Subject, ok = gateway.ParseLimitSubject(b.Subject.Type); !ok {
		issues.Add("subject.type", "must be %s", subjectTypes)
	}
	if b.Subject.Token.Set && l.Subject != store.LimitEndUser {
		issues.Add("subject.token", "is for an end user only")
	}
	id, err := store.ParseID(b.Subject.ID.Value)
	switch {
	case !ok:
	case l.Subject == store.LimitGateway:
		l.User = store.ID{}
		if b.Subject.ID.Set && !b.Subject.ID.Null {
			issues.Add("subject.id", "must be left out: there is one gateway")
		}
	case l.Subject == store.LimitEndUser:
		b.endUser(issues, a, &l)
	case err != nil || id.IsZero():
		issues.Add("subject.id", "must be the id of the %s", b.Subject.Type)
	case l.Subject == store.LimitUser:
		l.User, l.SubjectID = id, id
	default:
		l.SubjectID = id
	}
	if l.Metric, ok = gateway.ParseMetric(b.Metric); !ok {
		issues.Add("metric", "must be %s", metricTypes)
	}
	if l.Span, ok = gateway.ParseSpan(b.Window); !ok {
		issues.Add("window", "must be %s", windowTypes)
	}
	change := limitChange{b.Amount, b.Models, b.Strict, b.OnReached}
	change.apply(issues, &l)
	if l.Models == nil {
		l.Models = []string{}
	}
	return l
}

// endUser reads the subject of a limit of end users: of one, if it has an id, or of each.
func (b *limitBody) endUser(issues *fault.Issues, a *App, l *store.Limit) {
	token, err := store.ParseID(b.Subject.Token.Value)
	if err != nil || token.IsZero() {
		issues.Add("subject.token", "must be the id of the token whose end users are meant")
	}
	l.SubjectID = token
	if !b.Subject.ID.Set || b.Subject.ID.Null {
		return
	}
	name, problem := a.Gateway.EndUserName(b.Subject.ID.Value)
	switch {
	case problem != "":
		issues.Add("subject.id", "%s", problem)
	case name == "":
		issues.Add("subject.id", "must be an end user as requests name it; leave it out for each")
	}
	l.EndUser = &name
}

// apply changes l, notes what is wrong with the change, and returns it for the store.
func (b *limitChange) apply(issues *fault.Issues, l *store.Limit) (c store.LimitChange) {
	if b.Amount.Set {
		l.Amount = checkAmount(issues, l.Metric, string(b.Amount.Value))
		c.Amount = store.To(l.Amount)
	}
	if b.Models.Set {
		l.Models = orEmpty(checkPatterns(issues, "models", b.Models.Value))
		c.Models = store.To(l.Models)
	}
	if b.Strict.Set {
		l.Strict = b.Strict.Value
		c.Strict = store.To(l.Strict)
	}
	if b.OnReached.Set {
		l.Fallback = checkModel(issues, "onReached.model", jsonx.Optional[string]{Set: true, Null: b.OnReached.Null, Value: b.OnReached.Value.Model})
		if l.Fallback == "" && !b.OnReached.Null {
			issues.Add("onReached.model", "must name a model")
		}
		c.Fallback = store.To(l.Fallback)
	}
	if l.Strict && l.Fallback != "" {
		issues.Add("strict", "cannot be true together with onReached: a limit with another model is no cap")
	}
	return c
}

// checkAmount reads an amount of the metric: a whole number, or dollars with at most nine decimals.
func checkAmount(issues *fault.Issues, m store.Metric, text string) int64 {
	if m != store.MetricCost {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > store.MaxAmount {
			issues.Add("amount", "must be a whole number from 0 to %d", int64(store.MaxAmount))
		}
		return n
	}
	whole, decimals, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 40)
	nanos, err2 := strconv.ParseUint((decimals + "000000000")[:9], 10, 40)
	total := int64(n)*1e9 + int64(nanos)
	if err != nil || err2 != nil || len(decimals) > 9 || n > store.MaxAmount/1e9 || total > store.MaxAmount {
		issues.Add("amount", "must be dollars from 0 to %d, with at most nine decimals", int64(store.MaxAmount/1e9))
		return 0
	}
	return total
}
