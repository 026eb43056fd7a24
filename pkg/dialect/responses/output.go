package responses

import (
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An output collects the items of an answer from its events, for a whole answer and for a
// streamed one alike. What happens to them it tells at once, if there is someone to tell.
type output struct {
	served dialect.Served
	id     string // of an answer that another began; empty: it is made of the root
	root   string // of the ids
	told   *events

	items     []outputItem
	closed    int                   // all items before this one are
	calls     []int                 // the items of the calls
	text      struct{ item, n int } // the last text of a message, as numbers from 1; 0 if there is none
	thoughts  int                   // the last item with reasoning, as a number from 1; 0 if there is none
	first     body.FirstChoice
	citations []chat.Citation      // those before any text
	later     []reasoning.Envelope // for the next place between two items
	tier      string
	usage     *chat.Usage
	finish    chat.FinishReason
	failed    *failure
}

// A failure is what an answer ended with.
type failure struct{ code, message string }

func newOutput(served dialect.Served, told *events) *output {
	o := &output{served: served, root: rootOf(served.RequestID), told: told}
	if served.Request == nil {
		o.served.Request = new(chat.Request)
	}
	return o
}

// An outputItem is one item. Its texts belong to a message or to reasoning.
type outputItem struct {
	kind             itemKind
	id               string
	phase            string
	texts            []outputText
	begun            [2]int // of the texts: how many of a reasoning\'s summary, and of anything else
	call             chat.ToolCall
	arguments        []byte
	json             body.PartialJSON // the arguments
	image            string           // in base64
	encryptedContent string           // encrypted content, of an item that is closed or has nothing else
	closed           bool
	incomplete       bool
}

// thinks says whether the item is reasoning, and not an envelope alone.
func (it *outputItem) thinks() bool { return it.kind == reasoningItem && len(it.texts) > 0 }

// An outputText is one text of an item.
type outputText struct {
	kind      contentKind
	text      []byte
	begun     bool
	index     int // among those of its member
	citations []chat.Citation
	logprobs  []byte // elements of an array
	state     *chat.ReasoningState
}

// add takes the next event. Of several choices the first is written.
func (o *output) add(ev *chat.Event) {
	switch ev.Kind {
	case chat.EventStart:
		o.tier = ev.ServiceTier
		return
	case chat.EventUsage:
		o.usage = ev.Usage
		if ev.ServiceTier != "" {
			o.tier = ev.ServiceTier
		}
		return
	case chat.EventEnd:
		for _, kept := range o.first.Kept() {
			o.write(&kept)
		}
		o.end(o.finish)
		return
	case chat.EventError:
		return
	}
	if o.first.Has(ev) {
		o.write(ev)
	}
}

// write takes the next event of the choice.
func (o *output) write(ev *chat.Event) {
	switch ev.Kind {
	case chat.EventText:
		o.say(ev, spokenText)
	case chat.EventRefusal:
		o.say(ev, refusalText)
	case chat.EventReason:
		o.reason(ev)
	case chat.EventCall:
		o.callFunction(ev)
	case chat.EventCallArgs:
		o.argue(ev.Call, ev.Text)
	case chat.EventMedia:
		o.show(ev)
	case chat.EventCitation:
		o.cite(ev.Citation)
	case chat.EventLogprobs:
		o.probabilities(ev.Raw)
	case chat.EventFinish:
		o.end(ev.Finish)
	}
}

// begin begins an item, and closes those that it shows to be complete.
func (o *output) begin(it outputItem) *outputItem {
	o.closeComplete()
	o.flush()
	return o.place(it)
}

// place puts an item behind the others.
func (o *output) place(it outputItem) *outputItem {
	if it.id == "" {
		it.id = itemID(it.kind.prefix(), o.root, len(o.items))
	}
	o.items = append(o.items, it)
	added := &o.items[len(o.items)-1]
	o.told.itemAdded(len(o.items)-1, added)
	return added
}

// closeComplete closes what cannot go on once another item begins. A call can: its arguments may
// still come, unless they are a whole object already. The end of a free text nobody can tell.
func (o *output) closeComplete() {
	for i := o.closed; i < len(o.items); i++ {
		if it := &o.items[i]; !it.closed && (it.kind != functionItem && it.kind != customItem || it.called()) {
			o.close(i)
		}
		if i == o.closed && o.items[i].closed {
			o.closed++
		}
	}
}

// called says whether a call has all its arguments.
func (it *outputItem) called() bool { return it.kind == functionItem && it.json.Complete() }

func (o *output) close(i int) {
	it := &o.items[i]
	if it.closed {
		return
	}
	if n := len(it.texts); n > 0 {
		o.told.textDone(i, it, n-1)
	}
	if len(it.texts) > 0 && it.kind == reasoningItem {
		it.encryptedContent = it.encrypted()
	}
	it.closed = true
	o.told.itemDone(i, it)
}

// open is the last item if it is of that kind and still goes on.
func (o *output) open(kind itemKind) *outputItem {
	if n := len(o.items); n > 0 && o.items[n-1].kind == kind && !o.items[n-1].closed {
		return &o.items[n-1]
	}
	return nil
}

// say adds to a message's text or refusal.
func (o *output) say(ev *chat.Event, kind contentKind) {
	it := o.open(messageItem)
	if it == nil || it.phase != ev.Phase {
		it = o.begin(outputItem{kind: messageItem, phase: ev.Phase})
	}
	at := len(o.items) - 1
	n := len(it.texts)
	if n == 0 || it.texts[n-1].kind != kind {
		if n > 0 {
			o.told.textDone(at, it, n-1)
		}
		it.texts = append(it.texts, outputText{kind: kind})
		o.beginText(at, n)
		if kind == spokenText {
			o.text.item, o.text.n = at+1, n+1
			early := o.citations
			o.citations = nil
			for i := range early {
				o.annotate(at, n, &early[i])
			}
		}
	}
	o.append(at, len(it.texts)-1, ev.Text)
}

// append adds to a text, and begins it if it is reasoning, which may come to nothing.
func (o *output) append(at, n int, text string) {
	if text == "" {
		return
	}
	it := &o.items[at]
	t := &it.texts[n]
	if !t.begun {
		o.beginText(at, n)
	}
	t.text = append(t.text, text...)
	o.told.delta(at, it, n, text)
}

// beginText begins the nth text of an item.
func (o *output) beginText(at, n int) {
	it := &o.items[at]
	t := &it.texts[n]
	count := &it.begun[1]
	if t.kind == summaryText {
		count = &it.begun[0]
	}
	t.begun, t.index = true, *count
	*count++
	o.told.textBegun(at, it, n)
}

// show adds a medium: a picture as the tool's that makes them. There is no place for others.
func (o *output) show(ev *chat.Event) {
	if ev.Part != chat.Image || ev.Media == nil || ev.Media.Data == "" {
		o.say(&chat.Event{Text: body.MediaNote(ev.Part, ev.Media)}, spokenText)
		return
	}
	o.begin(outputItem{kind: imageItem, image: ev.Media.Data})
	o.close(len(o.items) - 1)
}

func (o *output) callFunction(ev *chat.Event) {
	for len(o.calls) <= ev.Call {
		o.calls = append(o.calls, -1)
	}
	if o.calls[ev.Call] >= 0 || ev.ToolCall == nil {
		return
	}
	if ev.ToolCall.Signature != "" {
		o.later = append(o.later, reasoning.Envelope{Call: ev.ToolCall.ID, State: chat.ReasoningState{Signature: ev.ToolCall.Signature}})
	}
	it := outputItem{kind: functionItem, call: *ev.ToolCall}
	if ev.ToolCall.Custom {
		it.kind = customItem
	}
	o.begin(it)
	o.calls[ev.Call] = len(o.items) - 1
	o.argue(ev.Call, ev.ToolCall.Arguments)
}

func (o *output) argue(call int, text string) {
	if text == "" || call >= len(o.calls) || o.calls[call] < 0 {
		return
	}
	at := o.calls[call]
	it := &o.items[at]
	if it.closed {
		return // white space after a whole object
	}
	it.arguments = append(it.arguments, text...)
	it.json.Add(text)
	o.told.argumentsDelta(at, it, text)
}

// lastText returns the last text of a message, which citations and probabilities are about.
func (o *output) lastText() (at, n int, ok bool) {
	return o.text.item - 1, o.text.n - 1, o.text.item > 0
}

// cite adds an annotation. A citation that has no form here, such as of a place in a document, is left out.
func (o *output) cite(c *chat.Citation) {
	if !annotates(c) {
		return
	}
	if at, n, ok := o.lastText(); ok {
		o.annotate(at, n, c)
	} else {
		o.citations = append(o.citations, *c)
	}
}

func (o *output) annotate(at, n int, c *chat.Citation) {
	t := &o.items[at].texts[n]
	t.citations = append(t.citations, *c)
	o.told.annotated(at, &o.items[at], n, c)
}

// probabilities keeps those of the tokens of a text, until it is done.
func (o *output) probabilities(raw json.RawMessage) {
	at, n, ok := o.lastText()
	if !ok {
		return
	}
	root, err := jsonx.Parse(raw, jsonx.Lenient)
	if err != nil {
		return
	}
	t := &o.items[at].texts[n]
	for e := root.Get("content").First(); e.Exists(); e = e.Next() {
		if len(t.logprobs) > 0 {
			t.logprobs = append(t.logprobs, ',')
		}
		t.logprobs = jsonx.AppendCompact(t.logprobs, e.Raw())
	}
}

// end closes all items. Those that were cut off are incomplete.
func (o *output) end(reason chat.FinishReason) {
	if len(o.citations) > 0 {
		o.say(&chat.Event{}, spokenText)
	}
	o.finish = reason
	cut := reason == chat.FinishLength || reason == chat.FinishContentFilter
	for i := range o.items {
		if it := &o.items[i]; !it.closed {
			it.incomplete = cut && !it.called()
			o.close(i)
		}
	}
	o.flush()
}

// fail ends the answer with a failure. Nothing more is told of its items.
func (o *output) fail(f failure) {
	o.failed = &f
	for i := range o.items {
		if it := &o.items[i]; !it.closed {
			it.closed, it.incomplete = true, true
		}
	}
}
