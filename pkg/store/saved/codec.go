// Package saved writes records of requests where there is no database: into files, and into log lines.
package saved

import (
	"encoding/json"
	"fmt"

	"github.com/alicetears/llm-gateway/pkg/store"
	"github.com/alicetears/llm-gateway/pkg/store/internal/value"
)

// record is a store.Record as it is saved. Its members' names are a format: later versions read them.
type record struct {
	ID          []byte      `json:"id"`
	User        []byte      `json:"user"`
	Token       []byte      `json:"token,omitempty"`
	Key         []byte      `json:"key,omitempty"`
	Provider    string      `json:"provider,omitempty"`
	Model       string      `json:"model,omitempty"`
	Asked       string      `json:"asked,omitempty"`
	Cost        *int64      `json:"cost,omitempty"`
	Status      int         `json:"status"`
	Outcome     int         `json:"outcome"`
	Attempts    int         `json:"attempts,omitempty"`
	Flags       int         `json:"flags,omitempty"`
	LatencyMs   int64       `json:"latencyMs,omitempty"`
	FirstByteMs *int64      `json:"firstByteMs,omitempty"`
	StartedMs   *int64      `json:"startedMs,omitempty"`
	Input       int64       `json:"input,omitempty"`
	Cached      int64       `json:"cached,omitempty"`
	CacheWrite  int64       `json:"cacheWrite,omitempty"`
	Output      int64       `json:"output,omitempty"`
	Reasoning   int64       `json:"reasoning,omitempty"`
	Trace       string      `json:"trace,omitempty"`
	Latencies   []latency   `json:"latencies,omitempty"`
	Labels      []label     `json:"labels,omitempty"`
	Spent       []spending  `json:"spent,omitempty"`
	Statements  []statement `json:"statements,omitempty"`
}

// latency is a store.Measurement.
type latency struct {
	ID     store.ID `json:"id"`
	Micros int64    `json:"micros"`
	At     int64    `json:"at"`
}

func latenciesOf(all []store.Measurement) (saved []latency) {
	for _, m := range all {
		saved = append(saved, latency(m))
	}
	return saved
}

func (r *record) latencies() (all []store.Measurement) {
	for _, l := range r.Latencies {
		all = append(all, store.Measurement(l))
	}
	return all
}

// label is a store.Label.
type label struct {
	Kind  int      `json:"kind"`
	Owner store.ID `json:"owner"`
	Name  string   `json:"name"`
}

func labelsOf(all []store.Label) (saved []label) {
	for _, l := range all {
		saved = append(saved, label{int(l.Kind), l.Owner, l.Name})
	}
	return saved
}

func (r *record) labels() (all []store.Label) {
	for _, l := range r.Labels {
		all = append(all, store.Label{Kind: store.LabelKind(l.Kind), Owner: l.Owner, Name: l.Name})
	}
	return all
}

// spending is a store.Spending.
type spending struct {
	ID      store.ID `json:"id"`
	Charges []charge `json:"charges,omitempty"`
}

type charge struct {
	Limit       store.ID `json:"limit"`
	Party       store.ID `json:"party"`
	Starts      int64    `json:"starts,omitempty"`
	Amount      int64    `json:"amount"`
	Gen         int64    `json:"gen,omitempty"`
	Spent       int64    `json:"spent"`
	Unconfirmed int64    `json:"unconfirmed,omitempty"`
}

func spendingsOf(spent []store.Spending) (out []spending) {
	for _, s := range spent {
		saved := spending{ID: s.ID}
		for _, c := range s.Charges {
			saved.Charges = append(saved.Charges, charge{c.Limit, c.Party, c.Starts, c.Amount, c.Gen, c.Spent, c.Unconfirmed})
		}
		out = append(out, saved)
	}
	return out
}

// spent returns the spendings as repeated: their holds may have been swept since they were saved.
func (r *record) spent() (out []store.Spending) {
	for _, s := range r.Spent {
		spending := store.Spending{ID: s.ID, Repeated: true}
		for _, c := range s.Charges {
			spending.Charges = append(spending.Charges, store.Charge{Spent: c.Spent, Unconfirmed: c.Unconfirmed,
				Hold: store.Hold{Limit: c.Limit, Party: c.Party, Starts: c.Starts, Amount: c.Amount, Gen: c.Gen}})
		}
		out = append(out, spending)
	}
	return out
}

type statement struct {
	SQL  string     `json:"sql"`
	Args []argument `json:"args,omitempty"`
}

// argument is a statement's argument: one member is set, or Null names the kind of a null.
type argument struct {
	Int   *int64   `json:"i,omitempty"`
	Float *float64 `json:"f,omitempty"`
	Bool  *bool    `json:"t,omitempty"`
	Text  *string  `json:"s,omitempty"`
	Bytes *[]byte  `json:"b,omitempty"`
	Null  *int     `json:"n,omitempty"`
}

func bytesOf(id store.ID) []byte {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

func encode(r store.Record) ([]byte, error) {
	out := record{
		ID: bytesOf(r.ID), User: bytesOf(r.User), Token: bytesOf(r.Token), Key: bytesOf(r.Key), Provider: r.Provider,
		Model: r.Model, Asked: r.Asked, Cost: r.Cost, Status: r.Status, Outcome: int(r.Outcome), Attempts: r.Attempts, Flags: r.Flags,
		LatencyMs: r.LatencyMs, FirstByteMs: r.FirstByteMs, StartedMs: r.StartedMs, Input: r.Input, Cached: r.Cached, CacheWrite: r.CacheWrite,
		Output: r.Output, Reasoning: r.Reasoning, Trace: r.Trace, Latencies: latenciesOf(r.Latencies), Labels: labelsOf(r.Labels), Spent: spendingsOf(r.Spent),
	}
	for _, s := range r.Statements {
		st := statement{SQL: s.SQL}
		for _, arg := range s.Args {
			v, err := value.Of(arg)
			if err != nil {
				return nil, err
			}
			st.Args = append(st.Args, argumentOf(v))
		}
		out.Statements = append(out.Statements, st)
	}
	return json.Marshal(out)
}

func argumentOf(v value.Value) argument {
	switch v.Kind {
	case value.Int:
		return argument{Int: &v.I}
	case value.Float:
		return argument{Float: &v.F}
	case value.Bool:
		is := v.I != 0
		return argument{Bool: &is}
	case value.Text:
		return argument{Text: &v.S}
	case value.Bytes:
		return argument{Bytes: &v.B}
	}
	kind := int(v.Typed)
	return argument{Null: &kind}
}

func decode(data []byte) (store.Record, error) {
	var in record
	if err := json.Unmarshal(data, &in); err != nil {
		return store.Record{}, err
	}
	r := store.Record{
		Provider: in.Provider, Model: in.Model, Asked: in.Asked, Cost: in.Cost, Status: in.Status, Outcome: store.Outcome(in.Outcome),
		Attempts: in.Attempts, Flags: in.Flags, LatencyMs: in.LatencyMs, FirstByteMs: in.FirstByteMs, StartedMs: in.StartedMs, Input: in.Input,
		Cached: in.Cached, CacheWrite: in.CacheWrite, Output: in.Output, Reasoning: in.Reasoning, Trace: in.Trace, Latencies: in.latencies(), Labels: in.labels(), Spent: in.spent(),
	}
	for _, id := range []struct {
		from []byte
		to   *store.ID
	}{{in.ID, &r.ID}, {in.User, &r.User}, {in.Token, &r.Token}, {in.Key, &r.Key}} {
		if len(id.from) != 0 && len(id.from) != len(id.to) {
			return store.Record{}, fmt.Errorf("an id of %d bytes", len(id.from))
		}
		copy(id.to[:], id.from)
	}
	for _, s := range in.Statements {
		st := store.Stmt{SQL: s.SQL}
		for _, arg := range s.Args {
			st.Args = append(st.Args, arg.value())
		}
		r.Statements = append(r.Statements, st)
	}
	return r, nil
}

// value returns the argument as a store.Stmt takes it. A null keeps its type, which PostgreSQL may need.
func (a argument) value() any {
	switch {
	case a.Int != nil:
		return *a.Int
	case a.Float != nil:
		return *a.Float
	case a.Bool != nil:
		return *a.Bool
	case a.Text != nil:
		return *a.Text
	case a.Bytes != nil:
		return *a.Bytes
	case a.Null == nil:
		return nil
	}
	switch value.Kind(*a.Null) {
	case value.Int:
		return (*int64)(nil)
	case value.Float:
		return (*float64)(nil)
	case value.Bool:
		return (*bool)(nil)
	case value.Text:
		return (*string)(nil)
	case value.Bytes:
		return []byte(nil)
	}
	return nil
}
