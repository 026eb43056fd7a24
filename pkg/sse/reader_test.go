package sse_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/alicetears/llm-gateway/pkg/sse"
)

type event struct{ name, data string }

func readAll(src io.Reader, max int) ([]event, error) {
	r := sse.NewReader(src, max)
	var all []event
	for {
		name, data, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, event{name, string(data)})
	}
}

// pieces gives its parts in one Read each.
type pieces [][]byte

func (p *pieces) Read(b []byte) (int, error) {
	for len(*p) > 0 && len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	(*p)[0] = (*p)[0][n:]
	return n, nil
}

var streams = []struct {
	in   string
	want []event
}{
	{"", nil},
	{"\n\n\n", nil},
	{"data: a\n\n", []event{{"", "a"}}},
	{"data:a\n\ndata:  b \n\n", []event{{"", "a"}, {"", " b "}}},
	{"data: a\r\n\r\ndata: b\r\n\r\n", []event{{"", "a"}, {"", "b"}}},
	{"event: x\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []event{{"x", "a\nb"}, {"", "c"}}},
	{"data: a\r\rdata: b\r\r", []event{{"", "a"}, {"", "b"}}},
	{"data: a\rdata: b\r\n\rdata: c\n\r", []event{{"", "a\nb"}, {"", "c"}}},
	{"data: a\ndata: b\ndata:\ndata\ndata: c\n\n", []event{{"", "a\nb\n\n\nc"}}},
	{"data\n\n", []event{{"", ""}}},
	{"data:\ndata:\n\n", []event{{"", "\n"}}},
	{"event: ping\n\ndata: a\n\n", []event{{"", "a"}}},
	{"event: error\ndata: {}\n\ndata: a\n\n", []event{{"error", "{}"}, {"", "a"}}},
	{"data: {}\nevent: late\nid: 7\nretry: 5\nother: x\nnocolon\n\n", []event{{"late", "{}"}}},
	{": hello\n\n: OPENROUTER PROCESSING\n\n:\n\ndata: a\n: inside\ndata: b\n\n", []event{{"", "a\nb"}}},
	{"\xef\xbb\xbfdata: a\n\n", []event{{"", "a"}}},
	{"\xef\xbbdata: a\n\ndata: b\n\n", []event{{"", "b"}}},
	{"data: a\n\ndata: [DONE]", []event{{"", "a"}, {"", "[DONE]"}}},
	{"data: a\n\ndata: b\n", []event{{"", "a"}, {"", "b"}}},
	{"data: a\n\nda", []event{{"", "a"}}},
	{"data: h\xc3\xa9 \xe6\xbc\xa2\n\n", []event{{"", "hé 漢"}}},
	{"dat: a\ndata : b\n data: c\ndata: d\n\n", []event{{"", "d"}}},
}

func TestReader(t *testing.T) {
	for _, s := range streams {
		got, err := readAll(strings.NewReader(s.in), 0)
		if err != nil || !reflect.DeepEqual(got, s.want) {
			t.Errorf("%q:\n got %q %v\nwant %q", s.in, got, err, s.want)
		}
		got, err = readAll(iotest.DataErrReader(strings.NewReader(s.in)), 0)
		if err != nil || !reflect.DeepEqual(got, s.want) {
			t.Errorf("%q with the end in the last read: got %q %v", s.in, got, err)
		}
	}
}

func TestReaderAtEverySplit(t *testing.T) {
	for _, s := range streams {
		for i := range len(s.in) + 1 {
			for j := i; j <= len(s.in); j++ {
				got, err := readAll(&pieces{[]byte(s.in[:i]), []byte(s.in[i:j]), []byte(s.in[j:])}, 0)
				if err != nil || !reflect.DeepEqual(got, s.want) {
					t.Fatalf("%q split at %d and %d:\n got %q %v\nwant %q", s.in, i, j, got, err, s.want)
				}
			}
		}
	}
}

// An event is returned as soon as its blank line is read, without another byte.
func TestReaderDoesNotWait(t *testing.T) {
	for _, in := range []string{"data: a\n\n", "data: a\r\r", "data: a\r\n\r\n", "data: a\r\n\r"} {
		pr, pw := io.Pipe()
		r := sse.NewReader(pr, 0)
		go func() {
			_, _ = pw.Write([]byte(in))
		}()
		if _, data, err := r.Next(); err != nil || string(data) != "a" {
			t.Errorf("%q: %q %v", in, data, err)
		}
		pw.Close()
		if _, _, err := r.Next(); err != io.EOF {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestReaderLargeEvents(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1<<16)
	in := "data: a\n\ndata: " + big + "\n\ndata: b\ndata: " + big + "\n\ndata: c\n\n"
	for _, src := range []io.Reader{strings.NewReader(in), iotest.HalfReader(strings.NewReader(in)), &trickle{in: in, n: 1337}} {
		got, err := readAll(src, 0)
		if err != nil || !reflect.DeepEqual(got, []event{{"", "a"}, {"", big}, {"", "b\n" + big}, {"", "c"}}) {
			t.Fatalf("%d events, %v", len(got), err)
		}
	}
}

type trickle struct {
	in string
	n  int
}

func (s *trickle) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), s.n)], s.in)
	if s.in = s.in[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestReaderLimit(t *testing.T) {
	fits := "data: " + strings.Repeat("x", 92) + "\n\n" // 100 bytes
	long := "data: " + strings.Repeat("x", 93) + "\n\n"
	many := strings.Repeat("data: x\n", 13) + "\n"
	comment := ": " + strings.Repeat("x", 100)
	if got, err := readAll(strings.NewReader(strings.Repeat(fits, 50)), 100); err != nil || len(got) != 50 {
		t.Errorf("events that fit: %d, %v", len(got), err)
	}
	if got, err := readAll(strings.NewReader(strings.Repeat(": keep-alive\n", 1000)+fits), 100); err != nil || len(got) != 1 {
		t.Errorf("comments count towards an event: %d, %v", len(got), err)
	}
	for _, in := range []string{long, many, comment} {
		for _, src := range []io.Reader{strings.NewReader(fits + in), iotest.OneByteReader(strings.NewReader(fits + in))} {
			got, err := readAll(src, 100)
			var size *sse.SizeError
			if len(got) != 1 || !errors.As(err, &size) || size.Limit != 100 {
				t.Errorf("%.20q: %d events, %v", in, len(got), err)
			}
		}
	}
}

func TestReaderError(t *testing.T) {
	broken := errors.New("connection reset")
	r := sse.NewReader(io.MultiReader(strings.NewReader("data: a\n\ndata: half"), iotest.ErrReader(broken)), 0)
	if _, data, err := r.Next(); err != nil || string(data) != "a" {
		t.Fatalf("%q %v", data, err)
	}
	for range 2 {
		if _, _, err := r.Next(); err != broken {
			t.Fatalf("got %v", err)
		}
	}
	r = sse.NewReader(stuck{}, 0)
	if _, _, err := r.Next(); err != io.ErrNoProgress {
		t.Fatalf("got %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReaderCountsComments(t *testing.T) {
	in := ": keep-alive\n\n: keep-alive\n\n"
	r := sse.NewReader(strings.NewReader(in), 0)
	if _, _, err := r.Next(); err != io.EOF || r.BytesRead() != int64(len(in)) {
		t.Errorf("%d bytes, %v", r.BytesRead(), err)
	}
}

// endless gives the same event again and again.
type endless struct {
	event []byte
	at    int
}

func (e *endless) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) && n < 512 {
		m := copy(b[n:min(len(b), 512)], e.event[e.at:])
		n, e.at = n+m, (e.at+m)%len(e.event)
	}
	return n, nil
}

func TestReaderAllocatesNothing(t *testing.T) {
	r := sse.NewReader(&endless{event: []byte("event: content_block_delta\ndata: {\"text\":\"hello\"}\ndata: more\n\n: c\n\n")}, 0)
	next := func() {
		if name, data, err := r.Next(); err != nil || name != "content_block_delta" || len(data) != 21 {
			t.Fatalf("%q %q %v", name, data, err)
		}
	}
	next()
	if n := testing.AllocsPerRun(1000, next); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func TestAppendEventReadsBack(t *testing.T) {
	var out []byte
	want := []event{{"", "{}"}, {"error", "a\nb\nc\n\nd\n"}, {"", ""}}
	out = sse.AppendComment(out)
	out = sse.AppendEvent(out, "", []byte("{}"))
	out = sse.AppendEvent(out, "error", []byte("a\r\nb\rc\n\nd\n"))
	out = sse.AppendEvent(out, "", nil)
	out = sse.AppendDone(out)
	got, err := readAll(bytes.NewReader(out), 0)
	if err != nil || !reflect.DeepEqual(got, append(want, event{"", "[DONE]"})) {
		t.Errorf("%q %v", got, err)
	}
	if got := string(sse.End(append(sse.Begin(nil, ""), "x"...))); got != "data: x\n\n" {
		t.Errorf("%q", got)
	}
}

func FuzzReader(f *testing.F) {
	for i, s := range streams {
		f.Add([]byte(s.in), uint16(i), uint16(3*i))
	}
	f.Fuzz(func(t *testing.T, in []byte, i, j uint16) {
		whole, err := readAll(bytes.NewReader(in), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		a := int(i) % (len(in) + 1)
		b := a + int(j)%(len(in)-a+1)
		for name, src := range map[string]io.Reader{
			"three pieces": &pieces{bytes.Clone(in[:a]), bytes.Clone(in[a:b]), bytes.Clone(in[b:])},
			"single bytes": iotest.OneByteReader(bytes.NewReader(in)),
		} {
			if got, err := readAll(src, 1<<20); err != nil || !reflect.DeepEqual(got, whole) {
				t.Fatalf("in %s: %q %v, at once: %q", name, got, err, whole)
			}
		}
		if want := naive(string(in)); !reflect.DeepEqual(whole, want) {
			t.Fatalf("got %q, want %q", whole, want)
		}
	})
}

// naive reads events the simple way.
func naive(in string) []event {
	in = strings.TrimPrefix(in, "\xef\xbb\xbf")
	in = strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\r", "\n")
	var all []event
	var name string
	var data []string
	for _, line := range strings.Split(in+"\n\n", "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if data != nil {
				all = append(all, event{name, strings.Join(data, "\n")})
			}
			name, data = "", nil
		case key == "data":
			data = append(data, value)
		case key == "event":
			name = value
		}
	}
	return all
}

func BenchmarkReader(b *testing.B) {
	chunk := fmt.Appendf(nil, "data: {%s}\n\n", strings.Repeat(`"key":"some value",`, 16))
	r := sse.NewReader(&endless{event: chunk}, 0)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

// chunks returns one chunk per Read and fails the test if it is read too early.
type chunks struct {
	t     *testing.T
	rest  []string
	quiet bool
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.quiet {
		c.t.Error("Next waited although Ready said that an event is at hand")
	}
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest[0])
	c.rest = c.rest[1:]
	return n, nil
}

func TestReadyMeansNotWaiting(t *testing.T) {
	whole := "data: one\n\n: comment\n\nevent: x\ndata: two\n\ndata: three\r\n\r\n\r\n: c\r\n\r\ndata:four\n\nid: 1\n\ndata: five\n\n"
	ready := 0
	for cut := range len(whole) + 1 {
		src := &chunks{t: t, rest: []string{whole[:cut], whole[cut:]}}
		r := sse.NewReader(src, 0)
		for {
			src.quiet = r.Ready()
			if src.quiet {
				ready++
			}
			if _, _, err := r.Next(); err != nil {
				break
			}
		}
	}
	if ready == 0 {
		t.Error("Ready never saw an event")
	}
}
