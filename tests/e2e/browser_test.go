// Package e2e drives the dashboard in a real browser.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// stepTimeout is how long a step may take on a busy machine.
const stepTimeout = time.Minute

// browser is one tab, and what was recorded of it.
type browser struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	foreign  []string // requests to elsewhere
	problems []string // of the console
	bytes    float64  // received
}

// chromium finds the browser. Without one the test is skipped, but fails where CI is set.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no Chromium: run scripts/services")
	}
	t.Skip("there is no Chromium")
	return ""
}

// profile returns a folder that is removed after the test, as far as possible: the browser's processes may still write.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e-profile-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openBrowser(t *testing.T, base string) *browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(profile(t)), chromedp.WSURLReadTimeout(time.Minute)}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(stop)
	b := &browser{t: t, ctx: ctx, base: base}
	chromedp.ListenTarget(ctx, b.record)
	b.run(network.Enable(), log.Enable(), runtime.Enable())
	b.shape(1280, 900, "light")
	return b
}

// record keeps requests to other hosts, errors, and the number of received bytes.
func (b *browser) record(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		// The browser's own form controls have icons in data URLs.
		if !strings.HasPrefix(e.Request.URL, b.base+"/") && e.Request.URL != "about:blank" && !strings.HasPrefix(e.Request.URL, "data:image/svg+xml") {
			b.foreign = append(b.foreign, e.Request.URL)
		}
	case *network.EventDataReceived:
		b.bytes += float64(e.DataLength)
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Source != log.SourceNetwork { // a failed request is not an error of the page
			b.problems = append(b.problems, e.Entry.Text)
		}
	}
}

func (b *browser) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.foreign) > 0 || len(b.problems) > 0 {
		b.t.Errorf("requests to other hosts: %q; console: %q", b.foreign, b.problems)
	}
	b.foreign, b.problems = nil, nil
}

func (b *browser) received() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// shape sets the size of the window and the system's colour scheme.
func (b *browser) shape(width, height int64, scheme string) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, height, 1, width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// script defines the steps of the tests. They find what is visible, inside the dialog if one is open.
const script = `(() => {
  const scope = () => [...document.querySelectorAll('dialog[open]')].pop() ?? document
  const visible = e => e.getClientRects().length > 0
  const name = e => (e.getAttribute('aria-label') ?? e.textContent).trim()
  window.step = {
    control(label) {
      const it = [...scope().querySelectorAll('label')].find(l => visible(l) && l.textContent.trim() === label)
      return it && (it.control ?? null)
    },
    fill(label, value) {
      const it = step.control(label)
      if (!it) return false
      if (it.type === 'checkbox' || it.type === 'radio') { it.click(); return true }
      it.focus()
      it.value = value
      it.dispatchEvent(new Event('input', { bubbles: true }))
      it.dispatchEvent(new Event('change', { bubbles: true }))
      return it.value === value
    },
    click(text) {
      const it = [...scope().querySelectorAll('button, a, summary')].find(e => visible(e) && !e.disabled && name(e) === text)
      it?.click()
      return Boolean(it)
    },
    sees: text => scope().textContent?.includes(text) || document.body.innerText.includes(text),
  }
})()`

// until evaluates an expression until it is true.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	end := time.Now().Add(stepTimeout)
	for {
		var done bool
		err := chromedp.Run(b.ctx, chromedp.Evaluate(script+";Boolean("+expression+")", &done))
		if err == nil && done {
			return
		}
		if time.Now().After(end) {
			var text string
			chromedp.Run(b.ctx, chromedp.Evaluate("`${location.hash}, scrolled to ${scrollY}, the focus on ${document.activeElement?.outerHTML.slice(0, 200)}\n${document.body.innerText}`", &text))
			b.mu.Lock()
			problems := b.problems
			b.mu.Unlock()
			b.t.Fatalf("%s: not within %s (%v); console %q; the page says:\n%s", what, stepTimeout, err, problems, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func text(s string) string { t, _ := json.Marshal(s); return string(t) }

// open reloads the dashboard at a route.
func (b *browser) open(hash string) {
	b.t.Helper()
	b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(b.base+"/"+hash))
}
func (b *browser) sees(what string) { b.t.Helper(); b.until("see "+what, "step.sees("+text(what)+")") }
func (b *browser) gone(what string) {
	b.t.Helper()
	b.until("no longer see "+what, "!document.body.innerText.includes("+text(what)+")")
}
func (b *browser) click(name string) {
	b.t.Helper()
	b.until("click "+name, "step.click("+text(name)+")")
}
func (b *browser) fill(label, value string) {
	b.t.Helper()
	b.until("fill "+label, fmt.Sprintf("step.fill(%s, %s)", text(label), text(value)))
}

// settled waits until nothing loads any more.
func (b *browser) settled() {
	b.t.Helper()
	b.until("the page has loaded", "document.querySelector('h1') && !document.querySelector('[aria-busy=true]') && !document.body.innerText.includes('Loading…') && !document.body.innerText.includes('Connecting to the gateway')")
}

func (b *browser) screenshot(file string) {
	b.t.Helper()
	var png []byte
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(false).Do(ctx)
		return err
	}))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
