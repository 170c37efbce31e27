package http1

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzRequests demands that what is understood of a connection does not depend
// on how its bytes arrive, and that a request written anew is understood as the
// one it was made of, without any doubt left.
func FuzzRequests(f *testing.F) {
	corpus, err := os.ReadFile("testdata/requests.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(corpus)) {
		if raw, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		whole := understand(strings.NewReader(raw))
		if bytewise := understand(iotest.OneByteReader(strings.NewReader(raw))); bytewise != whole {
			t.Fatalf("byte by byte:\n%s\nat once:\n%s", bytewise, whole)
		}
		checkRewritten(t, raw)
	})
}

// checkRewritten passes the first request on as a proxy does.
func checkRewritten(t *testing.T, raw string) {
	r := NewReader(strings.NewReader(raw))
	head, err := r.Head(MaxHead)
	var q Request
	if err != nil || q.Parse(head) != nil {
		return
	}
	body := r.Body(q.Length)
	var out bytes.Buffer
	w := NewWriter(&out)
	w.BeginRequest(q.Method)
	w.Add(q.Path)
	w.EndRequestLine()
	if _, ok := Find(q.Fields, Host); !ok {
		w.Field("Host", q.Authority)
	}
	Forwardable(q.Fields, func(f *Field) { w.Field(f.Name, f.Value) })
	w.Length(q.Length)
	w.EndLine()
	if _, err := w.Copy(&body, q.Length == Chunked); err != nil {
		return
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	wantBody, _, _ := all(afterHead(t, raw), q.Length)

	again := NewReader(&out)
	head, err = again.Head(2 * MaxHead)
	if err != nil {
		t.Fatal(err)
	}
	var p Request
	if err := p.Parse(head); err != nil {
		t.Fatalf("%v of %q", err, head)
	}
	got, _, err := all(again, p.Length)
	if err != nil || got != wantBody || p.Length != q.Length || len(again.Buffered()) != 0 {
		t.Fatalf("%q became %q: body %q, want %q, %v", raw, head, got, wantBody, err)
	}
	switch p.Finding.Reason {
	case "BothTeClPresent", "DuplicateContentLength":
		t.Fatalf("%q is still %s", head, p.Finding.Reason)
	}
}

func afterHead(t *testing.T, raw string) *Reader {
	r := NewReader(strings.NewReader(raw))
	if _, err := r.Head(MaxHead); err != nil {
		t.Fatal(err)
	}
	return r
}
