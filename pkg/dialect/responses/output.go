package responses

import (
	"cmp"
	"encoding/json"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/body"
	"github.com/alicetears/llm-gateway/pkg/dialect/reasoning"
	"github.com/alicetears/llm-gateway/pkg/jsonx"
)

// An output collects the items of an answer, whole or streamed, from its events. If it is streamed, the output
// writes an event for each change of an item.
type output struct {
	served dialect.Served
	id     string // of an answer that was begun elsewhere; empty: it is made of the root
	root   string // part of all ids
	events *eventWriter

	items     []outputItem
	closed    int                   // all items before this one are
	calls     []int                 // the items of the calls
	text      struct{ item, n int } // the last text of a message, as numbers from 1; 0 if there is none
	reasoning int                   // the last item with reasoning, as a number from 1; 0 if there is none
	first     body.FirstChoice
	citations []chat.Citation      // those before any text
	envelopes []reasoning.Envelope // to be placed before the next item
	tier      string
	usage     *chat.Usage
	finish    chat.FinishReason
	failed    *failure
}

// A failure is the error that an answer ended with.
type failure struct{ code, message string }

func newOutput(served dialect.Served, events *eventWriter) *output {
	o := &output{served: served, root: rootOf(served.RequestID), events: events}
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

// hasReasoning says whether the item is reasoning with texts, and not only an envelope.
func (it *outputItem) hasReasoning() bool { return it.kind == reasoningItem && len(it.texts) > 0 }

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

// add takes the next event. Only the first of several choices is written.
func (o *output) add(ev *chat.Event) {
	switch ev.Kind {
	case chat.EventStart:
		o.tier = ev.ServiceTier
		return
	case chat.EventUsage:
		o.usage = ev.Usage
		o.tier = cmp.Or(ev.ServiceTier, o.tier)
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
		o.addText(ev, answerText)
	case chat.EventRefusal:
		o.addText(ev, refusalText)
	case chat.EventReason:
		o.addReasoning(ev)
	case chat.EventCall:
		o.beginCall(ev)
	case chat.EventCallArgs:
		o.addArguments(ev.Call, ev.Text)
	case chat.EventMedia:
		o.addMedia(ev)
	case chat.EventCitation:
		o.addCitation(ev.Citation)
	case chat.EventLogprobs:
		o.addLogprobs(ev.Raw)
	case chat.EventFinish:
		o.end(ev.Finish)
	}
}

// begin begins an item, and closes the items before it that are complete by that.
func (o *output) begin(it outputItem) *outputItem {
	o.closeComplete()
	o.placeEnvelopes()
	return o.place(it)
}

// place appends an item.
func (o *output) place(it outputItem) *outputItem {
	if it.id == "" {
		it.id = itemID(it.kind.prefix(), o.root, len(o.items))
	}
	o.items = append(o.items, it)
	added := &o.items[len(o.items)-1]
	o.events.itemAdded(len(o.items)-1, added)
	return added
}

// closeComplete closes the items that end when another begins: all but the calls whose arguments may still come.
// Those of a free-text tool have no recognizable end.
func (o *output) closeComplete() {
	for i := o.closed; i < len(o.items); i++ {
		if it := &o.items[i]; !it.closed && (!it.kind.isCall() || it.callComplete()) {
			o.close(i)
		}
		if i == o.closed && o.items[i].closed {
			o.closed++
		}
	}
}

// callComplete says whether the item is a call that has all its arguments.
func (it *outputItem) callComplete() bool {
	return (it.kind == functionItem || it.kind == ownItem) && it.json.Complete()
}

func (k itemKind) isCall() bool { return k == functionItem || k == customItem || k == ownItem }

func (o *output) close(i int) {
	it := &o.items[i]
	if it.closed {
		return
	}
	if n := len(it.texts); n > 0 {
		o.events.textDone(i, it, n-1)
	}
	if len(it.texts) > 0 && it.kind == reasoningItem {
		it.encryptedContent = it.encrypted()
	}
	it.closed = true
	o.events.itemDone(i, it)
}

// open returns the last item if it is of that kind and not closed; nil otherwise.
func (o *output) open(kind itemKind) *outputItem {
	if n := len(o.items); n > 0 && o.items[n-1].kind == kind && !o.items[n-1].closed {
		return &o.items[n-1]
	}
	return nil
}

// addText adds a piece of a message's text or refusal.
func (o *output) addText(ev *chat.Event, kind contentKind) {
	it := o.open(messageItem)
	if it == nil || it.phase != ev.Phase {
		it = o.begin(outputItem{kind: messageItem, phase: ev.Phase})
	}
	at := len(o.items) - 1
	n := len(it.texts)
	if n == 0 || it.texts[n-1].kind != kind {
		if n > 0 {
			o.events.textDone(at, it, n-1)
		}
		it.texts = append(it.texts, outputText{kind: kind})
		o.beginText(at, n)
		if kind == answerText {
			o.text.item, o.text.n = at+1, n+1
			early := o.citations
			o.citations = nil
			for i := range early {
				o.annotate(at, n, &early[i])
			}
		}
	}
	o.extend(at, len(it.texts)-1, ev.Text)
}

// extend adds to a text. Reasoning begins with its first piece, as it may have none.
func (o *output) extend(at, n int, text string) {
	if text == "" {
		return
	}
	it := &o.items[at]
	t := &it.texts[n]
	if !t.begun {
		o.beginText(at, n)
	}
	t.text = append(t.text, text...)
	o.events.delta(at, it, n, text)
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
	o.events.textBegun(at, it, n)
}

// addMedia adds an image as the call of the tool that makes images. Other media have no form here: a note replaces
// them.
func (o *output) addMedia(ev *chat.Event) {
	if ev.Part != chat.Image || ev.Media == nil || ev.Media.Data == "" {
		o.addText(&chat.Event{Text: body.MediaNote(ev.Part, ev.Media)}, answerText)
		return
	}
	o.begin(outputItem{kind: imageItem, image: ev.Media.Data})
	o.close(len(o.items) - 1)
}

func (o *output) beginCall(ev *chat.Event) {
	for len(o.calls) <= ev.Call {
		o.calls = append(o.calls, -1)
	}
	if o.calls[ev.Call] >= 0 || ev.ToolCall == nil {
		return
	}
	if ev.ToolCall.Signature != "" {
		signature := chat.ReasoningState{Signature: ev.ToolCall.Signature}
		o.envelopes = append(o.envelopes, reasoning.Envelope{Call: ev.ToolCall.ID, State: signature})
	}
	it := outputItem{kind: functionItem, call: *ev.ToolCall}
	switch {
	case ev.ToolCall.Custom:
		it.kind = customItem
	case ev.ToolCall.Type != "":
		it.kind = ownItem
	}
	o.begin(it)
	o.calls[ev.Call] = len(o.items) - 1
	o.addArguments(ev.Call, ev.ToolCall.Arguments)
}

func (o *output) addArguments(call int, text string) {
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
	o.events.argumentsDelta(at, it, text)
}

// lastText returns the last text of a message, which citations and probabilities refer to.
func (o *output) lastText() (at, n int, ok bool) {
	return o.text.item - 1, o.text.n - 1, o.text.item > 0
}

// addCitation adds an annotation. A citation without a form here, such as a place in a document, is left out.
func (o *output) addCitation(c *chat.Citation) {
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
	o.events.annotated(at, &o.items[at], n, c)
}

// addLogprobs keeps the probabilities of a text's tokens until the text is done.
func (o *output) addLogprobs(raw json.RawMessage) {
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
		t.logprobs = jsonx.AppendCompact(jsonx.AppendComma(t.logprobs), e.Raw())
	}
}

// end closes all items. Items that were cut off are incomplete.
func (o *output) end(reason chat.FinishReason) {
	if len(o.citations) > 0 {
		o.addText(&chat.Event{}, answerText)
	}
	o.finish = reason
	cut := reason == chat.FinishLength || reason == chat.FinishContentFilter
	for i := range o.items {
		if it := &o.items[i]; !it.closed {
			it.incomplete = cut && !it.callComplete()
			o.close(i)
		}
	}
	o.placeEnvelopes()
}

// fail ends the answer with a failure. No further events are written for its items.
func (o *output) fail(f failure) {
	o.failed = &f
	for i := range o.items {
		if it := &o.items[i]; !it.closed {
			it.closed, it.incomplete = true, true
		}
	}
}
